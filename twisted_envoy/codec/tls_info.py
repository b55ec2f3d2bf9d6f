"""
What is known of a connection's TLS: versions, names, certificates.

All is read when somebody asks, also after the connection's end.

Envoy: Ssl::ConnectionInfo
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

_library: Any = SSL._lib  # type: ignore[attr-defined]
_cipherOf = _library.SSL_get_current_cipher
_versionOf = _library.SSL_version
_groupOf = getattr(_library, "SSL_get0_group_name", None)  # not before OpenSSL 3.0
_isResumed = _library.SSL_session_reused
_NULL: Any = SSL._ffi.NULL  # type: ignore[attr-defined]
_textAt = SSL._ffi.string  # type: ignore[attr-defined]

_CURVES = {
    "secp256r1": "ecdsa_secp256r1_sha256",
    "secp384r1": "ecdsa_secp384r1_sha384",
    "secp521r1": "ecdsa_secp521r1_sha512",
}
_SIGNATURES = ((RSAPublicKey, "rsa_pss_rsae_sha256"), (Ed25519PublicKey, "ed25519"))
_GROUPS = {
    "secp256r1": "P-256",
    "secp384r1": "P-384",
    "secp521r1": "P-521",
    "prime256v1": "P-256",
    "x25519": "X25519",
    "x25519mlkem768": "X25519MLKEM768",
}


_NO_PEER = (None,)


class TLSInfo:
    """
    Of one connection; most of it is known when the handshake is done, and read then.

    Args:
        connection: OpenSSL's.
        isTrusted: the peer's certificate was verified, or compared with what was asked for.
        isAsked: the peer was asked for a certificate; else it has shown none.

    Attributes:
        begun, done: seconds of the reactor's clock, around the handshake; set by who knows.
    """

    begun = 0.0
    done = 0.0

    def __init__(
        self, connection: SSL.Connection, isTrusted: bool = False, isAsked: bool = True
    ) -> None:
        self._connection = connection
        self._waiting: list[Callable[[], None]] | None = []
        self._peer: tuple[CertificateInfo | None] | None = None if isAsked else _NO_PEER
        self.isTrusted = isTrusted

    def whenOpen(self, call: Callable[[], None]) -> None:
        """Call when the handshake is done: at once when it is, never when it fails."""
        if self._waiting is None:
            call()
        else:
            self._waiting.append(call)

    def opened(self) -> None:
        """The handshake is done; for who makes it."""
        waiting, self._waiting = self._waiting, None
        for call in waiting or ():
            call()

    def failed(self) -> None:
        """There will be no handshake; for who makes it."""
        if self._waiting is not None:
            self._waiting = []

    @property
    def version(self) -> str:
        """`TLSv1.3`; what Envoy says before one is agreed on: `TLSv1.2`."""
        connection = self._connection
        return connection.get_protocol_version_name() if connection.get_cipher_name() else "TLSv1.2"

    @cached_property
    def cipher(self) -> str:
        """As OpenSSL names it."""
        return self._connection.get_cipher_name() or ""

    @cached_property
    def group(self) -> str:
        """Of the key exchange, as BoringSSL names it; "" when it is not known."""
        try:
            name = self._connection.get_group_name()
        except NotImplementedError:  # of an OpenSSL before 3.0
            name = None
        return _GROUPS.get(name.lower(), name) if name else ""

    @property
    def agreed(self) -> Hashable:
        """The same for connections with the same cipher, version, group, signature; if open."""
        ssl = self._connection._ssl
        group = _NULL if _groupOf is None else _groupOf(ssl)  # its text belongs to the context
        named = b"" if group == _NULL else _textAt(group)
        return (_cipherOf(ssl), _versionOf(ssl), named, self.signature)

    @cached_property
    def applicationProtocol(self) -> str:
        """What ALPN agreed on; "" for nothing."""
        return self._connection.get_alpn_proto_negotiated().decode("latin-1")

    @cached_property
    def serverName(self) -> str:
        """What the client asked for."""
        name = self._connection.get_servername()
        return name.decode("latin-1") if name else ""

    @cached_property
    def sessionID(self) -> str:
        """Hexadecimal; "" for a session without one, as all of TLS 1.3 are."""
        return "" if self.version == "TLSv1.3" else _sessionID(self._connection).hex()

    @property
    def isResumed(self) -> bool:
        """A session of before goes on."""
        return bool(_isResumed(self._connection._ssl))

    @property
    def signature(self) -> str:
        """
        What the peer signed the handshake with; "" without a certificate of its own, and where the
        key is what encrypts.

        OpenSSL's binding does not tell: it is the one that a key of that kind uses unless the
        peer was told to use another.
        """
        if self.peer is None or not (self.version == "TLSv1.3" or "DHE" in self.cipher):
            return ""
        return self.peer.signature

    @property
    def peer(self) -> CertificateInfo | None:
        """The peer's own certificate."""
        if self._peer is None:
            self._peer = (self._findPeer(),)
        return self._peer[0]

    def _findPeer(self) -> CertificateInfo | None:
        connection = self._connection
        found = connection.get_peer_certificate(as_cryptography=True)
        if found is None:
            found = next(iter(self._refused), None)
        return None if found is None else CertificateInfo(found)

    @property
    def _refused(self) -> tuple[x509.Certificate, ...]:
        """What the peer has shown in vain."""
        return getattr(self._connection.get_app_data(), "shown", ())

    @property
    def peerCertificatePresented(self) -> bool:
        """The peer has shown a certificate."""
        return self.peer is not None

    @property
    def peerCertificateValidated(self) -> bool:
        """And it leads to somebody who is trusted."""
        if self.peer is None or not self.isTrusted:
            return False
        verdict = self._connection.get_app_data()
        return not (getattr(verdict, "isTolerated", False) or self._refused)

    @cached_property
    def peerChain(self) -> tuple[CertificateInfo, ...]:
        """What the peer sent, its own first."""
        own = self.peer
        if own is None:
            return ()
        sent = self._connection.get_peer_cert_chain(as_cryptography=True) or self._refused
        return (own, *(CertificateInfo(each) for each in sent if each != own.certificate))

    @cached_property
    def issuer(self) -> CertificateInfo | None:
        """Who issued the peer's certificate, where that was verified."""
        if not self.peerCertificateValidated:
            return None
        chain = self._connection.get_verified_chain(as_cryptography=True) or []
        return CertificateInfo(chain[1]) if len(chain) > 1 else None

    @cached_property
    def local(self) -> CertificateInfo | None:
        """What this end shows."""
        found = self._connection.get_certificate(as_cryptography=True)
        return None if found is None else CertificateInfo(found)


