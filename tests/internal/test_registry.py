"""
Tests for twisted_envoy.internal.registry.
"""

from __future__ import annotations

import errno
import gc
from weakref import ref

from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.internal.support import Push, Recorder, Single, World
from twisted_envoy.internal import InternalAddress, InternalClientEndpoint, Registry, getRegistry
from twisted_envoy.internal.interfaces import IInternalTransport


class Unweakable:
    """A reactor that can't be referred to weakly."""

    __slots__ = ("callLater", "seconds")


class Unhashable(Clock):
    """A reactor that can't be hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self is other


class GetRegistryTests(SynchronousTestCase):
    """One registry a reactor."""

    def test_onePerReactor(self) -> None:
        """The same reactor has the same registry, another has another."""
        one, other = Clock(), Clock()
        self.assertIs(getRegistry(one), getRegistry(one))
        self.assertIsNot(getRegistry(one), getRegistry(other))

    def test_oddReactors(self) -> None:
        """Reactors without weak references or hashes have theirs too."""
        for reactor in (Unweakable(), Unhashable()):
            registry = getRegistry(reactor)  # type: ignore[arg-type]
            self.assertIs(getRegistry(reactor), registry)  # type: ignore[arg-type]
            self.assertIsNot(getRegistry(Clock()), registry)

    def test_goesWithItsReactor(self) -> None:
        """A registry does not keep its reactor, and goes with it."""
        clock = Clock()
        registry = getRegistry(clock)
        registry.listen("a", Single(None))
        gone = ref(clock), ref(registry)
        del clock, registry
        gc.collect()
        self.assertEqual([one() for one in gone], [None, None])

    def test_works(self) -> None:
        """A connection through it arrives."""
        clock = Clock()
        client, server = Recorder(), Recorder()
        getRegistry(clock).listen("a", Single(server))
        connected = InternalClientEndpoint(clock, "a").connect(Single(client))
        clock.advance(0)
        self.assertIs(self.successResultOf(connected), client)
        client.transport.write(b"x")
        clock.advance(0)
        self.assertEqual(server.received, b"x")


class BufferSizeTests(SynchronousTestCase):
    """The receive buffers' size."""

    def pausedAt(self, world: World) -> int:
        """How many bytes a new connection takes before its producer pauses."""
        client, server = Recorder(), Recorder()
        world.join(client, server)
        push = Push()
        client.transport.registerProducer(push, True)
        size = 0
        while not push.calls:
            client.transport.write(b"x" * 512)
            size += 512
        return size - 512

    def test_default(self) -> None:
        """It is 1 MiB."""
        self.assertEqual(self.pausedAt(World()), 1024 * 1024)

    def test_newConnections(self) -> None:
        """A change holds for new connections."""
        world = World()
        world.registry.bufferSize = 2048
        self.assertEqual(world.registry.bufferSize, 2048)
        self.assertEqual(self.pausedAt(world), 2048)

    def test_range(self) -> None:
        """1 KiB to 8 MiB, both inclusive."""
        registry = Registry(Clock(), 1024)
        registry.bufferSize = 8 * 1024 * 1024
        for size in (0, 1023, 8 * 1024 * 1024 + 1):
            error = self.assertRaises(ValueError, setattr, registry, "bufferSize", size)
            self.assertIn(str(size), str(error))
            self.assertRaises(ValueError, Registry, Clock(), size)
            self.assertRaises(ValueError, registry.listen, "a", Single(None), size)
        self.assertIsNone(registry.find("a"))

    def test_ofOneListener(self) -> None:
        """A listener can have its own."""
        world = World()
        client, server = Recorder(), Recorder()
        world.registry.listen("small", Single(server), 1024)
        InternalClientEndpoint(world.clock, "small", registry=world.registry).connect(
            Single(client)
        )
        world.pump()
        push = Push()
        client.transport.registerProducer(push, True)
        client.transport.write(b"x" * 1025)
        self.assertEqual(push.calls, ["pause"])


