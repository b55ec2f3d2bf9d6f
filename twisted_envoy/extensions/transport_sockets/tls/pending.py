"""What is written before a handshake is done."""

from __future__ import annotations

from typing import Any

_LIMIT = 64 * 1024
"""Bytes that may be kept, when nobody says a limit."""


class PendingWrites:
    """
    Bytes that wait, bounded by pausing who produces them.

    Attributes:
        size: bytes. limit: above it a producer is paused.
        producer: who is paused, None when nobody is.
    """

    __slots__ = ("_chunks", "limit", "producer", "size")

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self.size = 0
        self.limit = _LIMIT
        self.producer: Any = None

    def add(self, data: bytes, producer: Any) -> None:
        """
        Keep a chunk.

        Args:
            producer: a push producer, or None.
        """
        self._chunks.append(data)
        self.size += len(data)
        self.check(producer)

    def check(self, producer: Any) -> None:
        """Pause it when there is too much, once."""
        if self.size > self.limit and producer is not None and self.producer is None:
            self.producer = producer
            producer.pauseProducing()

    def take(self) -> bytes:
        """All of them, which are kept no more."""
        data = b"".join(self._chunks)
        self.drop()
        return data

    def drop(self) -> None:
        """Forget them."""
        self._chunks.clear()
        self.size = 0