def _sessionID(connection: Any) -> bytes:
    """Of the session's encoding it is the fourth part, behind versions and the cipher."""
    ffi: Any = SSL._ffi  # type: ignore[attr-defined]
    session = _library.SSL_get_session(connection._ssl)
    if session == ffi.NULL:
        return b""
    size = _library.i2d_SSL_SESSION(session, ffi.NULL)
    if size <= 0:
        return b""
    memory = ffi.new("unsigned char[]", size)
    _library.i2d_SSL_SESSION(session, ffi.new("unsigned char **", memory))
    encoded = bytes(ffi.buffer(memory, size))
    at = 2 + (encoded[1] & 0x7F if encoded[1] & 0x80 else 0)
    for _ in range(3):
        at += 2 + encoded[at + 1]
    return encoded[at + 2 : at + 2 + encoded[at + 1]]


class CertificateInfo:
    """
    What a certificate says, as Envoy writes it.

    Args:
        certificate: the certificate.
    """

    def __init__(self, certificate: x509.Certificate) -> None:
        self.certificate = certificate

    @cached_property
    def subject(self) -> str:
        """As RFC 2253 has it."""
        return self.certificate.subject.rfc4514_string()

    @cached_property
    def issuer(self) -> str:
        """As RFC 2253 has it."""
        return self.certificate.issuer.rfc4514_string()

    @cached_property
    def serial(self) -> str:
        """Hexadecimal, whole bytes."""
        text = f"{self.certificate.serial_number:x}"
        return text.zfill(len(text) + len(text) % 2)

    @cached_property
    def sha256(self) -> str:
        """Of all of it, hexadecimal."""
        return self.certificate.fingerprint(SHA256()).hex()

    @cached_property
    def sha1(self) -> str:
        """Of all of it, hexadecimal."""
        return self.certificate.fingerprint(SHA1()).hex()

    @cached_property
    def encoded(self) -> str:
        """The PEM text, percent-encoded."""
        return quote(self.certificate.public_bytes(Encoding.PEM).decode("ascii"), safe="")

    @property
    def begins(self) -> float:
        """When it becomes valid, seconds since 1970."""
        return self.certificate.not_valid_before_utc.timestamp()

    @property
    def ends(self) -> float:
        """When it expires, seconds since 1970."""
        return self.certificate.not_valid_after_utc.timestamp()

    @cached_property
    def maySign(self) -> bool:
        """Unless it has an RSA key and says that this is for other things."""
        if not isinstance(self.certificate.public_key(), RSAPublicKey):
            return True
        try:
            usage = self.certificate.extensions.get_extension_for_class(x509.KeyUsage)
        except (x509.ExtensionNotFound, ValueError):
            return True
        return usage.value.digital_signature

    @cached_property
    def signature(self) -> str:
        """The algorithm that its key signs handshakes with, as TLS 1.3 names it."""
        key = self.certificate.public_key()
        if isinstance(key, EllipticCurvePublicKey):
            return _CURVES.get(key.curve.name, "")
        return next((name for kind, name in _SIGNATURES if isinstance(key, kind)), "")

    def names(self, kind: str = "", identifier: str = "") -> list[str]:
        """
        Its alternative names in order.

        Args:
            kind: `DNS`, `URI`, `EMAIL`, `IP_ADDRESS`, `OTHER_NAME`; "" for all.
            identifier: only other names of this type; "" for all.
        """
        try:
            extension = self.certificate.extensions.get_extension_for_class(
                x509.SubjectAlternativeName
            )
        except (x509.ExtensionNotFound, ValueError):
            return []
        wanted = _KINDS[kind]
        found = [name for name in extension.value if isinstance(name, wanted)]
        if identifier:
            found = [name for name in found if name.type_id.dotted_string == identifier]
        return [_text(name) for name in found]


_KINDS: dict[str, type[Any]] = {
    "": x509.GeneralName,
    "EMAIL": x509.RFC822Name,
    "DNS": x509.DNSName,
    "URI": x509.UniformResourceIdentifier,
    "IP_ADDRESS": x509.IPAddress,
    "OTHER_NAME": x509.OtherName,
}


def _text(name: x509.GeneralName) -> str:
    if isinstance(name, x509.OtherName):
        return name.value[2:].decode("utf-8", "replace")  # behind the type and length of a string
    return str(name.value)
