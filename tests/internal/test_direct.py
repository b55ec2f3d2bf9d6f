"""Tests for twisted_envoy.internal.direct, and for what transports know of shorter ways."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.internal.support import Pull, Push, Recorder, World
from twisted_envoy.internal.direct import Direct


class Raising(Recorder):
    """Takes nothing."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        raise ValueError("no")


class Answering(Recorder):
    """Answers at once, and ends."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.transport.write(b"answer")
        self.transport.loseConnection()


class Waiting(Pull):
    """Has nothing to write, yet."""

    def resumeProducing(self) -> None:
        self.calls += 1


class DirectTestCase(SynchronousTestCase):
    """Two ends that are connected; ours has a short way."""

    def begin(self, them: Recorder | None = None) -> None:
        self.world = World(1024)
        self.us = Recorder()
        self.them = them or Recorder()
        self.world.join(self.us, self.them)
        self.direct = Direct(self.us.transport)

    def assertWaits(self, data: bytes = b"data") -> None:
        """It has to be written."""
        before = list(self.them.events)
        self.assertFalse(self.direct.give(data))
        self.assertEqual(self.them.events, before)


class GiveTests(DirectTestCase):
    """What is given at once, and what has to wait."""

    def setUp(self) -> None:
        self.begin()

    def test_atOnce(self) -> None:
        self.assertTrue(self.direct.give(b"data"))

        self.assertEqual(self.them.received, b"data")

    def test_onceATurn(self) -> None:
        """The second time it waits, and so does all that comes behind it."""
        self.direct.give(b"1")
        self.assertWaits(b"2")
        self.us.transport.write(b"2")
        self.assertWaits(b"3")
        self.us.transport.write(b"3")
        self.world.pump()
        self.assertTrue(self.direct.give(b"4"))

        self.assertEqual(self.them.received, b"1234")

    def test_behindWhatWaits(self) -> None:
        self.us.transport.write(b"1")

        self.assertWaits(b"2")

    def test_readerThatPauses(self) -> None:
        self.them.transport.pauseProducing()
        self.assertWaits()
        self.them.transport.resumeProducing()

        self.assertTrue(self.direct.give(b"data"))

    def test_ends(self) -> None:
        """Not behind an end of stream, a close or a loss, whoever asked for it."""
        for how in ("loseWriteConnection", "loseConnection", "abortConnection"):
            for ours in (True, False):
                self.begin()
                getattr((self.us if ours else self.them).transport, how)()
                self.assertWaits()
                self.world.pump()
                self.assertWaits()

    def test_tooMuchForTheProducer(self) -> None:
        """What would pause a producer is written, and pauses it."""
        self.us.transport.registerProducer(Push(), True)

        self.assertTrue(self.direct.give(b"x" * 1024))
        self.us.transport.write(b"")
        self.assertWaits(b"x" * 1025)

    def test_producersThatWait(self) -> None:
        """A pull producer is asked for more when its bytes are taken."""
        self.us.transport.registerProducer(Waiting(self.us.transport, []), False)

        self.assertWaits()


class CallbackTests(DirectTestCase):
    """What the reader does."""

    def test_raises(self) -> None:
        """As ever: its connection ends, and nothing else does."""
        self.begin(Raising())

        self.assertTrue(self.direct.give(b"data"))
        self.assertEqual(self.them.ends, [])
        self.world.pump()

        self.assertEqual((self.us.ends, self.them.ends), (["ConnectionLost"], ["ValueError"]))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_itsVerbs(self) -> None:
        """They take effect when the event has ended."""
        self.begin(Answering())

        self.direct.give(b"data")
        self.assertEqual((self.us.events, self.them.ends), (["made"], []))
        self.world.pump()

        self.assertEqual((self.us.received, self.us.ends), (b"answer", ["ConnectionDone"]))
        self.assertEqual(self.them.ends, ["ConnectionDone"])


class AwaitsTests(DirectTestCase):
    """Whether a reader would be given bytes at once."""

    def setUp(self) -> None:
        self.begin()
        self.reader = self.them.dataReceived
        self.them.dataReceived = self.reader  # type: ignore[method-assign]

    def awaits(self, size: int = 4) -> bool:
        return self.them.transport.awaits(self.reader, size)

    def test_itsReader(self) -> None:
        self.assertTrue(self.awaits())
        self.them.dataReceived = list.append  # type: ignore

        self.assertFalse(self.awaits())

    def test_bytesBefore(self) -> None:
        self.us.transport.write(b"1")
        self.assertFalse(self.awaits())
        self.world.pump()

        self.assertTrue(self.awaits())

    def test_pauses(self) -> None:
        self.them.transport.pauseProducing()

        self.assertFalse(self.awaits())

    def test_tooMuch(self) -> None:
        self.us.transport.registerProducer(Push(), True)

        self.assertEqual((self.awaits(1024), self.awaits(1025)), (True, False))

    def test_producersThatWait(self) -> None:
        self.us.transport.registerProducer(Waiting(self.us.transport, []), False)

        self.assertFalse(self.awaits())

    def test_ends(self) -> None:
        self.us.transport.loseWriteConnection()

        self.assertFalse(self.awaits())


class OfferTests(DirectTestCase):
    """Who writes at the other end may be offered a shorter way."""

    def test_toWhoWants(self) -> None:
        self.begin()
        offered: list[object] = []
        self.us.transport.offerThrough(offered.append)  # type: ignore[arg-type]
        self.them.writesThrough = offered.append  # type: ignore[attr-defined]
        self.us.transport.offerThrough(bool)
        self.us.transport.abortConnection()
        self.world.pump()
        self.us.transport.offerThrough(int)  # type: ignore[arg-type]

        self.assertEqual(offered, [bool])
