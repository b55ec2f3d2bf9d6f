"""A connected socket: reading, ends, loss and errors, over real loopback connections."""

from __future__ import annotations

import gc
import socket
import weakref
from typing import Any

from twisted.internet import main, reactor
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IReadDescriptor, IWriteDescriptor
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from tests.sockets.loopback import (
    PAYLOAD,
    HalfRecorder,
    LoopbackTestCase,
    Recorder,
    oursOnly,
    receiveAll,
    reset,
    streamOver,
)
from twisted_envoy.internal.interfaces import IHalfCloseTransport


class StreamSocketTests(LoopbackTestCase):
    async def test_providesWhatItPromises(self) -> None:
        """It is what protocols and reactors expect."""
        server, _ = await self.pair()

        watched = () if self.transports else (IReadDescriptor, IWriteDescriptor)
        for interface in (IHalfCloseTransport, *watched):
            self.assertTrue(verifyObject(interface, server.transport))
        self.assertEqual(server.transport.logPrefix(), "connection")

    async def test_handleIsTheSocket(self) -> None:
        """Whoever wants to know an option of the socket can ask it."""
        server, _ = await self.pair()

        handle = server.transport.getHandle()
        self.assertEqual(handle.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE), socket.SOCK_STREAM)

    async def test_addressesNameBothEnds(self) -> None:
        """Each end's host is the other's peer."""
        server, client = await self.pair()

        self.assertEqual(client.transport.getHost(), server.transport.getPeer())
        self.assertEqual(client.transport.getPeer(), server.transport.getHost())

    async def test_bytesGoBothWays(self) -> None:
        """What one end writes the other receives."""
        server, client = await self.pair()

        client.transport.write(b"question")
        server.transport.writeSequence([b"an", b"swer"])
        await server.untilSize(8)
        await client.untilSize(6)

        self.assertEqual((server.data, client.data), (b"question", b"answer"))

    async def test_writeTakesAllThatBytesAreMadeOf(self) -> None:
        """A bytearray or memoryview is copied when it is written; text is refused."""
        server, client = await self.pair()
        changing = bytearray(b"abc")

        client.transport.write(changing)
        changing[:] = b"xyz"
        client.transport.write(memoryview(b"def"))
        client.transport.write(b"")
        self.assertRaises(TypeError, client.transport.write, "text")
        await server.untilSize(6)

        self.assertEqual(server.data, b"abcdef")

    async def test_chunksFollowBulkAndComeBack(self) -> None:
        """A bulk connection is read in large pieces, a quiet one in small ones again."""
        server, client = await self.pair()

        client.transport.write(PAYLOAD)
        await server.untilSize(len(PAYLOAD))
        client.transport.write(b"!")
        await server.untilSize(len(PAYLOAD) + 1)

        self.assertGreaterEqual(server.largest, 64 * 1024)
        self.assertEqual(server.data, PAYLOAD + b"!")
        if not self.transports:
            self.assertEqual(server.transport._readSize, 16 * 1024)

    async def test_chunkBoundariesAroundTheReadSize(self) -> None:
        """Amounts just around the size of a read arrive whole."""
        server, client = await self.pair()
        expected = b""

        for size in (1, 16383, 16384, 16385, 65535, 65536, 65537, 262144, 262145):
            expected += PAYLOAD[:size]
            client.transport.write(PAYLOAD[:size])
            await server.untilSize(len(expected))

        self.assertEqual(server.data, expected)

    async def test_pausedIsNotRead(self) -> None:
        """Nothing is handed on while reading is paused, the end of stream included."""
        server, client = await self.pair()
        server.transport.pauseProducing()

        client.transport.write(b"later")
        client.transport.loseWriteConnection()
        await client.untilEvent("ended")
        await self.nextPoll()
        seen = bytes(server.data), list(server.events)
        server.transport.resumeProducing()
        server.transport.resumeProducing()
        await server.untilEvent("end")

        self.assertEqual(seen, (b"", ["made"]))
        self.assertEqual(server.data, b"later")

    async def test_pausedInConnectionMade(self) -> None:
        """A protocol that pauses at once gets nothing before it resumes."""
        server, peer = await self.plainPeer(
            prepare=lambda r: r.on.update(made=lambda r: r.transport.pauseProducing())
        )

        peer.sendall(b"x")
        await self.nextPoll()
        before = bytes(server.data)
        server.transport.resumeProducing()
        await server.untilSize(1)

        self.assertEqual(before, b"")

    async def test_protocolMayBeReplaced(self) -> None:
        """Whoever is the protocol when bytes come gets them."""
        server, client = await self.pair()
        other = HalfRecorder()

        server.transport.protocol = other
        client.transport.write(b"for the other")
        await other.untilSize(13)
        server.transport.protocol = server

        self.assertEqual(server.data, b"")


