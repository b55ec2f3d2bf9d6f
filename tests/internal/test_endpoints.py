"""
Tests for twisted_envoy.internal.endpoints.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from types import SimpleNamespace

from twisted.internet.defer import Deferred
from twisted.internet.error import (
    CannotListenError,
    ConnectingCancelledError,
    ConnectionRefusedError,
    NoProtocol,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase

from tests.internal.support import HalfRecorder, Push, Recorder, Single, World
from twisted_envoy.internal import (
    InternalAddress,
    InternalClientEndpoint,
    InternalServerEndpoint,
)


class AtOnce(HalfRecorder):
    """Does something as soon as it is connected."""

    def __init__(self, act: Callable[[Recorder], object]) -> None:
        super().__init__()
        self.act = act

    def connectionMade(self) -> None:
        super().connectionMade()
        self.act(self)


class EndpointTestCase(SynchronousTestCase):
    """A world, and a check of refusals."""

    def setUp(self) -> None:
        self.world = World()

    def assertRefused(self, connected: Deferred[Protocol], text: str) -> None:
        error = self.failureResultOf(connected, ConnectionRefusedError).value
        self.assertEqual(error.osError, errno.EINVAL)
        self.assertIn(text, str(error))


class ListenTests(EndpointTestCase):
    """InternalServerEndpoint."""

    def test_listen(self) -> None:
        """It listens in the registry it was given, or in the reactor's."""
        endpoint = InternalServerEndpoint(self.world.clock, "a", self.world.registry)
        port = self.successResultOf(endpoint.listen(Single(None)))
        self.assertIs(self.world.registry.find("a"), port)
        other = InternalServerEndpoint(self.world.clock, "a")
        self.assertIsNot(self.successResultOf(other.listen(Single(None))), port)

    def test_nameTaken(self) -> None:
        """The second listener of a name fails."""
        endpoint = InternalServerEndpoint(self.world.clock, "a", self.world.registry)
        self.successResultOf(endpoint.listen(Single(None)))
        self.failureResultOf(endpoint.listen(Single(None)), CannotListenError)


