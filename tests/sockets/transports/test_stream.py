"""A wrapped transport keeps the promises of our own."""

from __future__ import annotations

from twisted.internet.threads import deferToThread
from zope.interface.verify import verifyObject

from tests.sockets import test_stream as ours
from tests.sockets.loopback import PAYLOAD, LoopbackTestCase, overTransports, receiveAll
from twisted_envoy.internal.interfaces import IPromptTransport

StreamSocketTests = overTransports(ours.StreamSocketTests, __name__)
EndTests = overTransports(ours.EndTests, __name__)
ErrorTests = overTransports(ours.ErrorTests, __name__)


class BufferTests(LoopbackTestCase):
    transports = True

    async def test_progressShows(self) -> None:
        """Whoever looks at what is kept sees that a slow peer reads, portion by portion."""
        server, peer = await self.plainPeer(receiveBuffer=4096)
        server.transport.write(PAYLOAD)
        seen = {server.transport.bufferedBytes}
        reading = deferToThread(receiveAll, peer)
        while server.transport.bufferedBytes:
            seen.add(server.transport.bufferedBytes)
            await self.nextPoll()
        server.transport.loseWriteConnection()
        await reading

        self.assertGreater(len(seen), len(PAYLOAD) // (256 * 1024))

    async def test_handleOfALostConnection(self) -> None:
        """There is none; the addresses are known."""
        server, _ = await self.pair()
        transport = server.transport
        host, peer = transport.getHost(), transport.getPeer()
        server.transport.abortConnection()
        await server.untilEvent("lost")
        await self.nextPoll()

        self.assertRaises(AttributeError, transport.getHandle)
        self.assertEqual((transport.getHost(), transport.getPeer()), (host, peer))
        self.assertEqual(transport.logPrefix(), "connection")

    async def test_neverAtOnce(self) -> None:
        """It says so to who asks whether it ends at once."""
        server, _ = await self.pair()
        transport = server.transport

        self.assertTrue(verifyObject(IPromptTransport, transport))
        self.assertFalse(transport.endNow() or transport.closeNow())
        self.assertFalse(transport.disconnecting)
