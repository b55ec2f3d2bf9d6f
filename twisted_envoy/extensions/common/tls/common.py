"""From `CommonTlsContext` to what contexts are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from twisted_envoy.extensions.common.tls.certificate import INLINE, Certificate, readCertificate
from twisted_envoy.extensions.common.tls.context import ContextSettings
from twisted_envoy.extensions.common.tls.key_log import KeyLog, readKeyLog
from twisted_envoy.extensions.common.tls.parameters import Parameters, readParameters
from twisted_envoy.extensions.common.tls.secrets import SecretSource, readSecretSource
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.extensions.common.tls.subscription import SecretSubscription
from twisted_envoy.extensions.common.tls.validation import buildVerifier
from twisted_envoy.extensions.common.tls.verifier import Verifier

_ONLY_SECRETS = "only secrets that stand in files change"
_LONGEST_PROTOCOL = 255


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
    keyLog: KeyLog | None = None
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
            certificate = readCertificate(content)
            if source.subscription is not None:
                certificate = replace(certificate, path=INLINE)
            certificates.append(certificate)
            content.moot("watched_directory", "the files themselves are looked at")
            source.check(content)
            self._tell(certificates[-1], source.name)
        verifier = self.verifier
        if self.trusted is not None:
            content = self.trusted.read()
            base = self.verifier
            isPart = base is not None
            verifier = buildVerifier(content, self.stats, self.isServer, self.required, isPart)
            if self.trusted.subscription is not None:
                verifier = replace(verifier, path=INLINE)
            verifier = verifier if base is None else base.joinedWith(verifier)
            content.moot("watched_directory", "the files themselves are looked at")
            self.trusted.check(content)
            self._tellTrusted(verifier, self.trusted.name)
        if verifier is None:
            verifier = buildVerifier(None, self.stats, self.isServer, self.required)
        settings = ContextSettings(self.parameters, verifier, self.protocols, self.keyLog)
        return settings, tuple(certificates)

    def _tell(self, certificate: Certificate, name: str) -> None:
        self.stats.expires("cert", name, int(certificate.leaf.not_valid_after_utc.timestamp()))

    def _tellTrusted(self, verifier: Verifier, name: str) -> None:
        if verifier.authorities:
            first = min(authority.not_valid_after_utc for authority in verifier.authorities)
            self.stats.expires("ca_cert", name, int(first.timestamp()))

    @property
    def verifies(self) -> bool:
        """Somebody is trusted."""
        return self.trusted is not None or (self.verifier is not None and self.verifier.trusts)

    @property
    def subscriptions(self) -> tuple[SecretSubscription, ...]:
        """Of the secrets that may change."""
        sources = (*self.named, self.trusted)
        found = [None if source is None else source.subscription for source in sources]
        return tuple(each for each in found if each is not None)


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
    if isServer and view.tls_certificates and view.tls_certificate_sds_secret_configs:
        raise view.error("SDS and non-SDS TLS certificates may not be mixed in server contexts")
    own = tuple(_readOwn(each) for each in view.tls_certificates)
    named = tuple(
        readSecretSource(each, "tls_certificate", context)
        for each in view.tls_certificate_sds_secret_configs
    )
    verifier, trusted = _readTrust(view, stats, isServer, required, context)
    parameters = readParameters(view.tls_params, isServer, preferClients)
    common = CommonTLS(
        *(stats, isServer, required, parameters),
        _readProtocols(view),
        own,
        named,
        verifier,
        readKeyLog(view.key_log),
        trusted,
    )
    for certificate in own:
        common._tell(certificate, "")
    if verifier is not None:
        common._tellTrusted(verifier, "")
    if view.validation_context is not None and view.validation_context.trusted_ca is None:
        stats.neverExpires()
    return common


def _readTrust(
    view: Any, stats: TLSStats, isServer: bool, required: bool, context: Any
) -> tuple[Verifier | None, SecretSource | None]:
    """What says whom to trust: here, in a secret, or both."""
    kind = view.which("validation_context_type")
    if kind == "validation_context_sds_secret_config":
        config = view.validation_context_sds_secret_config
        return None, readSecretSource(config, "validation_context", context)
    if kind == "combined_validation_context":
        both = view.combined_validation_context
        base = both.default_validation_context
        _mootWatched(base)
        verifier = buildVerifier(base, stats, isServer, required, isPart=True)
        config = both.validation_context_sds_secret_config
        return verifier, readSecretSource(config, "validation_context", context)
    _mootWatched(view.validation_context)
    return buildVerifier(view.validation_context, stats, isServer, required), None


def _readOwn(view: Any) -> Certificate:
    view.moot("watched_directory", _ONLY_SECRETS)
    return readCertificate(view)


def _mootWatched(view: Any) -> None:
    if view is not None:
        view.moot("watched_directory", _ONLY_SECRETS)


def _readProtocols(view: Any) -> tuple[bytes, ...]:
    """Of ALPN; one text may have several, with commas."""
    names = [name.encode() for name in ",".join(view.alpn_protocols).split(",") if name]
    if any(len(name) > _LONGEST_PROTOCOL for name in names):
        raise view.error("Invalid ALPN protocol string", "alpn_protocols")
    return tuple(names)
