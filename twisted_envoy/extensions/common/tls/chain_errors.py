"""
What is wrong with a chain of certificates, in Envoy's words.

Envoy: Extensions::TransportSockets::Tls::Utility::getX509VerificationErrorInfo
"""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL

_OTHER_WORDS = {
    9: "certificate is not yet valid",
    18: "self signed certificate",
    19: "self signed certificate in certificate chain",
    22: "unable to get local issuer certificate",
    26: "unsupported certificate purpose",
    79: "invalid CA certificate",
}
"""What OpenSSL says otherwise: codes of X509_V_ERR_*."""
_OF_LISTS = frozenset({3, 5, 8, 11, 12, 15, 16, 23, 33, 35, 36, 44, 54})
"""What is wrong with a CRL, or what it says."""


def wordsOf(code: int) -> str:
    """
    Tell what a verification error means.

    Args:
        code: OpenSSL's.
    """
    text = _OTHER_WORDS.get(code)
    if text is None:
        library: Any = SSL._lib  # type: ignore[attr-defined]
        ffi: Any = SSL._ffi  # type: ignore[attr-defined]
        text = ffi.string(library.X509_verify_cert_error_string(code)).decode()
    if code in _OF_LISTS:
        return f"certificate revocation check against provided CRLs failed: {text}"
    return text
