"""
Connections leave nothing behind.
"""

from __future__ import annotations

import gc
from weakref import ref

from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase

from tests.internal.support import HalfRecorder, Push, Recorder, World
from twisted_envoy.internal import InternalClientEndpoint
from twisted_envoy.internal.end import End
from twisted_envoy.internal.pipe import Chunks


class Echo(Protocol):
    """Writes back what it gets."""

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


class Caller(Protocol):
    """Writes, and closes at the answer."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"x" * 64)

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.loseConnection()


class MemoryTests(SynchronousTestCase):
    """No garbage, no references."""

    def setUp(self) -> None:
        self.world = World()
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        self.before = {id(found): found for found in self.found()}  # what other tests hold

    def found(self) -> list[object]:
        kinds = (End, Chunks, Echo, Caller)
        return [found for found in gc.get_objects() if issubclass(type(found), kinds)]

    def leftOver(self) -> list[object]:
        return [found for found in self.found() if id(found) not in self.before]

    def test_tenThousand(self) -> None:
        """10,000 connections, used and closed: not one object stays, even without the collector."""
        servers, callers = Factory.forProtocol(Echo), Factory.forProtocol(Caller)
        servers.noisy = callers.noisy = False
        self.world.registry.listen("a", servers)
        endpoint = InternalClientEndpoint(self.world.clock, "a", registry=self.world.registry)
        for _ in range(100):
            for _ in range(100):
                endpoint.connect(callers)
            self.world.pump()
        self.assertEqual(callers.numPorts, 0)
        self.assertEqual(self.leftOver(), [])
        self.assertEqual(gc.collect(), 0)

    def test_eachEnding(self) -> None:
        """However a connection ends, both transports go when the protocols let go of them."""

        def abort(one: Recorder, other: Recorder) -> None:
            one.transport.abortConnection()

        def close(one: Recorder, other: Recorder) -> None:
            one.transport.registerProducer(Push(), True)
            one.transport.write(b"x" * 2_000_000)
            one.transport.loseConnection()
            one.transport.unregisterProducer()
            self.world.pump()
            other.transport.loseConnection()

        def halves(one: Recorder, other: Recorder) -> None:
            one.transport.loseWriteConnection()
            other.transport.loseWriteConnection()
            self.world.pump()
            one.transport.loseConnection()
            other.transport.loseConnection()

        for end in (abort, close, halves):
            one, other = HalfRecorder(), HalfRecorder()
            self.world.join(one, other)
            gone = [ref(one.transport), ref(other.transport)]
            end(one, other)
            self.world.pump()
            one.reason = other.reason = None
            del one.transport, other.transport
            self.assertEqual([transport() for transport in gone], [None, None], end.__name__)

    def test_refusedAndCancelled(self) -> None:
        """Nothing stays of connections that did not come about."""

        class Closing(Recorder):
            def connectionMade(self) -> None:
                self.transport.loseConnection()

        for _ in range(10):
            connected, _, _ = self.world.attempt(Recorder(), Closing())
            self.failureResultOf(connected)
            connected, _, _ = self.world.attempt(Recorder(), Recorder())
            connected.cancel()
            self.failureResultOf(connected)
            connected, _, _ = self.world.attempt(None, Recorder())
            self.world.pump()
            self.failureResultOf(connected)
        del connected, _
        self.world.registry._names.clear()
        gc.collect()
        self.assertEqual(self.leftOver(), [])
