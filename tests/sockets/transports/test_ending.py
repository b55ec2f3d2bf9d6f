"""The last moments of a transport are those of a socket of ours."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone

from tests.sockets import test_lingering as ours
from tests.sockets.loopback import LoopbackTestCase, overTransports, reset
from twisted_envoy.sockets.transports import ending

ClosingTests = overTransports(ours.ClosingTests, __name__)


class PatienceTests(LoopbackTestCase):
    transports = True

    async def test_patienceEnds(self) -> None:
        """A peer that never ends is not waited for longer than `PATIENCE`."""
        self.patch(ending, "PATIENCE", 0.01)
        server, peer = await self.plainPeer()
        server.transport.write(b"x")
        server.transport.loseConnection()
        await server.untilEvent("lost")

        waiting = self.sockets._context.lingering
        (last,) = waiting
        while waiting:
            await self.nextPoll()

        self.assertEqual(peer.recv(2), b"x")
        last.close()
        last.makeConnection(None)

    async def test_peerThatResets(self) -> None:
        """Nor one that is gone."""
        server, peer = await self.plainPeer()
        server.transport.write(b"x")
        server.transport.loseConnection()
        await server.untilEvent("lost")

        reset(peer)
        while self.sockets._context.lingering:
            await self.nextPoll()

        self.assertTrue(server.reason.check(ConnectionDone))
