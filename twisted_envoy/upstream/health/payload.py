"""
What a check sends and waits for: bytes, and parts that must come in this order.

Envoy: PayloadMatcher
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


def matches(expected: Sequence[bytes], data: bytes) -> bool:
    """Are all parts in data, one behind the other?"""
    at = 0
    for part in expected:
        found = data.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


def readPayload(config: View) -> bytes:
    """
    The bytes of a HealthCheck.Payload, whose text is hexadecimal.

    Raises:
        ConfigError: it is not.
    """
    if config.which("payload") == "binary":
        binary: bytes = config.binary
        return binary
    text: str = config.text
    try:
        if " " in text:
            raise ValueError(text)
        return bytes.fromhex(text)
    except ValueError:
        raise config.error(f"invalid hex string '{text}'", "text") from None