class ConnectTests(EndpointTestCase):
    """InternalClientEndpoint, when it goes well."""

    def test_order(self) -> None:
        """The server is accepted inside connect; the client is made, and told, later."""
        client, server = Recorder(), Recorder()
        connected, clientFactory, serverFactory = self.world.attempt(client, server)
        self.assertEqual((server.events, client.events), (["made"], []))
        self.assertNoResult(connected)
        self.assertEqual((clientFactory.starts, clientFactory.addresses), (1, []))
        self.world.pump()
        self.assertIs(self.successResultOf(connected), client)
        self.assertEqual(client.events, ["made"])

    def test_oneTurn(self) -> None:
        """Outside of an event it takes one timer."""
        connected, _, _ = self.world.attempt(Recorder(), Recorder())
        (call,) = self.world.clock.calls
        self.assertNoResult(connected)
        call.func()
        self.successResultOf(connected)

    def test_eventBoundary(self) -> None:
        """Inside an event it takes none: the connection is confirmed when that has ended."""
        turn = self.world.registry.turn
        turn.enter()
        connected, _, _ = self.world.attempt(Recorder(), Recorder())
        self.assertNoResult(connected)
        turn.leave()
        self.successResultOf(connected)
        self.assertEqual(self.world.clock.calls, [])

    def test_eventInsideTheAccept(self) -> None:
        """An event that ends inside the accept does not confirm it, and does not lose it."""
        turn = self.world.registry.turn
        client = Recorder()

        def act(protocol: Recorder) -> None:
            turn.enter()
            turn.leave()
            self.assertEqual(client.events, [])

        connected, _, _ = self.world.attempt(client, AtOnce(act))
        self.assertNoResult(connected)
        self.world.pump()
        self.assertIs(self.successResultOf(connected), client)

    def test_afterPoll(self) -> None:
        """With afterPoll it takes two timers: the reactor polls between them."""
        client = Recorder()
        self.world.registry.listen("a", Single(Recorder()))
        connected = InternalClientEndpoint(
            self.world.clock, "a", registry=self.world.registry, afterPoll=True
        ).connect(Single(client))
        (call,) = self.world.clock.calls
        self.world.clock.calls.clear()
        call.func()
        self.assertNoResult(connected)
        (call,) = self.world.clock.calls
        call.func()
        self.assertIs(self.successResultOf(connected), client)

    def test_afterPollNobody(self) -> None:
        """What failed at once is told then, too, and says that it was at once."""
        connected = InternalClientEndpoint(
            self.world.clock, "nobody", registry=self.world.registry, afterPoll=True
        ).connect(Single(Recorder()))
        self.assertNoResult(connected)
        self.world.pump()
        problem = self.failureResultOf(connected, ConnectionRefusedError).value
        self.assertTrue(problem.atOnce)  # type: ignore[attr-defined]

    def test_afterPollCancelled(self) -> None:
        """Nobody is told who no longer waits."""
        connected = InternalClientEndpoint(
            self.world.clock, "nobody", registry=self.world.registry, afterPoll=True
        ).connect(Single(Recorder()))
        connected.cancel()
        self.failureResultOf(connected, ConnectingCancelledError)
        self.world.pump()

    def test_nestedConnects(self) -> None:
        """What is connected while a connection is accepted is confirmed after that connection."""
        order: list[str] = []
        inner = AtOnce(lambda _: order.append("inner"))
        outer = AtOnce(lambda _: order.append("outer"))
        self.world.attempt(outer, AtOnce(lambda _: self.world.attempt(inner, Recorder())))
        self.world.pump()
        self.assertEqual(order, ["outer", "inner"])

    def test_addresses(self) -> None:
        """Each side's factory and transport see the addresses, the endpoint id included."""
        client, server = Recorder(), Recorder()
        serverFactory, clientFactory = Single(server), Single(client)
        self.world.registry.listen("a", serverFactory)
        local, remote = InternalAddress("me", "7"), InternalAddress("a", "ep1")
        endpoint = InternalClientEndpoint(
            self.world.clock, "a", "ep1", registry=self.world.registry, localAddress=local
        )
        endpoint.connect(clientFactory)
        self.world.pump()
        self.assertEqual(serverFactory.addresses, [local])
        self.assertEqual(clientFactory.addresses, [remote])
        self.assertEqual(server.transport.getHost(), remote)
        self.assertEqual(server.transport.getPeer(), local)
        self.assertEqual(client.transport.getHost(), local)
        self.assertEqual(client.transport.getPeer(), remote)

    def test_passthrough(self) -> None:
        """The passthrough object is on the server's transport when it is connected."""
        seen: list[object] = []
        server = AtOnce(lambda protocol: seen.append(protocol.transport.passthrough))
        self.world.registry.listen("a", Single(server))
        carried = object()
        client = Recorder()
        endpoint = InternalClientEndpoint(
            self.world.clock, "a", passthrough=carried, registry=self.world.registry
        )
        endpoint.connect(Single(client))
        self.world.pump()
        self.assertEqual(seen, [carried])
        self.assertIs(client.transport.passthrough, carried)

    def test_passthroughOfOne(self) -> None:
        """A connection may have another one than its endpoint's."""
        seen: list[object] = []

        def server() -> AtOnce:
            return AtOnce(lambda protocol: seen.append(protocol.transport.passthrough))

        self.world.registry.listen("a", Factory.forProtocol(server))  # type: ignore[arg-type]
        endpoint = InternalClientEndpoint(
            self.world.clock, "a", passthrough="usual", registry=self.world.registry
        )
        for own in (None, "own"):
            user = SimpleNamespace(
                buildProtocol=lambda address: Recorder(), connected=lambda protocol: None
            )
            endpoint.begin(user, own)  # type: ignore[arg-type]
            self.world.pump()
        self.assertEqual(seen, ["usual", "own"])

    def test_factoryIsStoppedWithTheConnection(self) -> None:
        """The client's factory is started by connect and stopped when the connection is lost."""
        client, server = Recorder(), Recorder()
        _, clientFactory, serverFactory = self.world.attempt(client, server)
        self.world.pump()
        client.transport.loseConnection()
        self.world.pump()
        self.assertEqual((clientFactory.starts, clientFactory.stops), (1, 1))
        self.assertEqual((serverFactory.starts, serverFactory.stops), (1, 0))

    def test_pausedInConnectionMade(self) -> None:
        """Either side may pause as soon as it is connected."""
        server = AtOnce(lambda protocol: protocol.transport.pauseProducing())
        client = AtOnce(lambda protocol: protocol.transport.pauseProducing())
        self.world.attempt(client, server)
        self.world.pump()
        client.transport.write(b"up")
        server.transport.write(b"down")
        self.world.pump()
        self.assertEqual((client.received, server.received), (b"", b""))
        client.transport.resumeProducing()
        server.transport.resumeProducing()
        self.world.pump()
        self.assertEqual((client.received, server.received), (b"down", b"up"))


