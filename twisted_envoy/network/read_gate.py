"""Whether a connection is read: shut while there is any reason to, open when there is none."""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_envoy.stats.metrics import Counter

CONNECTING = 1
"""The other side is not there yet."""
PEER_FULL = 2
"""The other side takes no more bytes for now."""
HELD_FULL = 4
"""A link holds more than the buffer limit."""
FILTER = 8
"""A filter said so; shifted left by the filter's place, so that each has its own. Must be last."""


@implementer(IPushProducer)
class ReadGate:
    """
    Counts reasons not to read; the first pauses the producer below, the last one's end resumes it.

    It is itself what is registered as producer with the consumer that the read bytes go to.

    Args:
        producer: the transport that is read; an IPushProducer.

    Attributes:
        paused, resumed: count how often the consumer did so; None for nobody.
    """

    __slots__ = ("_producer", "paused", "reasons", "resumed")

    def __init__(self, producer: IPushProducer) -> None:
        self._producer = producer
        self.reasons = 0
        self.paused: Counter | None = None
        self.resumed: Counter | None = None

    def shut(self, reason: int) -> None:
        """Stop reading for this reason; the same reason twice is one."""
        before = self.reasons
        self.reasons = before | reason
        if not before:
            self._producer.pauseProducing()

    def open(self, reason: int) -> None:
        """This reason is over."""
        before = self.reasons
        if before & reason:
            self.reasons = before & ~reason
            if not self.reasons:
                self._producer.resumeProducing()

    def pauseProducing(self) -> None:
        if self.paused is not None:
            self.paused.value += 1
        self.shut(PEER_FULL)

    def resumeProducing(self) -> None:
        if self.resumed is not None:
            self.resumed.value += 1
        self.open(PEER_FULL)

    def stopProducing(self) -> None:
        """The consumer is gone; its owner hears of that as a lost connection."""