class HopTests(SynchronousTestCase):
    """Connections that follow one from the other."""

    def setUp(self) -> None:
        self.world = World()
        self.errors: list[ConnectError] = []
        self.hops: list[int] = []

    def connect(self, name: str, hops: int = 0) -> None:
        endpoint = InternalClientEndpoint(
            self.world.clock, name, hops=hops, registry=self.world.registry
        )
        factory = Factory.forProtocol(Protocol)
        factory.noisy = False
        connected = endpoint.connect(factory)
        connected.addErrback(lambda reason: self.errors.append(reason.value))

    def listen(self, name: str, onward: str, when: str, times: int = 1) -> None:
        """Listen with a protocol that connects onward when made or when data comes."""
        test = self

        class Onward(Protocol):
            def connectionMade(self) -> None:
                transport = IInternalTransport(self.transport)
                test.hops.append(transport.hops)
                if when == "connectionMade":
                    for _ in range(times):
                        test.connect(onward)

            def dataReceived(self, data: bytes) -> None:
                test.connect(onward, IInternalTransport(self.transport).hops)

        class Talker(Protocol):
            def connectionMade(self) -> None:
                assert self.transport is not None
                self.transport.write(b"go on")

        class Talk(Factory):
            protocol = Talker
            noisy = False

        if when == "dataReceived":
            original = self.connect

            def connect(name: str, hops: int = 0) -> None:
                endpoint = InternalClientEndpoint(
                    self.world.clock, name, hops=hops, registry=self.world.registry
                )
                connected = endpoint.connect(Talk())
                connected.addErrback(lambda reason: self.errors.append(reason.value))

            self.connect = connect  # type: ignore[method-assign]
            self.addCleanup(setattr, self, "connect", original)
        factory = Factory.forProtocol(Onward)
        factory.noisy = False
        self.world.registry.listen(name, factory)

    def test_first(self) -> None:
        """A connection from outside is the first hop, on both ends."""
        client, server = Recorder(), Recorder()
        self.world.join(client, server)
        self.assertEqual((client.transport.hops, server.transport.hops), (1, 1))

    def test_inlineLoop(self) -> None:
        """A listener that connects to itself when a connection is made ends with an error."""
        self.listen("A", "A", "connectionMade")
        self.connect("A")
        self.world.pump()
        self.assertEqual(self.hops, list(range(1, 33)))
        (error,) = self.errors
        self.assertEqual(error.osError, errno.ELOOP)
        self.assertIn(
            "internal connection to envoy://A/ would be hop 33, the limit is 32: "
            "... -> A -> A -> A -> A -> A",
            str(error),
        )

    def test_loopOfTwo(self) -> None:
        """So does a loop over two listeners; the error names the way."""
        self.world.registry.maxHops = 5
        self.listen("A", "B", "connectionMade")
        self.listen("B", "A", "connectionMade")
        self.connect("A")
        self.world.pump()
        self.assertEqual(self.hops, [1, 2, 3, 4, 5])
        self.assertIn("... -> B -> A -> B -> A -> B", str(self.errors[0]))

    def test_laterLoop(self) -> None:
        """A loop that goes on when data comes is seen if the transport's hops are handed on."""
        self.listen("A", "A", "dataReceived")
        self.connect("A")
        self.world.pump()
        self.assertEqual(self.hops, list(range(1, 33)))
        self.assertIn("would be hop 33", str(self.errors[0]))

    def test_fanOut(self) -> None:
        """A loop that opens two connections at each hop is bounded in number too."""
        self.world.registry.maxNested = 100
        self.listen("A", "A", "connectionMade", times=2)
        self.connect("A")
        self.world.pump()
        self.assertEqual(len(self.hops), 101)
        self.assertTrue(any("number 101 opened while one to A" in str(e) for e in self.errors))

    def test_nestedOneByOne(self) -> None:
        """Only what is opened inside one accept counts together."""
        self.world.registry.maxNested = 2
        self.listen("A", "B", "connectionMade", times=2)
        self.world.registry.listen("B", Factory.forProtocol(Protocol))
        for _ in range(5):
            self.connect("A")
            self.world.pump()
        self.assertEqual(self.errors, [])

    def test_afterAnError(self) -> None:
        """Afterwards a new connection is a first hop again, as many times as one likes."""
        self.test_fanOut()
        self.world.registry.listen("B", Single(Recorder()))
        for _ in range(200):
            client = self.world.registry.connect(InternalAddress("B"))
            self.assertEqual(client.hops, 1)
            client.discard()
        self.world.pump()
