"""Why a private key cannot be had, in the words that BoringSSL leaves in Envoy's errors."""

from __future__ import annotations

from typing import Any

_PEM = "PEM routines:OPENSSL_internal:"


def causeOf(data: bytes, problem: Exception) -> str:
    """
    What is wrong with a key's PEM text.

    Args:
        problem: what the cryptography library says.
    """
    if isinstance(problem, TypeError):  # encrypted, and nobody said the password
        return f"error:09000068:{_PEM}BAD_PASSWORD_READ"
    if "ncorrect password" in str(problem):
        return "error:1e000065:Cipher functions:OPENSSL_internal:BAD_DECRYPT"
    if b"-----BEGIN " not in data:
        return f"error:0900006e:{_PEM}NO_START_LINE"
    if b"-----END " not in data:
        return f"error:09000066:{_PEM}BAD_END_LINE"
    return str(problem)


def mismatchOf(certified: Any, own: Any) -> str:
    """Why a certificate's public key is not that of a private key."""
    number, reason = (
        ("0b000074", "KEY_VALUES_MISMATCH")
        if type(certified) is type(own)
        else ("0b000073", "KEY_TYPE_MISMATCH")
    )
    return f"error:{number}:X.509 certificate routines:OPENSSL_internal:{reason}"
