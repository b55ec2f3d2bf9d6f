"""
What both sides of an HTTP/1.1 connection have in common: one stream at a time, back-pressure, and
nothing to say before a close.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IPushProducer

from twisted_envoy.codec.h1.body import ChunkedBody, RawBody
from twisted_envoy.codec.h1.memo import HeadMemo
from twisted_envoy.codec.http import CodecOutput, IStreamDecoder
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

MOST_REMEMBERED = 4096
"""Bytes of a head that is kept to be compared with the next one."""


class H1Codec:
    """
    The half of a codec that does not depend on the side; the other is its subclass.

    Args:
        output: takes what is sent.
        reading: paused while no more bytes are wanted.
        heads: the memo of what is sent; many codecs may share one.

    Attributes:
        full: the transport takes no more. held: bytes that wait.
        isDead: nothing more is read, after an error or a reset.
        isPlain: names are sent in lower case, whatever they were.
    """

    __slots__ = (
        *("_body", "_count", "_decoder", "_left", "_limits", "_paused"),
        *("_reading", "_scanned", "_seen", "_seenHead", "_stream"),
        *("full", "heads", "held", "isDead", "isPlain", "output", "protocol", "settings"),
    )

    def __init__(
        self,
        output: CodecOutput,
        settings: HTTP1Settings,
        limits: HeaderLimits,
        reading: IPushProducer,
        heads: HeadMemo,
    ) -> None:
        self.output = output
        self.settings = settings
        self.isPlain = settings.headerCase == "lower"
        self.protocol = "HTTP/1.1"
        self.full = False
        self.heads = heads
        self._limits = limits
        self._reading = reading
        self._stream: Any = None
        self._decoder: IStreamDecoder
        self._body: ChunkedBody | RawBody | None = None
        self._left = 0  # bytes that are missing of a body of a known length
        self.held = b""
        self._scanned = 0
        self._count = 0
        self._paused = 0
        self.isDead = False
        self._seen: bytes | None = None
        self._seenHead: Any = None

    def _die(self) -> None:
        """Nothing that comes is for anybody."""
        self.isDead = True
        self.held = b""
        self._body = None
        self._left = 0

    # What the stream tells.

    def streamEnded(self, stream: Any) -> None:
        """Both its directions have ended."""
        raise NotImplementedError

    def decodedBy(self, stream: Any, decoder: IStreamDecoder) -> None:
        """See H1Stream."""
        if self._stream is stream:
            self._decoder = decoder

    def streamReset(self) -> None:
        """The owner gave up the stream; the connection is of no use."""
        self._die()
        self._stream = None
        del self._decoder

    def pauseReading(self, paused: bool) -> None:
        """One reason more, or less, not to read."""
        self._paused += 1 if paused else -1
        if paused and self._paused == 1:
            self._reading.pauseProducing()
        elif not self._paused:
            self._reading.resumeProducing()

    # What the owner tells.

    def pauseProducing(self) -> None:
        """The transport is full."""
        self.full = True
        if self._stream is not None:
            self._stream.pauseProducer(True)

    def resumeProducing(self) -> None:
        """It is not any more."""
        self.full = False
        if self._stream is not None:
            self._stream.pauseProducer(False)

    def stopProducing(self) -> None:
        """The transport is gone; connectionLost says so, too."""

    def shutdownNotice(self) -> None:
        """Nothing is said."""

    def goAway(self) -> None:
        """Nothing is said; a server's owner says `connection: close`."""
