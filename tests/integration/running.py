"""A bootstrap on real sockets inside the test's own reactor, and stock Twisted peers around it."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from tests.sockets.loopback import Accepting, HalfRecorder
from twisted_envoy.server.build import buildServer
from twisted_envoy.server.options import ServerOptions


class SlowRecorder(HalfRecorder):
    """Reads one chunk a turn of the reactor."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.pauseProducing()
        super().dataReceived(data)
        reactor.callLater(0.0005, self._again)  # type: ignore[attr-defined]

    def _again(self) -> None:
        if "lost" not in self.events:
            self.transport.resumeProducing()


class RunningTestCase(TestCase):
    """A case that runs bootstraps in the global reactor."""

    timeout = 60

    def setUp(self) -> None:
        self._peers: list[HalfRecorder] = []
        self._server: Any = None
        self.addCleanup(lambda: Deferred.fromCoroutine(self.stop()))

    async def run_(self, text: str) -> Any:
        """Build, bind and start; the one before is stopped, since a reactor's names are one."""
        await self.stop()
        server = self._server = buildServer(ServerOptions(configYAML=text), reactor)
        await server.privilegedStartService()
        server.startService()
        return server

    async def stop(self) -> None:
        """Reset the peers and stop what runs."""
        peers, self._peers = self._peers, []
        for peer in peers:
            await peer.gone()
        server, self._server = self._server, None
        if server is not None:
            await server.stopService()

    async def origin(self, kind: type[Any] = HalfRecorder) -> tuple[Accepting, str]:
        """A stock Twisted server, and its address."""
        accepting = Accepting(kind)
        port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(accepting)
        self.addCleanup(port.stopListening)
        return accepting, f"127.0.0.1:{port.getHost().port}"

    async def client(self, server: Any, name: str = "ingress", kind: Any = HalfRecorder) -> Any:
        """A stock Twisted client of a listener."""
        address = server.listeners.get(name).address
        factory = Factory.forProtocol(kind)
        factory.noisy = False
        made = await TCP4ClientEndpoint(reactor, address.host, address.port).connect(factory)
        self._peers.append(made)
        return made

    async def joined(self, server: Any, accepting: Accepting, kind: Any = HalfRecorder) -> Any:
        """A client, and what the origin got for it."""
        accepted = accepting.next()
        client = await self.client(server, kind=kind)
        upstream = await accepted
        self._peers.append(upstream)
        return client, upstream

    async def until(self, condition: Any) -> None:
        """Returns once a function says True; the test's timeout is the limit."""
        while not condition():
            await later(0.01)

    async def steady(self, number: Any, times: int = 10) -> int:
        """The value of a function once it has been the same so many times in a row."""
        last, same = number(), 0
        while same < times:
            await later(0.02)
            now = number()
            same = same + 1 if now == last else 0
            last = now
        found: int = last
        return found


def later(seconds: float) -> Deferred[None]:
    """Fires when some time has passed."""
    return deferLater(reactor, seconds, lambda: None)  # type: ignore[arg-type]
