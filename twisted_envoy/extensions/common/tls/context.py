"""OpenSSL's contexts, made of what the config says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from twisted_envoy.extensions.common.tls.certificate import Certificate, pickCertificates
from twisted_envoy.extensions.common.tls.parameters import Parameters
from twisted_envoy.extensions.common.tls.staple import StaplePolicy, stapleNow
from twisted_envoy.extensions.common.tls.verifier import Verifier
from twisted_envoy.values import dataclass

_NO_RENEGOTIATION = 1 << 30
_IGNORE_EOF = 1 << 7
_NO_AUTO_CHAIN = 1 << 3
"""Only the chain that is configured is sent, not what is found among those we trust."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """
    What only servers have: how sessions go on, and which certificate is shown.

    Attributes:
        timeout: seconds, None for the library's.
        fullScan: see pickCertificates.
        staplePolicy: of certificates that do not say that they must be stapled.
    """

    tickets: bool = True
    cache: bool = True
    timeout: int | None = None
    fullScan: bool = False
    staplePolicy: StaplePolicy = StaplePolicy.LENIENT


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """
    What all contexts of one side have in common.

    Attributes:
        protocols: of ALPN, the best first.
        keyLog: gets each line of the key log, and whose it is; None for none.
    """

    parameters: Parameters
    verifier: Verifier
    protocols: tuple[bytes, ...] = ()
    keyLog: Callable[[SSL.Connection, bytes], None] | None = None


def _newContext(
    settings: ContextSettings, certificates: Sequence[Certificate], isServer: bool
) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD if isServer else SSL.TLS_CLIENT_METHOD)
    context.clear_mode(SSL._lib.SSL_MODE_ENABLE_PARTIAL_WRITE)  # type: ignore[attr-defined]
    context.set_mode(SSL.MODE_RELEASE_BUFFERS | _NO_AUTO_CHAIN)
    context.set_options(_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION | _IGNORE_EOF)
    settings.parameters.install(context)
    for certificate in certificates:
        context.use_certificate(certificate.leaf)
        context.use_privatekey(certificate.key)  # type: ignore[arg-type]
        for each in certificate.chain:
            context.add_extra_chain_cert(each)
    settings.verifier.install(context)
    if settings.keyLog is not None:
        context.set_keylog_callback(settings.keyLog)
    return context


class ServerContexts:
    """
    The contexts of a server: one for each choice of certificates.

    Attributes:
        certificates: those of all.
        default: the context of who asks for nobody.
    Raises:
        SSL.Error, ValueError: the parameters are none of OpenSSL's.
    """

    def __init__(
        self,
        settings: ContextSettings,
        certificates: tuple[Certificate, ...],
        server: ServerSettings,
    ) -> None:
        self._settings = settings
        self.certificates = certificates
        self._server = server
        self._made: dict[tuple[int, ...], SSL.Context] = {}
        self.default = self._contextOf("")

    def _contextOf(self, serverName: str) -> SSL.Context:
        chosen = pickCertificates(self.certificates, serverName, self._server.fullScan)
        key = tuple(id(each) for each in chosen)
        context = self._made.get(key)
        if context is None:
            context = self._made[key] = self._make(chosen)
        return context

    def _make(self, chosen: tuple[Certificate, ...]) -> SSL.Context:
        settings = self._settings
        server = self._server
        context = _newContext(settings, chosen, True)
        if settings.protocols:
            context.set_alpn_select_callback(self._chooseProtocol)
        if len(self.certificates) > 1:
            context.set_tlsext_servername_callback(self._named)
        digest = hashlib.sha256()
        for certificate in self.certificates:
            digest.update(certificate.leaf.public_bytes(Encoding.DER))
        context.set_session_id(digest.digest())
        context.set_ocsp_server_callback(self._staple)
        if not server.cache:
            context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        else:
            context.set_session_cache_mode(SSL.SESS_CACHE_SERVER)
        if not server.tickets:
            context.set_options(SSL.OP_NO_TICKET)
        if server.timeout is not None:
            context.set_timeout(server.timeout)
        return context

    def _named(self, connection: SSL.Connection) -> None:
        name = connection.get_servername()
        if name:
            context = self._contextOf(name.decode("latin-1"))
            if context is not connection.get_context():
                connection.set_context(context)

    def _staple(self, connection: SSL.Connection, nothing: object) -> bytes:
        """The OCSP response of the certificate that was chosen; asked for by the client."""
        stats = self._settings.verifier.stats
        stats.ocsp_staple_requests.value += 1
        certificate = self._shown(connection)
        policy = StaplePolicy.MUST if certificate.isMustStaple else self._server.staplePolicy
        found = stapleNow(certificate.staple, policy)
        if found is None:
            stats.ocsp_staple_failed.value += 1
            connection.get_app_data().reason = "CONNECTION_REJECTED"
            raise SSL.Error([])
        if found:
            stats.ocsp_staple_responses.value += 1
        else:
            stats.ocsp_staple_omitted.value += 1
        return found

    def _shown(self, connection: SSL.Connection) -> Certificate:
        certificates = self.certificates
        if len(certificates) == 1:
            return certificates[0]
        leaf = connection.get_certificate(as_cryptography=True)
        return next(each for each in certificates if each.leaf == leaf)

    def _chooseProtocol(self, connection: SSL.Connection, offered: list[bytes]) -> Any:
        for protocol in self._settings.protocols:
            if protocol in offered:
                return protocol
        return SSL.NO_OVERLAPPING_PROTOCOLS


def clientContext(settings: ContextSettings, certificates: tuple[Certificate, ...]) -> SSL.Context:
    """
    The context of a client.

    Raises:
        SSL.Error, ValueError: the parameters are none of OpenSSL's.
    """
    context = _newContext(settings, certificates, False)
    if settings.protocols:
        context.set_alpn_protos(list(settings.protocols))
    return context
