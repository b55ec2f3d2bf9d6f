"""
What is known of a connection's TLS: versions, names, certificates.

All is read when somebody asks, also after the connection's end.

Envoy: Ssl::ConnectionInfo
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

_GROUPS = {
    "secp256r1": "P-256",
    "secp384r1": "P-384",
    "secp521r1": "P-521",
    "prime256v1": "P-256",
    "x25519": "X25519",
    "x25519mlkem768": "X25519MLKEM768",
}


class TLSInfo:
    """
    Of one connection whose handshake is done.

    Args:
        connection: OpenSSL's.
        isTrusted: the peer's certificate was verified.

    Attributes:
        begun, done: seconds of the reactor's clock, around the handshake; set by who knows.
    """

    begun = 0.0
    done = 0.0

    def __init__(self, connection: SSL.Connection, isTrusted: bool = False) -> None:
        self._connection = connection
        self.isTrusted = isTrusted

    @cached_property
    def version(self) -> str:
        """`TLSv1.3`."""
        return self._connection.get_protocol_version_name()

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
    def isResumed(self) -> bool:
        """A session of before goes on."""
        library: Any = SSL._lib  # type: ignore[attr-defined]
        return bool(library.SSL_session_reused(self._connection._ssl))

    @cached_property
    def peerCertificate(self) -> x509.Certificate | None:
        """The peer's own certificate."""
        return self._connection.get_peer_certificate(as_cryptography=True)

    @cached_property
    def peerChain(self) -> tuple[x509.Certificate, ...]:
        """What the peer sent, its own first."""
        own = self.peerCertificate
        if own is None:
            return ()
        sent = self._connection.get_peer_cert_chain(as_cryptography=True) or []
        return (own, *(each for each in sent if each != own))

    @cached_property
    def localCertificate(self) -> x509.Certificate | None:
        """What this end shows."""
        return self._connection.get_certificate(as_cryptography=True)


def subjectOf(certificate: x509.Certificate) -> str:
    """The subject as RFC 2253 has it."""
    return certificate.subject.rfc4514_string()


def issuerOf(certificate: x509.Certificate) -> str:
    """The issuer as RFC 2253 has it."""
    return certificate.issuer.rfc4514_string()


def serialOf(certificate: x509.Certificate) -> str:
    """The serial number, hexadecimal, whole bytes."""
    text = f"{certificate.serial_number:x}"
    return text.zfill(len(text) + len(text) % 2)


def fingerprintOf(certificate: x509.Certificate, old: bool = False) -> str:
    """SHA-256 (or SHA-1) of the certificate, hexadecimal."""
    return certificate.fingerprint(SHA1() if old else SHA256()).hex()


def pemOf(certificate: x509.Certificate) -> str:
    """The certificate as a PEM text."""
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def sansOf(certificate: x509.Certificate, kind: type[x509.GeneralName]) -> list[str]:
    """Its alternative names of one kind, in order."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [_text(name) for name in extension.value if isinstance(name, kind)]


def allSANsOf(certificate: x509.Certificate) -> list[str]:
    """All that have a text, in order."""
    return sansOf(certificate, x509.GeneralName)  # type: ignore[type-abstract]


def _text(name: x509.GeneralName) -> str:
    if isinstance(name, x509.OtherName):
        return name.value[2:].decode("utf-8", "replace")  # behind the type and length of a string
    return str(name.value)