class EndTests(LoopbackTestCase):
    """Half-close, close and abort, by either side, in every order."""

    async def test_halfCloseKeepsTheOtherDirection(self) -> None:
        """After our end of stream the peer's bytes still come."""
        server, client = await self.pair()

        client.transport.write(b"all")
        client.transport.loseWriteConnection()
        client.transport.loseWriteConnection()
        client.transport.write(b"ignored")
        await server.untilEvent("end")
        server.transport.write(b"answer")
        server.transport.loseConnection()
        await client.untilEvent("end")

        self.assertEqual((server.data, client.data), (b"all", b"answer"))
        self.assertEqual(client.events, ["made", "ended", "end"])

    async def test_bothEnds(self) -> None:
        """A connection whose directions have both ended stays until somebody closes it."""
        server, client = await self.pair()

        client.transport.loseWriteConnection()
        server.transport.loseWriteConnection()
        await client.until(lambda: {"end", "ended"} <= set(client.events))
        await server.until(lambda: {"end", "ended"} <= set(server.events))
        lost = "lost" in client.events + server.events
        client.transport.loseConnection()
        server.transport.loseConnection()
        await client.untilEvent("lost")
        await server.untilEvent("lost")

        self.assertFalse(lost)
        self.assertTrue(client.reason.check(ConnectionDone))

    async def test_pausedFromTheBeginning(self) -> None:
        """Who pauses when it begins hears nothing until it resumes, and can write meanwhile."""

        def pause(recorder: Any) -> None:
            recorder.on["made"] = lambda recorder: recorder.transport.pauseProducing()

        server, peer = await self.plainPeer(HalfRecorder, pause)
        reading = deferToThread(receiveAll, peer)
        peer.sendall(b"early")
        server.transport.write(PAYLOAD)
        server.transport.loseWriteConnection()
        received = await reading
        self.assertEqual(received, PAYLOAD)
        self.assertEqual(server.data, b"")
        server.transport.resumeProducing()
        await server.untilSize(5)
        peer.close()
        await server.untilEvent("end")
        self.assertEqual(server.data, b"early")

    @oursOnly
    async def test_endsNow(self) -> None:
        """Who need not be told ends at once, with all that was sent before and no producer."""
        server, client = await self.pair()

        client.transport.registerProducer(client.transport, True)
        client.transport.write(b"all")
        self.assertEqual(client.transport.bufferedBytes, 0)
        self.assertTrue(client.transport.endNow())
        self.assertFalse(client.transport.endNow())
        client.transport.write(b"ignored")
        await server.untilEvent("end")
        server.transport.write(b"answer")
        server.transport.loseConnection()
        await client.untilEvent("end")
        client.transport.loseConnection()
        await client.untilEvent("lost")

        self.assertEqual((server.data, client.data), (b"all", b"answer"))
        self.assertEqual(client.events, ["made", "end", "lost"])

    @oursOnly
    async def test_endsNotYet(self) -> None:
        """While something waits to be sent nothing ends, neither way."""
        server, client = await self.pair()

        server.transport.pauseProducing()
        server.transport.loseWriteConnection()
        await client.untilEvent("end")
        client.transport.write(PAYLOAD * 4)
        self.assertGreater(client.transport.bufferedBytes, 0)
        self.assertFalse(client.transport.endNow())
        self.assertFalse(client.transport.closeNow())
        client.transport.loseConnection()
        server.transport.resumeProducing()
        await server.untilEvent("end")

        self.assertEqual(len(server.data), len(PAYLOAD) * 4)

    @oursOnly
    async def test_closesNow(self) -> None:
        """Once the peer has ended; nobody is told, and nothing more happens."""
        server, client = await self.pair()

        self.assertFalse(client.transport.closeNow())
        server.transport.loseWriteConnection()
        await client.untilEvent("end")
        transport = client.transport
        self.assertTrue(transport.closeNow())
        self.assertFalse(transport.closeNow())
        self.assertTrue(transport.disconnected)
        transport.loseConnection()
        transport.abortConnection()
        await server.untilEvent("end")

        self.assertEqual(client.events, ["made", "end"])
        self.assertEqual(transport.getHandle().fileno(), -1)
        client.happened("lost")  # for those who wait for it

    async def test_plainProtocolIsClosedByTheEndOfStream(self) -> None:
        """One that knows no half-close loses the connection, after what it wrote is out."""
        server, peer = await self.plainPeer(
            Recorder, lambda r: r.on.update(data=lambda r: r.transport.write(PAYLOAD))
        )
        reading = deferToThread(receiveAll, peer)

        peer.sendall(b"go")
        peer.shutdown(socket.SHUT_WR)
        received = await reading
        await server.untilEvent("lost")

        self.assertEqual(received, PAYLOAD)
        self.assertTrue(server.reason.check(ConnectionDone))

    async def test_plainProtocolWithAProducerIsClosedToo(self) -> None:
        """The end of stream stops a producer that would never have gone."""
        stopped: list[str] = []

        class Producer:
            def pauseProducing(self) -> None: ...

            def resumeProducing(self) -> None: ...

            def stopProducing(self) -> None:
                stopped.append("stopped")

        server, peer = await self.plainPeer(
            Recorder,
            lambda r: r.on.update(made=lambda r: r.transport.registerProducer(Producer(), True)),
        )

        peer.shutdown(socket.SHUT_WR)
        await server.untilEvent("lost")

        self.assertEqual(stopped, ["stopped"])
        self.assertTrue(server.reason.check(ConnectionDone))

    async def test_closeDeliversWhatWasWritten(self) -> None:
        """Bytes written before a close arrive, then the end of stream; both are Done."""
        server, client = await self.pair()

        server.transport.write(b"last words")
        server.transport.loseConnection()
        server.transport.write(b"too late")
        await client.untilEvent("end")
        client.transport.loseConnection()
        await server.untilEvent("lost")
        await client.untilEvent("lost")

        self.assertEqual(client.data, b"last words")
        self.assertTrue(server.reason.check(ConnectionDone))
        self.assertTrue(client.reason.check(ConnectionDone))

    async def test_closeIsNeverInline(self) -> None:
        """connectionLost does not come from inside loseConnection."""
        server, _ = await self.pair()

        server.transport.stopProducing()
        inside = list(server.events)
        await server.untilEvent("lost")

        self.assertEqual(inside, ["made"])
        self.assertTrue(server.transport.disconnecting)

    async def test_halfCloseThenClose(self) -> None:
        """A close after a half-close needs nothing from the peer."""
        server, client = await self.pair()

        client.transport.loseWriteConnection()
        await server.untilEvent("end")
        client.transport.loseConnection()
        client.transport.loseWriteConnection()
        await client.untilEvent("lost")

        self.assertTrue(client.reason.check(ConnectionDone))

    async def test_abortResetsThePeer(self) -> None:
        """The peer of an abort sees a reset; what was buffered is dropped."""
        server, peer = await self.plainPeer()

        server.transport.write(PAYLOAD)
        server.transport.abortConnection()
        server.transport.abortConnection()
        inside = list(server.events)
        await server.untilEvent("lost")
        await self.nextPoll()

        self.assertRaises(ConnectionResetError, receiveAll, peer)
        self.assertEqual(inside, ["made"])
        self.assertTrue(server.reason.check(ConnectionAborted))
        self.assertEqual(server.transport.bufferedBytes, 0)

    async def test_abortAfterClose(self) -> None:
        """An abort overtakes a close that waits for a slow reader."""
        server, peer = await self.plainPeer(receiveBuffer=4096)

        server.transport.write(PAYLOAD)
        server.transport.loseConnection()
        await self.nextPoll()
        before = list(server.events)
        server.transport.abortConnection()
        await server.untilEvent("lost")
        await self.nextPoll()

        self.assertEqual(before, ["made"])
        self.assertTrue(server.reason.check(ConnectionAborted))
        self.assertRaises(ConnectionResetError, receiveAll, peer)

    async def test_abortInTheSameEventAsClose(self) -> None:
        """The stronger word wins."""
        server, _ = await self.pair()

        server.transport.loseConnection()
        server.transport.abortConnection()
        await server.untilEvent("lost")

        self.assertTrue(server.reason.check(ConnectionAborted))

    async def test_resetIsALoss(self) -> None:
        """The peer's reset is ConnectionLost, after the bytes that came before it."""
        server, peer = await self.plainPeer()

        peer.sendall(b"before")
        await server.untilSize(6)
        reset(peer)
        await server.untilEvent("lost")

        self.assertTrue(server.reason.check(ConnectionLost))
        self.assertEqual(server.events, ["made", "lost"])

    async def test_resetWhileAClosingWriteWaits(self) -> None:
        """A reset ends a close that waits to get its bytes out."""
        server, peer = await self.plainPeer(receiveBuffer=4096)

        server.transport.write(PAYLOAD)
        server.transport.loseConnection()
        await self.nextPoll()
        reset(peer)
        await server.untilEvent("lost")

        self.assertTrue(server.reason.check(ConnectionLost))

    @oursOnly
    async def test_bytesBeforeAResetSurviveAFailedSend(self) -> None:
        """What the peer sent before it went is delivered, although a send failed first."""
        server, peer = await self.plainPeer()
        server.transport.pauseProducing()

        peer.sendall(b"still here")
        reset(peer)
        for _ in range(3):
            server.transport.write(b"into the void")
        server.transport.loseWriteConnection()
        await self.nextPoll()
        before = list(server.events)
        server.transport.resumeProducing()
        await server.untilEvent("lost")

        self.assertEqual(before, ["made"])
        self.assertEqual(server.data, b"still here")
        self.assertTrue(server.reason.check(ConnectionLost))
        self.assertNotIn("end", server.events)

    @oursOnly
    async def test_bytesBeforeAResetSurviveTheReactorsNotice(self) -> None:
        """The same, when it is the reactor that sees the reset: writes wait, reading is paused."""
        server, peer = await self.plainPeer(receiveBuffer=4096)
        server.transport.pauseProducing()
        server.transport.write(PAYLOAD)

        peer.sendall(b"still here")
        reset(peer)
        while server.transport.bufferedBytes:
            await self.nextPoll()
        before = list(server.events)
        server.transport.resumeProducing()
        await server.untilEvent("lost")

        self.assertEqual(before, ["made"])
        self.assertEqual(server.data, b"still here")
        self.assertTrue(server.reason.check(ConnectionLost))

    async def test_resetWithNothingUnread(self) -> None:
        """A reset while reading is paused and writes wait is a loss at once."""
        server, peer = await self.plainPeer(receiveBuffer=4096)
        server.transport.pauseProducing()
        server.transport.write(PAYLOAD)

        reset(peer)
        await server.untilEvent("lost")

        self.assertTrue(server.reason.check(ConnectionLost))

    async def test_closeAfterAFailedSend(self) -> None:
        """A close has nothing to wait for when sending has failed; the reason is the failure."""
        server, peer = await self.plainPeer()
        server.transport.pauseProducing()

        reset(peer)
        server.transport.write(b"one")
        server.transport.write(b"two")
        server.transport.loseConnection()
        await server.untilEvent("lost")

        self.assertTrue(server.reason.check(ConnectionLost))

    async def test_failedSendAfterTheirEnd(self) -> None:
        """A reset after the peer's end of stream shows when we write, and ends the connection."""
        server, peer = await self.plainPeer()

        peer.shutdown(socket.SHUT_WR)
        await server.untilEvent("end")
        reset(peer)
        server.transport.write(b"one")
        await self.nextPoll()
        server.transport.write(b"two")
        await server.untilEvent("lost")

        self.assertTrue(server.reason.check(ConnectionLost))

    async def test_halfCloseOfAResetConnection(self) -> None:
        """An end of stream that cannot be sent is a failed send."""
        server, peer = await self.plainPeer()
        server.transport.pauseProducing()

        reset(peer)
        server.transport.loseWriteConnection()
        await self.nextPoll()
        server.transport.resumeProducing()
        await server.untilEvent("lost")

        self.assertTrue(server.reason.check(ConnectionLost))

    @oursOnly
    async def test_reactorsLoss(self) -> None:
        """What the reactor says is the reason when there is nothing left to read."""
        server, _ = await self.pair()
        reason = main.CONNECTION_LOST

        reactor.removeReader(server.transport)  # type: ignore[attr-defined]
        server.transport.connectionLost(Failure(reason))

        self.assertIs(server.reason.value, reason)

    @oursOnly
    async def test_newsOfAnotherSocketWithTheNumber(self) -> None:
        """A loss that the socket itself knows nothing of changes nothing: it was another's."""
        server, client = await self.pair()
        transport = server.transport
        for loss in (ConnectionDone(), ConnectionLost()):
            reactor.removeReader(transport)  # type: ignore[attr-defined]
            transport.connectionLost(Failure(loss))

        client.transport.write(b"still here")
        await server.untilSize(10)

        self.assertEqual((bytes(server.data), transport.disconnected), (b"still here", False))

    async def test_addressesAfterTheLoss(self) -> None:
        """They are known whether or not somebody has asked for them before."""
        server, client = await self.pair()
        client.transport.loseConnection()
        await client.untilEvent("lost")
        server.transport.loseConnection()
        await server.untilEvent("lost")

        for one, other in ((server, client), (client, server)):
            host = one.transport.getHost()
            self.assertEqual(host, other.transport.getPeer())
            self.assertEqual((host.type, host.host), ("TCP", "127.0.0.1"))
            self.assertIs(one.transport.getHost(), host)

    async def test_afterTheLossEverythingIsSilent(self) -> None:
        """Every method of a lost connection does nothing, and only once is it lost."""
        server, client = await self.pair()
        transport = server.transport
        host = transport.getHost()
        stopped: list[int] = []

        class Producer:
            def stopProducing(self) -> None:
                stopped.append(1)

        transport.abortConnection()
        await server.untilEvent("lost")
        transport.write(b"x")
        transport.writeSequence([b"x"])
        for name in (
            "loseWriteConnection",
            "loseConnection",
            "abortConnection",
            "pauseProducing",
            "resumeProducing",
            "stopProducing",
            "unregisterProducer",
            *(() if self.transports else ("doRead", "doWrite")),
        ):
            getattr(transport, name)()
        transport.registerProducer(Producer(), True)
        transport.connectionLost(server.reason)
        transport.setWriteBufferLimit(10)
        await self.nextPoll()

        self.assertEqual(server.events, ["made", "lost"])
        self.assertEqual(stopped, [1])
        self.assertEqual(transport.bufferedBytes, 0)
        if not self.transports:
            self.assertEqual(transport.fileno(), -1)
        self.assertEqual(transport.getHost(), host)
        self.assertEqual(transport.getPeer(), client.transport.getHost())
        self.assertTrue(transport.disconnected)

    @oursOnly
    async def test_hostIsKnownAfterTheLoss(self) -> None:
        """An access log may ask for the local address when nobody has before."""
        left, right = socket.socketpair()
        self.addCleanup(right.close)
        recorder = HalfRecorder()
        stream = streamOver(left, self.sockets, recorder)

        stream.abortConnection()
        await recorder.untilEvent("lost")

        self.assertIsNone(stream.getHost().name)  # type: ignore[attr-defined]

    async def test_nothingIsKept(self) -> None:
        """A lost transport that nobody names is gone without the help of the garbage collector."""
        server, client = await self.pair()
        kept = weakref.ref(server.transport)
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)

        server.transport.loseConnection()
        await server.untilEvent("lost")
        await client.untilEvent("end")
        client.transport.loseConnection()
        await client.untilEvent("lost")
        server.transport = None
        await self.nextPoll()

        self.assertIsNone(kept())


