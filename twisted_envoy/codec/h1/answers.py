"""
Heads of answers that come again, on any of a cluster's connections.

    a head comes     it is
    the first time   parsed, and its bytes are kept
    once more        parsed again, and kept: who takes it copies its headers
    later            what was kept

Servers tell the time in their heads, so that all of them are new each second; a cluster learns
them once, not once a connection.
"""

from __future__ import annotations

from twisted_envoy.codec.h1.response import ResponseHead, parseResponse
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

_MOST = 64

Asked = tuple[bytes, bool]
"""The method of a request, and whether it asks for an upgrade."""


class KnownAnswers:
    """
    Of connections with the same settings.

    Args:
        settings, limits: theirs.
    """

    __slots__ = ("_heads", "_limits", "_settings")

    def __init__(self, settings: HTTP1Settings, limits: HeaderLimits) -> None:
        self._settings = settings
        self._limits = limits
        self._heads: dict[tuple[Asked, bytes], ResponseHead | None] = {}

    def find(self, asked: Asked, block: bytes, lines: list[bytes]) -> ResponseHead | None:
        """
        What a head says that has no fault; None if it has not come before.

        Args:
            asked: for what. block: the head; not longer than is allowed. lines: of it.
        """
        heads = self._heads
        key = asked, block
        if key not in heads:
            if len(heads) >= _MOST:
                heads.clear()
            heads[key] = None
            return None
        head = heads[key]
        if head is None:
            head = parseResponse(lines, len(block), asked, self._settings, self._limits)
            heads[key] = head
        return head
