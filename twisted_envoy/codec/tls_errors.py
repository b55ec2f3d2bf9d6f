"""
Why TLS failed, in the words of Envoy's logs.

Envoy's BoringSSL prints `|<number>:SSL routines:OPENSSL_internal:<REASON>`; what OpenSSL says is
told in the same form, with the numbers of the reasons that both know.

Envoy: SslSocket::drainErrorQueue
"""

from __future__ import annotations

from collections.abc import Iterable

_SSL = 16 << 24
"""BoringSSL's number of the library `SSL routines`, where a packed error keeps it."""
_REASONS = {
    "BAD_DECRYPT": 101,
    "BAD_ECPOINT": 108,
    "CONNECTION_REJECTED": 133,
    "CERTIFICATE_VERIFY_FAILED": 125,
    "DECODE_ERROR": 137,
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": 139,
    "ENCRYPTED_LENGTH_TOO_LONG": 146,
    "EXCESSIVE_MESSAGE_SIZE": 150,
    "HANDSHAKE_FAILURE_ON_CLIENT_HELLO": 154,
    "HTTPS_PROXY_REQUEST": 155,
    "HTTP_REQUEST": 156,
    "KEY_USAGE_BIT_INCORRECT": 302,
    "NO_APPLICATION_PROTOCOL": 307,
    "NO_RENEGOTIATION": 182,
    "NO_SHARED_CIPHER": 184,
    "NO_SHARED_GROUP": 266,
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": 192,
    "TOO_MANY_EMPTY_FRAGMENTS": 219,
    "UNEXPECTED_MESSAGE": 223,
    "UNEXPECTED_RECORD": 225,
    "UNSUPPORTED_PROTOCOL": 240,
    "WRONG_VERSION_NUMBER": 247,
    "NO_COMMON_SIGNATURE_ALGORITHMS": 253,
}
_OTHER_WORDS = {
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "NO_COMMON_SIGNATURE_ALGORITHMS",
    "NO_SHARED_SIGNATURE_ALGORITHMS": "NO_COMMON_SIGNATURE_ALGORITHMS",
    "DATA_LENGTH_TOO_LONG": "ENCRYPTED_LENGTH_TOO_LONG",
    "PACKET_LENGTH_TOO_LONG": "ENCRYPTED_LENGTH_TOO_LONG",
    "VERSION_TOO_LOW": "UNSUPPORTED_PROTOCOL",
    "NO_CIPHERS_AVAILABLE": "NO_SHARED_CIPHER",
    "NO_SUITABLE_KEY_SHARE": "NO_SHARED_GROUP",
    "BAD_RECORD_TYPE": "WRONG_VERSION_NUMBER",
    "RECORD_TOO_SMALL": "TOO_MANY_EMPTY_FRAGMENTS",
}
"""What OpenSSL calls otherwise."""
_UNSAID = frozenset({"EVP_LIB", "RECORD_LAYER_FAILURE"})
"""What OpenSSL says besides."""
_ALERTS = {
    "UNEXPECTED_MESSAGE": 10,
    "BAD_RECORD_MAC": 20,
    "RECORD_OVERFLOW": 22,
    "HANDSHAKE_FAILURE": 40,
    "NO_CERTIFICATE": 41,
    "BAD_CERTIFICATE": 42,
    "UNSUPPORTED_CERTIFICATE": 43,
    "CERTIFICATE_REVOKED": 44,
    "CERTIFICATE_EXPIRED": 45,
    "CERTIFICATE_UNKNOWN": 46,
    "ILLEGAL_PARAMETER": 47,
    "UNKNOWN_CA": 48,
    "ACCESS_DENIED": 49,
    "DECODE_ERROR": 50,
    "DECRYPT_ERROR": 51,
    "PROTOCOL_VERSION": 70,
    "INSUFFICIENT_SECURITY": 71,
    "INTERNAL_ERROR": 80,
    "USER_CANCELLED": 90,
    "NO_RENEGOTIATION": 100,
    "UNSUPPORTED_EXTENSION": 110,
    "UNRECOGNIZED_NAME": 112,
    "CERTIFICATE_REQUIRED": 116,
    "NO_APPLICATION_PROTOCOL": 120,
}
_OF_SSL3 = frozenset(
    {
        *("UNEXPECTED_MESSAGE", "BAD_RECORD_MAC", "HANDSHAKE_FAILURE", "NO_CERTIFICATE"),
        *("BAD_CERTIFICATE", "UNSUPPORTED_CERTIFICATE", "CERTIFICATE_REVOKED"),
        *("CERTIFICATE_EXPIRED", "CERTIFICATE_UNKNOWN", "ILLEGAL_PARAMETER"),
    }
)


_RESET = (
    "TLS_error:|33554536:system_library:OPENSSL_internal:Connection_reset_by_peer:TLS_error_end"
)


class TLSProblem(Exception):
    """
    A TLS connection that cannot go on.

    Args:
        reasons: as Envoy spells them: `CERTIFICATE_VERIFY_FAILED`.
        details: more about a certificate that was refused.

    Attributes:
        transportFailureReason: for logs.
    """

    def __init__(self, reasons: tuple[str, ...], details: str = "") -> None:
        super().__init__(reasons, details)
        self.reasons = reasons
        self.details = details

    @property
    def isAlert(self) -> bool:
        """The peer has said that it ends."""
        return bool(self.reasons) and all("_ALERT_" in reason for reason in self.reasons)

    @property
    def transportFailureReason(self) -> str:
        """`TLS_error:|...:TLS_error_end`, without blanks."""
        errors = "".join(
            f"|{_number(reason)}:SSL_routines:OPENSSL_internal:{reason}" for reason in self.reasons
        )
        details = f":{self.details}" if self.details else ""
        return f"TLS_error:{errors}{details}:TLS_error_end".replace(" ", "_")

    def __str__(self) -> str:
        return self.transportFailureReason


class TLSTruncated(TLSProblem):
    """
    The peer went away in the middle of the handshake; nobody has said anything about TLS.

    Args:
        wasReset: it did not end in good order.
    """

    def __init__(self, wasReset: bool = False) -> None:
        super().__init__(())
        self.wasReset = wasReset

    @property
    def transportFailureReason(self) -> str:
        return _RESET if self.wasReset else ""


def problemOf(errors: Iterable[tuple[str, ...]], details: str = "") -> TLSProblem:
    """
    The problem that OpenSSL's queue of errors tells.

    Args:
        errors: (library, function, reason) each, the oldest first.
        details: see TLSProblem.
    """
    found = list(errors)
    of = [error for error in found if error[0] == "SSL routines"] or found
    names = [_reason(error[-1]) for error in of]
    reasons = tuple(name for name in names if name not in _UNSAID) or tuple(names)
    if "PEER_DID_NOT_RETURN_A_CERTIFICATE" in reasons:
        details = "peer did not provide required client certificate"
    return TLSProblem(reasons or ("INTERNAL_ERROR",), details)


def _reason(text: str) -> str:
    name = text.upper().replace(" ", "_")
    _, isAlert, alert = name.partition("_ALERT_")
    if isAlert:
        return f"{'SSLV3' if alert in _OF_SSL3 else 'TLSV1'}_ALERT_{alert}"
    return _OTHER_WORDS.get(name, name)


def _number(reason: str) -> int:
    _, isAlert, alert = reason.partition("_ALERT_")
    if isAlert:
        return _SSL + 1000 + _ALERTS.get(alert, 0)
    return _SSL + _REASONS.get(reason, 0)