class ErrorTests(LoopbackTestCase):
    """An exception in a callback ends that connection, and nothing else."""

    async def raising(self, event: str, cause: Any, kind: type[Recorder] = HalfRecorder) -> None:
        def fail(recorder: Any) -> None:
            raise ValueError(event)

        server, peer = await self.plainPeer(kind, lambda r: r.on.update({event: fail}))
        other = await self.pair()

        cause(server, peer)
        await server.untilEvent("lost")
        other[0].transport.write(b"alive")
        await other[1].untilSize(5)

        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(server.events.count("lost"), 1)
        self.server = server

    async def test_dataReceived(self) -> None:
        """The connection is reset and lost with the exception."""
        await self.raising("data", lambda server, peer: peer.sendall(b"x"))

        self.assertTrue(self.server.reason.check(ValueError))

    async def test_connectionMade(self) -> None:
        """A connection that could not be made is lost at once."""
        await self.raising("made", lambda server, peer: None)

        self.assertTrue(self.server.reason.check(ValueError))

    async def test_readConnectionLost(self) -> None:
        """The same when the end of stream is told."""
        await self.raising("end", lambda server, peer: peer.shutdown(socket.SHUT_WR))

        self.assertTrue(self.server.reason.check(ValueError))

    async def test_writeConnectionLost(self) -> None:
        """The same when our own end is told."""
        await self.raising("ended", lambda server, peer: server.transport.loseWriteConnection())

        self.assertTrue(self.server.reason.check(ValueError))

    async def test_connectionLost(self) -> None:
        """There is nothing left to end; it is logged."""
        await self.raising("lost", lambda server, peer: server.transport.loseConnection())

    async def test_thePeerSeesAReset(self) -> None:
        """A fault is no orderly end."""

        def fail(recorder: Any) -> None:
            raise ValueError

        server, peer = await self.plainPeer(prepare=lambda r: r.on.update(data=fail))

        peer.sendall(b"x")
        await server.untilEvent("lost")
        self.flushLoggedErrors(ValueError)
        await self.nextPoll()

        self.assertRaises(ConnectionResetError, peer.recv, 1)
