"""PING keepalive: when it asks, and what it takes for an answer."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.support import Pair
from twisted_envoy.codec.settings import Keepalive
from twisted_envoy.http.h2_stats import HTTP2Stats
from twisted_envoy.http.keepalive import PingKeepalive
from twisted_envoy.stats.scope import Store


class Half:
    """A random that is not."""

    def random(self) -> float:
        return 0.5


class Codec:
    """Counts PINGs."""

    def __init__(self) -> None:
        self.pingAcked = None
        self.activity = 0
        self.pings: list[bytes] = []

    def sendPing(self, opaque: bytes) -> None:
        self.pings.append(opaque)


class KeepaliveTests(SynchronousTestCase):
    """One connection's keepalive on a clock."""

    def start(self, settings: Keepalive) -> PingKeepalive:
        self.clock = Clock()
        self.codec = Codec()
        self.deaths = 0
        self.stats = HTTP2Stats(Store().scope("http2."))
        keepalive = PingKeepalive(
            self.codec,
            settings,
            self.clock,
            Half(),
            self.stats,
            self.died,  # type: ignore[arg-type]
        )
        keepalive.start()
        return keepalive

    def died(self) -> None:
        self.deaths += 1

    def test_pingsAtIntervals(self) -> None:
        """After each answer the next PING waits for the interval and its jitter."""
        self.start(Keepalive(1.0, interval=10.0, jitter=0.2))

        self.clock.advance(10.9)
        self.assertEqual(self.codec.pings, [])
        self.clock.advance(0.2)
        self.assertEqual(len(self.codec.pings), 1)
        self.codec.pingAcked(self.codec.pings[0])
        self.clock.advance(11.1)

        self.assertEqual(len(set(self.codec.pings)), 2)
        self.assertEqual(self.deaths, 0)

    def test_noAnswer(self) -> None:
        """The time-out runs out: counted, told once, and no more timers."""
        self.start(Keepalive(1.0, interval=10.0, jitter=0.0))

        self.clock.pump([10.0, 1.0, 50.0])

        self.assertEqual(self.deaths, 1)
        self.assertEqual(self.stats.keepalive_timeout.value, 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_otherBytesPutItOff(self) -> None:
        """What comes while a PING is out is a sign of life; silence after it is not."""
        self.start(Keepalive(1.0, interval=10.0, jitter=0.0))

        self.clock.advance(10.0)
        self.codec.activity = 100
        self.clock.advance(1.0)
        self.assertEqual(self.deaths, 0)
        self.clock.advance(1.0)

        self.assertEqual(self.deaths, 1)

    def test_anotherAckIsNone(self) -> None:
        """Only the ACK of the PING that is out counts."""
        self.start(Keepalive(1.0, interval=10.0, jitter=0.0))

        self.codec.pingAcked(bytes(8))
        self.clock.advance(10.0)
        self.codec.pingAcked(b"\xff" * 8)
        self.clock.advance(1.0)

        self.assertEqual(self.deaths, 1)

    def test_beforeAStream(self) -> None:
        """With idleInterval a stream after silence is preceded by one PING."""
        keepalive = self.start(Keepalive(1.0, idleInterval=5.0))

        keepalive.streamBegins()
        self.clock.advance(4.0)
        keepalive.received()
        self.clock.advance(4.0)
        keepalive.streamBegins()
        self.assertEqual(self.codec.pings, [])
        self.clock.advance(1.0)
        keepalive.streamBegins()
        keepalive.streamBegins()

        self.assertEqual(len(self.codec.pings), 1)
        self.codec.pingAcked(self.codec.pings[0])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_idlePingTakesThePlaceOfTheNext(self) -> None:
        """One PING is out at a time, and one timer runs."""
        keepalive = self.start(Keepalive(1.0, interval=10.0, jitter=0.0, idleInterval=5.0))

        self.clock.advance(6.0)
        keepalive.streamBegins()

        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_stop(self) -> None:
        """Nothing is left behind, whatever was running."""
        keepalive = self.start(Keepalive(1.0, interval=10.0))
        keepalive.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

        keepalive = self.start(Keepalive(1.0, interval=10.0, jitter=0.0))
        self.clock.advance(10.0)
        keepalive.stop()
        keepalive.stop()

        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIsNone(self.codec.pingAcked)

    def test_withACodec(self) -> None:
        """A peer that is there answers; both sides of HTTP/2 can ask."""
        pair = Pair()
        pair.settle()
        for side in (pair.client, pair.server):
            clock = Clock()
            keepalive = PingKeepalive(
                side.codec, Keepalive(1.0, 5.0, 0.0), clock, Half(), side.stats, self.fail
            )
            keepalive.start()
            for _ in range(3):
                clock.advance(5.0)
                pair.settle()
                self.assertEqual(len(clock.getDelayedCalls()), 1)
            keepalive.stop()
