"""A TLS client whose every choice can be made: OpenSSL's, over a plain socket."""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL

from tests.extensions.common.tls.pki import Issued
from tests.parity.peers import Peer

V12, V13 = SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION


def clientContext(
    oldest: int = V12,
    newest: int = V13,
    ciphers: str = "ECDHE+AESGCM:AES128-SHA",
    groups: str = "X25519:P-256",
    algorithms: str = "",
    certificate: Issued | None = None,
    protocols: tuple[bytes, ...] = (),
) -> SSL.Context:
    """What a client may speak."""
    library: Any = SSL._lib  # type: ignore[attr-defined]
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(oldest)
    context.set_max_proto_version(newest)
    context.set_cipher_list(ciphers.encode())
    pointer = context._context  # type: ignore[attr-defined]
    assert library.SSL_CTX_set1_curves_list(pointer, groups.encode())
    if algorithms:
        assert library.SSL_CTX_set1_sigalgs_list(pointer, algorithms.encode())
    if certificate is not None:
        context.use_certificate(certificate.certificate)
        context.use_privatekey(certificate.key)
    if protocols:
        context.set_alpn_protos(list(protocols))
    return context


class TLSPeer:
    """
    One connection.

    Attributes:
        seen: what was agreed on, or how it ended.
        session: to go on with.
    """

    def __init__(
        self,
        peer: Peer,
        context: SSL.Context | None = None,
        name: str = "server.test",
        staple: bool = False,
        session: SSL.Session | None = None,
    ) -> None:
        context = clientContext() if context is None else context
        self.peer = peer
        self.seen: dict[str, object] = {}
        self.session = session
        if staple:
            context.set_ocsp_client_callback(self._stapled)
        self._tls = connection = SSL.Connection(context)
        connection.set_connect_state()
        if name:
            connection.set_tlsext_host_name(name.encode())
        if staple:
            connection.request_ocsp()
        if session is not None:
            connection.set_session(session)

    def _stapled(self, connection: SSL.Connection, data: bytes, nothing: object) -> bool:
        self.seen["staple"] = len(data)
        return True

    def exchange(self, say: bytes = b"hello") -> dict[str, object]:
        """Shake hands, say something, hear it again, say good-bye; what was seen."""
        try:
            self.shake()
            self._tls.send(say)
            heard = b""
            while len(heard) < len(say):
                heard += self._ask(lambda: self._tls.recv(65536))
            self.seen["heard"] = heard
            self.session = self._tls.get_session()
            self._tls.shutdown()
            self._push()
        except (SSL.Error, OSError, EOFError):  # a reset may overtake an alert
            self.seen["failed"] = True
        self.peer.close()
        return self.seen

    def talk(self, say: bytes) -> bytes:
        """Say something; all that comes until the server ends it."""
        heard = b""
        try:
            self._tls.send(say)
            self._push()
            while True:
                heard += self._ask(lambda: self._tls.recv(65536))
        except (SSL.Error, OSError, EOFError):
            self.peer.close()
        return heard

    def shake(self) -> None:
        """Shake hands, unless that was done."""
        if "version" in self.seen:
            return
        self._ask(self._tls.do_handshake)
        library: Any = SSL._lib  # type: ignore[attr-defined]
        tls = self._tls
        leaf = tls.get_peer_certificate(as_cryptography=True)
        self.seen |= {
            "version": tls.get_protocol_version_name(),
            "cipher": tls.get_cipher_name() if tls.get_protocol_version() == V12 else "",
            "group": tls.get_group_name(),
            "subject": leaf.subject.rfc4514_string() if leaf is not None else "",
            "resumed": bool(library.SSL_session_reused(tls._ssl)),  # type: ignore[attr-defined]
            "protocol": tls.get_alpn_proto_negotiated(),
        }

    def _ask(self, step: Any) -> Any:
        while True:
            try:
                done = step()
            except SSL.WantReadError:
                self._push()
                data = self.peer.some()
                if not data:
                    raise EOFError from None
                self._tls.bio_write(data)
            else:
                self._push()
                return done

    def _push(self) -> None:
        try:
            while True:
                self.peer.send(self._tls.bio_read(65536))
        except SSL.WantReadError:
            pass
