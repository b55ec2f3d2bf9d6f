"""From `CommonTlsContext` to what contexts are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.logger import Logger

from twisted_envoy.extensions.common.tls.certificate import Certificate, readCertificate
from twisted_envoy.extensions.common.tls.context import ContextSettings
from twisted_envoy.extensions.common.tls.parameters import Parameters, readParameters
from twisted_envoy.extensions.common.tls.secrets import SecretSource, readSecretSource
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.extensions.common.tls.validation import buildVerifier
from twisted_envoy.extensions.common.tls.verifier import Verifier

_log = Logger("config")


@dataclass(frozen=True)
class CommonTLS:
    """
    What one side has, its secrets not yet looked at.

    Attributes:
        own: certificates of the config itself; named: those that it names.
        verifier: of the config itself; trusted: of the secret that it names.
        keyLog: see ContextSettings.
    """

    stats: TLSStats
    isServer: bool
    required: bool
    parameters: Parameters
    protocols: tuple[bytes, ...] = ()
    own: tuple[Certificate, ...] = ()
    named: tuple[SecretSource, ...] = ()
    verifier: Verifier | None = None
    keyLog: Callable[[bytes], None] | None = None
    trusted: SecretSource | None = None

    def resolve(self) -> tuple[ContextSettings, tuple[Certificate, ...]]:
        """
        What the secrets say now.

        Raises:
            ConfigError: one of them cannot be had.
        """
        certificates = list(self.own)
        for source in self.named:
            content = source.read()
            certificates.append(readCertificate(content))
            content.moot("watched_directory", "the files themselves are looked at")
            source.check(content)
            self._tell(certificates[-1], source.name)
        verifier = self.verifier
        if self.trusted is not None:
            content = self.trusted.read()
            base = self.verifier
            isPart = base is not None
            verifier = buildVerifier(content, self.stats, self.isServer, self.required, isPart)
            verifier = verifier if base is None else base.joinedWith(verifier)
            content.moot("watched_directory", "the files themselves are looked at")
            self.trusted.check(content)
        if verifier is None:
            verifier = buildVerifier(None, self.stats, self.isServer, self.required)
        settings = ContextSettings(self.parameters, verifier, self.protocols, self.keyLog)
        return settings, tuple(certificates)

    def _tell(self, certificate: Certificate, name: str) -> None:
        self.stats.expires("cert", name, int(certificate.leaf.not_valid_after_utc.timestamp()))

    @property
    def verifies(self) -> bool:
        """Somebody is trusted."""
        return self.trusted is not None or (self.verifier is not None and self.verifier.trusts)

    def watched(self) -> tuple[str, ...]:
        """The files whose changes count, those that certificates stand in included."""
        sources = [*self.named, *([] if self.trusted is None else [self.trusted])]
        paths = {path for source in sources for path in source.watched}
        for source in sources:
            if source.path:
                try:
                    paths |= _filesOf(source.read())
                except Exception:
                    continue  # it is told when it is made
        return tuple(sorted(paths))


def _filesOf(content: Any) -> set[str]:
    """The files that a secret names."""
    found = set()
    for field in ("certificate_chain", "private_key", "pkcs12", "trusted_ca", "crl"):
        source = getattr(content, field, None)
        if source is not None and source.which("specifier") == "filename":
            found.add(source.filename)
    return found


def readCommon(
    view: Any,
    stats: TLSStats,
    isServer: bool,
    required: bool = False,
    preferClients: bool = False,
    context: Any = None,
) -> CommonTLS:
    """
    Read a CommonTlsContext.

    Args:
        view: None without one. required: a client must show a certificate.
        context: an IFactoryContext, where the bootstrap's secrets are.
    Raises:
        ConfigError: in Envoy's words where it has some.
    """
    if view is None:
        return CommonTLS(stats, isServer, required, readParameters(None, isServer, preferClients))
    own = tuple(readCertificate(each) for each in view.tls_certificates)
    named = tuple(
        readSecretSource(each, "tls_certificate", context)
        for each in view.tls_certificate_sds_secret_configs
    )
    verifier = trusted = None
    if view.which("validation_context_type") == "validation_context_sds_secret_config":
        config = view.validation_context_sds_secret_config
        trusted = readSecretSource(config, "validation_context", context)
    elif view.which("validation_context_type") == "combined_validation_context":
        both = view.combined_validation_context
        base = both.default_validation_context
        verifier = buildVerifier(base, stats, isServer, required, isPart=True)
        config = both.validation_context_sds_secret_config
        trusted = readSecretSource(config, "validation_context", context)
    else:
        verifier = buildVerifier(view.validation_context, stats, isServer, required)
    common = CommonTLS(
        stats,
        isServer,
        required,
        readParameters(view.tls_params, isServer, preferClients),
        tuple(name.encode() for name in view.alpn_protocols),
        own,
        named,
        verifier,
        _readKeyLog(view.key_log),
        trusted,
    )
    for certificate in own:
        common._tell(certificate, "")
    for authority in () if verifier is None else verifier.authorities or ():
        stats.expires("ca_cert", "", int(authority.not_valid_after_utc.timestamp()))
    return common


def _readKeyLog(view: Any) -> Callable[[bytes], None] | None:
    """Secrets of connections, one a line, for who listens; ranges of addresses stay unread."""
    if view is None:
        return None
    path: str = view.path_

    def log(line: bytes) -> None:
        try:
            with open(path, "ab") as file:
                file.write(line + b"\n")
        except OSError as problem:
            _log.warn("no key log in {path}: {problem}", path=path, problem=problem)

    return log
