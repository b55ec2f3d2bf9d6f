"""Connecting by way of the reactor: the tests of ours, and options with a source address."""

from __future__ import annotations

import errno
import socket

from twisted.internet import error
from twisted.internet.address import UNIXAddress
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.sockets import test_connecting as ours
from tests.sockets.loopback import Accepting, HalfRecorder, LoopbackTestCase, overTransports
from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.sockets.events import SocketContext
from twisted_envoy.sockets.interfaces import ConnectOptions
from twisted_envoy.sockets.transports.connecting import TransportAttempt

ConnectTests = overTransports(ours.ConnectTests, __name__)


class OptionsTests(LoopbackTestCase):
    transports = True

    async def test_optionsComeBeforeTheAddress(self) -> None:
        """A source address and socket options go together."""
        port = await self.listen(Accepting())
        keepAlive = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client = HalfRecorder()

        await self.connect(port.getHost(), client, ConnectOptions(("127.0.0.3", 0), (keepAlive,)))

        self.assertEqual(client.transport.getHost().host, "127.0.0.3")
        self.assertEqual(client.transport.getHandle().getsockopt(*keepAlive[:2]), 1)
        await client.gone()
        for server in self.accepted(port):
            await server.gone()

    async def test_refusedOption(self) -> None:
        """One that the kernel refuses is an error, at once; nothing is left of the attempt."""
        port = await self.listen(Accepting())
        bad = (socket.SOL_SOCKET, 9999, 1)

        connecting = self.connect(port.getHost(), HalfRecorder(), ConnectOptions(options=(bad,)))

        self.assertTrue(connecting.called)
        problem = await self.assertFailure(connecting, error.ConnectError)
        self.assertEqual(problem.osError, errno.ENOPROTOOPT)


class NoUnixTests(SynchronousTestCase):
    def test_reactorWithoutUnixSockets(self) -> None:
        """A Unix address fails at once where the reactor has none."""
        clock = Clock()
        context = SocketContext(clock, TurnQueue(clock))  # type: ignore[arg-type]
        attempt = TransportAttempt(UNIXAddress("/a"), None, context)

        failure = self.failureResultOf(attempt.start(ConnectOptions()))

        self.assertIn("no Unix sockets", str(failure.value))