class GreetingTests(EndpointTestCase):
    """What the server does before the connection is confirmed."""

    def greet(self, *acts: str, also: bytes = b"") -> Recorder:
        """Connect to a server that writes and then does acts; the client's protocol."""

        def act(protocol: Recorder) -> None:
            protocol.transport.write(b"hello")
            for name in acts:
                getattr(protocol.transport, name)()
            protocol.transport.write(also)

        self.client = HalfRecorder()
        self.server = AtOnce(act)
        connected, _, _ = self.world.attempt(self.client, self.server)
        connected.addCallback(lambda protocol: protocol.events.append("fired"))
        self.world.pump()
        return self.client

    def test_write(self) -> None:
        """Its greeting comes after the Deferred has fired."""
        self.assertEqual(self.greet().events, ["made", "fired", b"hello"])

    def test_halfClose(self) -> None:
        """Then its end of stream."""
        client = self.greet("loseWriteConnection")
        self.assertEqual(client.events, ["made", "fired", b"hello", "readLost"])
        self.assertTrue(client.transport.connected)

    def test_close(self) -> None:
        """If it closes at once, the greeting comes whole, then the end."""
        client = self.greet("loseConnection")
        self.assertEqual(client.events, ["made", "fired", b"hello", "readLost"])
        self.assertEqual(self.server.ends, ["ConnectionDone"])

    def test_abort(self) -> None:
        """Even if it aborts, the greeting comes first."""
        client = self.greet("abortConnection", also=b"ignored")
        self.assertEqual(client.events, ["made", "fired", b"hello", "ConnectionLost"])
        self.assertEqual(self.server.ends, ["ConnectionAborted"])

    def test_onlyHalfClose(self) -> None:
        """An end of stream alone is not a refusal."""
        client = HalfRecorder()
        server = AtOnce(lambda protocol: protocol.transport.loseWriteConnection())
        self.world.attempt(client, server)
        self.world.pump()
        self.assertEqual(client.events, ["made", "readLost"])
        self.assertEqual(server.ends, ["writeLost"])

    def test_watermark(self) -> None:
        """What is written before the confirmation counts: a producer pauses, then goes on."""
        push = Push()

        def act(protocol: Recorder) -> None:
            protocol.transport.registerProducer(push, True)
            protocol.transport.write(b"x" * 1025)

        self.world.registry.bufferSize = 1024
        client = Recorder()
        self.world.attempt(client, AtOnce(act))
        self.assertEqual(push.calls, ["pause"])
        self.world.pump()
        self.assertEqual(push.calls, ["pause", "resume"])
        self.assertEqual(len(client.received), 1025)

    def test_bulkGreeting(self) -> None:
        """8 MiB and a close inside the accept arrive whole at a client that reads slowly."""

        def act(protocol: Recorder) -> None:
            for _ in range(128):
                protocol.transport.write(b"x" * 65536)
            protocol.transport.loseConnection()

        client = AtOnce(lambda protocol: protocol.transport.pauseProducing())
        server = AtOnce(act)
        self.world.attempt(client, server)
        self.world.pump()
        self.assertEqual((client.received, server.ends), (b"", []))
        client.transport.resumeProducing()
        self.world.pump()
        self.assertEqual(len(client.received), 8 * 1024 * 1024)
        self.assertEqual(server.ends, ["ConnectionDone"])


