"""What stands between an HTTP stream's encoder and who wants to know when it has room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_envoy.codec.http import IStreamEncoder

Post = Callable[[Callable[[], None]], None]
"""Runs a callable when the current event has ended."""


@implementer(IPushProducer)
class Drain:
    """Calls once the encoder has room for everything."""

    __slots__ = ("_call", "_waits")

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._waits = False

    def watch(self, encoder: IStreamEncoder) -> None:
        """Call at once, or when the encoder is empty again."""
        encoder.setBufferLimit(1)
        encoder.registerProducer(self)
        if not self._waits:
            self._call()

    def pauseProducing(self) -> None:
        self._waits = True

    def resumeProducing(self) -> None:
        if self._waits:
            self._waits = False
            self._call()

    def stopProducing(self) -> None:
        """The stream is told of its end by itself."""


@implementer(IPushProducer)
class Pulled:
    """A producer that must be asked each time, as one that need not."""

    __slots__ = ("_post", "_producer", "_running")

    def __init__(self, producer: Any, post: Post) -> None:
        self._producer = producer
        self._post = post
        self._running = False

    def resumeProducing(self) -> None:
        if not self._running:
            self._running = True
            self._post(self._pull)

    def _pull(self) -> None:
        if self._running:
            self._producer.resumeProducing()
            self._post(self._pull)

    def pauseProducing(self) -> None:
        self._running = False

    def stopProducing(self) -> None:
        self._running = False
        self._producer.stopProducing()
