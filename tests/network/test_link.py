"""Links: what a class asks for, and how its verbs reach the wire."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.trial.unittest import SynchronousTestCase

from tests.network.wire import HOST, PEER, Idle, Last, Loud, Shouting, chainOf
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.network.link import NO_TRANSPORT, Link


class LinkTests(SynchronousTestCase):
    def test_classesSayWhatTheyAskFor(self) -> None:
        """A method that is defined, by the class or one above it, is asked for."""

        class LoudToo(Loud):
            pass

        class Ending(Link):
            def loseWriteConnection(self) -> None: ...

        def asked(kind: type[Link]) -> list[bool]:
            return [kind.makes, kind.reads, kind.ends, kind.loses, kind.writes]

        self.assertEqual(asked(Link), [False] * 5)
        self.assertEqual(asked(Idle), [False] * 5)
        self.assertEqual(asked(LoudToo), [True, True, True, True, False])
        self.assertEqual(asked(Shouting), [False, False, False, False, True])
        self.assertEqual(asked(Ending), [False, False, False, False, True])

    def test_verbsReachTheWire(self) -> None:
        """Through a writer below as well as without."""
        for below in ([], [Shouting()]):
            last = Last()
            _, wire = chainOf([*below, last])

            last.writeSequence([b"a", b"b"])
            last.loseWriteConnection()
            last.stopProducing()
            last.resetConnection()
            last.abortConnection()

            said = ["loseWriteConnection", "loseConnection", "resetConnection", "abortConnection"]
            self.assertEqual(wire.said, said)
            self.assertEqual(wire.written, b"AB!" if below else b"ab")
            self.assertEqual((last.getHost(), last.getPeer()), (HOST, PEER))

    def test_producerSlotIsTheWires(self) -> None:
        """There is one producer a connection, and it sits at the bottom."""
        last = Last()
        _, wire = chainOf([Shouting(), last])
        producer: Any = object()

        last.registerProducer(producer, True)
        registered = wire.producer
        last.unregisterProducer()

        self.assertIs(registered, producer)
        self.assertIsNone(wire.producer)

    def test_writeSequenceIsAWrite(self) -> None:
        """A link that overrides write sees writeSequence too."""
        first = Shouting()
        _, wire = chainOf([first, Last()])

        first.writeSequence([b"a", b"b"])

        self.assertEqual(wire.written, b"AB")

    def test_streamInfoIsTheConnections(self) -> None:
        """Each link knows the StreamInfo."""
        last = Last()
        chain, _ = chainOf([last])

        self.assertIs(last.streamInfo, chain.streamInfo)


class CloseTests(SynchronousTestCase):
    def test_closeConnection(self) -> None:
        """A hop's other end is told that it is over; a socket's sees the end of the stream."""
        for address, verb in (
            (IPv4Address("TCP", "127.0.0.1", 1), "loseConnection"),
            (InternalAddress("hop"), "resetConnection"),
        ):
            last = Last()
            chain, wire = chainOf([last])
            chain.streamInfo.directLocalAddress = address
            last.closeConnection()
            self.assertEqual(wire.said, [verb])


class NoTransportTests(SynchronousTestCase):
    def test_takesEverythingAndDoesNothing(self) -> None:
        """What a link speaks to when its connection is gone has every verb of a transport."""
        stopped: list[int] = []

        class Producer:
            def stopProducing(self) -> None:
                stopped.append(1)

        NO_TRANSPORT.write(b"x")
        NO_TRANSPORT.writeSequence([b"x"])
        for verb in (
            "loseWriteConnection",
            "loseConnection",
            "abortConnection",
            "resetConnection",
            "unregisterProducer",
            "pauseProducing",
            "resumeProducing",
            "stopProducing",
        ):
            getattr(NO_TRANSPORT, verb)()
        NO_TRANSPORT.setWriteBufferLimit(1)
        NO_TRANSPORT.registerProducer(Producer(), True)

        self.assertEqual(stopped, [1])
        self.assertIsNone(NO_TRANSPORT.getHost())
        self.assertIsNone(NO_TRANSPORT.getPeer())
        self.assertTrue(NO_TRANSPORT.disconnecting and NO_TRANSPORT.disconnected)
        self.assertEqual(NO_TRANSPORT.bufferedBytes, 0)
