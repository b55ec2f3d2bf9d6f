"""A response that goes out slowly."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.filters.http.fault.slow_response import SlowResponse


class Filter:
    """Stands for the fault filter and its stream; writes down what is let pass."""

    def __init__(self) -> None:
        self.stream = self
        self.said: list[Any] = []

    def holdEncode(self) -> None:
        self.said.append("hold")

    def releaseEncode(self) -> None:
        self.said.append("all")

    def releaseEncodeSome(self, filter: Any, size: int) -> None:
        self.said.append(size)


class SlowResponseTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.filter = Filter()
        self.slow = SlowResponse(self.filter, 1, self.clock)  # type: ignore[arg-type]

    def test_slices(self) -> None:
        """One at once, then one each 50 ms, the rest with the last."""
        self.slow.dataCame(120)
        self.clock.advance(0)
        self.clock.pump([0.051] * 4)
        self.assertEqual(self.filter.said, ["hold", 51, 51, "all"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_saved(self) -> None:
        """A pause lets more go at once, but never more than of a second."""
        self.slow.dataCame(10)
        self.clock.advance(0)
        self.clock.advance(100)
        self.slow.dataCame(2000)
        self.clock.advance(0)
        self.assertEqual(self.filter.said, ["hold", "all", "hold", 20 * 51])

    def test_stop(self) -> None:
        """Nothing more passes; stopping again changes nothing."""
        self.slow.dataCame(10)
        self.slow.stop()
        self.slow.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
