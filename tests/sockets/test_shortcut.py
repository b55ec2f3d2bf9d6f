"""Tests of twisted_envoy.sockets.shortcut; with a proxy around it: tests/integration."""

from __future__ import annotations

import random
import socket
from typing import Any

from tests.sockets.loopback import PAYLOAD, reset
from tests.sockets.relays import Relay, RelayTestCase
from twisted_envoy.sockets.shortcut import Shortcut
from twisted_envoy.sockets.socket_end import LOOKS

MESSAGE = b"message "


class ShortcutTests(RelayTestCase):
    def shortcuts(self) -> list[Any]:
        return [one for one in self.poller._edges.values() if isinstance(one, Shortcut)]

    def turns(self, count: int = 3) -> None:
        for _ in range(count):
            self.poller.doRead()
            self.clock.advance(0)

    def shorten(self, hops: int = 0) -> tuple[list[Relay], socket.socket, socket.socket]:
        """Joined, and so much has come that there is a shortcut from source to target."""
        relays, source, target = self.join(hops)
        for _ in range(LOOKS):
            self.assertEqual(self.shortcuts(), [])
            self.assertEqual(self.passOn(source, target, MESSAGE), MESSAGE)
        self.assertEqual(len(self.shortcuts()), 1)
        return relays, source, target

    def test_messages(self) -> None:
        """Nobody sees them, everybody counts them, and they arrive at once."""
        for hops in (0, 1, 3):
            relays, source, target = self.shorten(hops)
            for number in range(20):
                source.send(b"%d" % number)
                self.poller.doRead()
                self.assertEqual(target.recv(100), b"%d" % number)
            for relay in relays[::2]:
                self.assertEqual((relay.seen, relay.counted), (LOOKS * len(MESSAGE), 30))
            for relay in relays[1::2]:
                self.assertEqual((relay.seen, relay.counted), (0, 0))
            reset(source)
            self.turns()

    def test_bothWays(self) -> None:
        """Each direction by itself."""
        _, source, target = self.shorten(1)
        for _ in range(LOOKS):
            self.passOn(target, source, MESSAGE)
        self.assertEqual(len(self.shortcuts()), 2)
        self.passOn(target, source, MESSAGE)
        self.passOn(source, target, MESSAGE)

    def test_nobodySays(self) -> None:
        """A protocol without a passage, anywhere on the way, gets every byte."""
        for quiet in (0, 2):
            relays, source, target = self.join(1)
            relays[quiet].says = False
            for _ in range(10):
                self.passOn(source, target, MESSAGE)
            self.assertEqual(self.shortcuts(), [])
            self.assertEqual(relays[quiet].seen, 10 * len(MESSAGE))

    def test_somebodyReads(self) -> None:
        """Whoever wants to see the bytes from now on sees the next one; later they pass again."""
        for hops, which in ((0, 0), (1, 0), (1, 2)):
            relays, source, target = self.shorten(hops)
            reader = relays[which]
            read: list[bytes] = []

            def see(data: bytes, reader: Relay = reader, read: list[bytes] = read) -> None:
                read.append(data)
                reader.relay(data)

            reader.dataReceived = see
            self.passOn(source, target, b"seen")
            self.assertEqual((read, self.shortcuts()), ([b"seen"], []))
            for _ in range(LOOKS):
                self.passOn(source, target, MESSAGE)
            self.passOn(source, target, b"passes")  # as it says of itself
            self.assertEqual((len(read), reader.counted), (1 + LOOKS, 6))
            reset(source)
            self.turns()

    def test_hopWaits(self) -> None:
        """What a hop keeps stays ahead of what comes later."""
        relays, source, target = self.shorten(1)
        relays[2].transport.pauseProducing()
        for number in range(5):
            source.send(b"%d" % number)
            self.turns()
        self.assertRaises(BlockingIOError, target.recv, 100)
        self.assertEqual(relays[1].transport.bufferedBytes, 5)
        relays[2].transport.resumeProducing()
        source.send(b"5")
        self.turns()
        self.assertEqual(target.recv(100), b"012345")

    def test_moreThanAHopTakes(self) -> None:
        """Its producer is paused, as it would be."""
        relays, source, target = self.shorten(1)
        relays[1].transport.setWriteBufferLimit(100)
        self.passOn(source, target, b"x" * 100)
        self.assertEqual(relays[0].pauses, 0)
        self.passOn(source, target, b"x" * 101)
        self.assertEqual((relays[0].pauses, relays[0].counted), (1, 100))

    def test_bytesAtTheTarget(self) -> None:
        """They go first: what waits for the end of the round, and what the kernel does not take."""
        relays, source, target = self.shorten()
        another, end = self.make()
        another.peer = another
        end.send(b"so that there is news of two")
        source.send(b"second")
        self.poller.outbox.isOpen = True
        relays[1].transport.write(b"first ")
        self.poller.doRead()
        self.assertEqual(target.recv(100), b"first second")

        kept = bytearray()
        while not relays[1].transport.bufferedBytes:
            relays[1].transport.write(PAYLOAD)
            kept += PAYLOAD
        source.send(b"last")
        self.turns()
        got = bytearray()
        while len(got) < len(kept) + 4:
            try:
                got += target.recv(1 << 20)
            except BlockingIOError:
                self.turns(1)
        self.assertEqual(bytes(got[-4:]), b"last")

    def test_paused(self) -> None:
        """Who is paused reads nothing, and all of it later."""
        relays, source, target = self.shorten()
        relays[0].transport.pauseProducing()
        for _ in range(3):
            source.send(MESSAGE)
            self.turns()
        self.assertRaises(BlockingIOError, target.recv, 100)
        relays[0].transport.resumeProducing()
        self.turns()
        self.assertEqual(target.recv(100), MESSAGE * 3)

    def test_shutTarget(self) -> None:
        """Bytes for a target that is closed are dropped by who writes them."""
        relays, source, _ = self.shorten()
        relays[1].peer, _ = another, _ = self.make()  # or the source would be closed
        another.peer = another
        relays[1].transport.unregisterProducer()
        relays[1].transport.loseConnection()
        self.turns()
        seen = relays[0].seen
        source.send(MESSAGE)
        self.poller.doRead()
        self.assertEqual(relays[0].seen, seen + len(MESSAGE))

    def test_large(self) -> None:
        """Bulk is no message: it is read, and spliced, as ever; messages behind it pass again."""
        relays, source, target = self.shorten(1)
        self.assertEqual(self.passOn(source, target, PAYLOAD), PAYLOAD)
        for _ in range(40):
            self.passOn(source, target, MESSAGE)
        self.assertEqual(len(self.shortcuts()), 1)
        for relay in relays[::2]:
            self.assertEqual(relay.seen + relay.counted, len(PAYLOAD) + (40 + LOOKS) * len(MESSAGE))

    def test_end(self) -> None:
        """The end of stream comes behind the last message."""
        _, source, target = self.shorten(1)
        source.send(b"last")
        source.shutdown(socket.SHUT_WR)
        self.turns()
        self.assertEqual((target.recv(100), target.recv(100)), (b"last", b""))

    def test_reset(self) -> None:
        """A reset of the source is a loss, not an end; nothing is left."""
        relays, source, _ = self.shorten()
        reset(source)
        self.turns()
        assert relays[0].lost is not None
        self.assertEqual(relays[0].lost.type.__name__, "ConnectionLost")
        self.assertEqual(self.shortcuts(), [])

    def test_raises(self) -> None:
        """What lets an error out ends by itself."""
        relays, source, _ = self.shorten()

        def count(size: int) -> None:
            raise ZeroDivisionError

        self.shortcuts()[0]._counts = (count,)
        source.send(MESSAGE)
        self.turns()
        self.assertIs(relays[0].lost and relays[0].lost.type, ZeroDivisionError)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_reactorStops(self) -> None:
        """A shortcut's connection is told like any other."""
        relays, _, _ = self.shorten()
        from twisted.internet import main
        from twisted.python.failure import Failure

        self.poller.connectionLost(Failure(main.CONNECTION_LOST))  # type: ignore[no-untyped-call]
        self.assertIsNotNone(relays[0].lost)

    def test_nobodyCanTell(self) -> None:
        """Whatever is sent, paused and looked at: as without shortcuts."""
        for seed in range(12):
            runs = [self.story(random.Random(seed), seed % 3, says) for says in (True, False)]
            self.assertEqual(*runs)

    def story(self, chance: random.Random, hops: int, says: bool) -> tuple[Any, ...]:
        """What arrived at both ends, how much each relay has counted, and how they were lost."""
        relays, *ends = self.join(hops)
        for relay in relays:
            relay.says = says
        sent = [0, 0]
        got = [bytearray(), bytearray()]

        def take() -> None:
            self.turns(1)
            for number, end in enumerate(ends):
                try:
                    got[number] += end.recv(1 << 20)
                except BlockingIOError:
                    pass

        for _ in range(150):
            what = chance.random()
            one = chance.choice(relays)
            if what < 0.03:
                one.transport.pauseProducing()
            elif what < 0.1:
                one.transport.resumeProducing()
            elif what < 0.12:
                one.dataReceived = one.relay  # another object, that does the same
            else:
                number = chance.randrange(2)
                size = chance.choice((1, 64, 64, 64, 1000, 16384, 40000))
                start = sent[number] % 1000
                sent[number] += ends[number].send(PAYLOAD[start : start + size])
            if chance.random() < 0.8:
                take()
        for relay in relays:
            relay.transport.resumeProducing()
        while [len(one) for one in got] != sent[::-1]:
            take()
        counted = [relay.seen + relay.counted for relay in relays]
        for end in ends:
            end.close()
        self.turns(5)
        return bytes(got[0]), bytes(got[1]), counted, [relay.lost is None for relay in relays]