class RefusedTests(EndpointTestCase):
    """Connections that do not come about."""

    def test_nobodyListens(self) -> None:
        """The Deferred has failed when connect returns; the factory is started and stopped."""
        factory = Single(Recorder())
        endpoint = InternalClientEndpoint(self.world.clock, "x", registry=self.world.registry)
        self.assertRefused(endpoint.connect(factory), "nobody listens on envoy://x/")
        self.assertEqual((factory.starts, factory.stops, factory.addresses), (1, 1, []))

    def test_noProtocol(self) -> None:
        """So it has when the server's factory builds nothing."""
        connected, _, _ = self.world.attempt(Recorder(), None)
        self.assertRefused(connected, "envoy://listener1/ closed the connection")
        self.world.pump()

    def test_closedInAccept(self) -> None:
        """So it has when the server closes or aborts at once; it hears of its loss later, once."""
        for verb, loss in (
            ("loseConnection", "ConnectionDone"),
            ("abortConnection", "ConnectionAborted"),
        ):
            server = AtOnce(lambda protocol, verb=verb: getattr(protocol.transport, verb)())
            client = Recorder()
            connected, factory, _ = self.world.attempt(client, server)
            self.assertRefused(connected, "closed the connection while accepting it")
            self.assertEqual(server.events, ["made"])
            self.world.pump()
            self.assertEqual(server.events, ["made", loss])
            self.assertEqual((client.events, factory.addresses), ([], []))
            self.assertEqual((factory.starts, factory.stops), (1, 1))

    def test_closedBeforeConfirmed(self) -> None:
        """What closes between the accept and the confirmation fails the connect, later."""
        for verb, loss in (
            ("loseConnection", "ConnectionDone"),
            ("abortConnection", "ConnectionAborted"),
        ):
            client, server = Recorder(), Recorder()
            connected, factory, _ = self.world.attempt(client, server)
            getattr(server.transport, verb)()
            self.assertNoResult(connected)
            self.world.pump()
            self.assertRefused(connected, "closed the connection before it was confirmed")
            self.assertEqual(server.events, ["made", loss])
            self.assertEqual((client.events, factory.addresses), ([], []))
            self.assertEqual((factory.starts, factory.stops), (1, 1))

    def test_waitsForItsProducer(self) -> None:
        """A server that closes but waits for its producer is not closed."""

        def act(protocol: Recorder) -> None:
            protocol.transport.registerProducer(Push(), True)
            protocol.transport.loseConnection()

        client, server = Recorder(), AtOnce(act)
        connected, _, _ = self.world.attempt(client, server)
        self.world.pump()
        self.assertIs(self.successResultOf(connected), client)
        server.transport.write(b"produced")
        server.transport.unregisterProducer()
        self.world.pump()
        self.assertEqual(client.events, ["made", b"produced", "ConnectionDone"])

    def test_clientHasNoProtocol(self) -> None:
        """A client factory that builds nothing fails the connect; the server is lost."""
        server = Recorder()
        connected, factory, _ = self.world.attempt(None, server)
        self.world.pump()
        self.failureResultOf(connected, NoProtocol)
        self.assertEqual(server.ends, ["ConnectionLost"])
        self.assertEqual((factory.starts, factory.stops), (1, 1))

    def test_clientRaises(self) -> None:
        """What the client's connectionMade raises fails the connect; both ends are lost."""

        def broken(protocol: Recorder) -> None:
            raise ZeroDivisionError

        client, server = AtOnce(broken), Recorder()
        connected, factory, _ = self.world.attempt(client, server)
        self.world.pump()
        self.failureResultOf(connected, ZeroDivisionError)
        self.assertEqual(client.ends, ["ZeroDivisionError"])
        self.assertEqual(server.ends, ["ConnectionLost"])
        self.assertEqual((factory.starts, factory.stops), (1, 1))


class CancelTests(EndpointTestCase):
    """Cancelling the Deferred."""

    def test_beforeConfirmed(self) -> None:
        """It fails at once as a TCP endpoint's does; the server is lost, the client never asked."""
        client, server = Recorder(), Recorder()
        connected, factory, _ = self.world.attempt(client, server)
        connected.cancel()
        failure = self.failureResultOf(connected, ConnectingCancelledError)
        self.assertEqual(failure.value.address, InternalAddress("listener1"))
        self.world.pump()
        self.assertEqual(server.ends, ["ConnectionLost"])
        self.assertEqual((client.events, factory.addresses, factory.stops), ([], [], 1))

    def test_closingServer(self) -> None:
        """A server that was closing anyway is closed in order."""
        client, server = Recorder(), Recorder()
        connected, _, _ = self.world.attempt(client, server)
        server.transport.write(b"bye")
        server.transport.loseConnection()
        connected.cancel()
        self.failureResultOf(connected, ConnectingCancelledError)
        self.world.pump()
        self.assertEqual(server.ends, ["ConnectionDone"])

    def test_byBuildProtocol(self) -> None:
        """Cancelling inside buildProtocol is the same."""
        client, server = Recorder(), Recorder()

        class Cancelling(Single):
            def buildProtocol(self, addr: object) -> Protocol | None:
                connected.cancel()
                return self.one

        self.world.registry.listen("a", Single(server))
        factory = Cancelling(client)
        connected = InternalClientEndpoint(
            self.world.clock, "a", registry=self.world.registry
        ).connect(factory)
        self.world.pump()
        self.failureResultOf(connected, ConnectingCancelledError)
        self.assertEqual((client.events, server.ends), ([], ["ConnectionLost"]))
        self.assertEqual(factory.stops, 1)

    def test_byConnectionMade(self) -> None:
        """Cancelling inside connectionMade aborts the connection."""
        for raises in (False, True):
            attempts: list[Deferred[Protocol]] = []

            def act(
                protocol: Recorder,
                attempts: list[Deferred[Protocol]] = attempts,
                raises: bool = raises,
            ) -> None:
                attempts[0].cancel()
                if raises:
                    raise ZeroDivisionError

            client, server = AtOnce(act), Recorder()
            connected, factory, _ = self.world.attempt(client, server)
            attempts.append(connected)
            self.world.pump()
            self.failureResultOf(connected, ConnectingCancelledError)
            self.assertEqual(client.ends, ["ConnectionAborted"])
            self.assertEqual(server.ends, ["ConnectionLost"])
            self.assertEqual(factory.stops, 1)
