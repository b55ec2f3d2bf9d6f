"""Five hops with state, two hundred connections at once, two megabytes each way."""

from __future__ import annotations

import gc
from typing import Any
from zlib import crc32

from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.bootstraps import addressOf, bootstrap, listener, logTo, setFilterState, tcpProxy
from tests.bootstraps import cluster as plainCluster
from tests.extensions.common.test_hop_switches import passing
from tests.integration.test_leaks import alive
from twisted_envoy.testing import MemoryEnvoy

HOPS = 5
CONNECTIONS = 200
CHUNK = 64 * 1024
CHUNKS = 32
SIZE = CHUNK * CHUNKS
ORIGIN = "127.0.0.1:10000"
BUFFER = 64 * 1024
SEEN = (
    "%FILTER_STATE(who:PLAIN)% %FILTER_STATE(once:PLAIN)% %DYNAMIC_METADATA(ns:at)% "
    "%BYTES_RECEIVED% %BYTES_SENT% %RESPONSE_FLAGS%"
)


def chunkOf(seed: int, number: int) -> bytes:
    """What a side sends: begins with its seed, and differs in each chunk."""
    return (b"%08d" % (seed * 1000 + number)) * (CHUNK // 8)


def sumOf(seed: int) -> int:
    """The checksum of that."""
    total = 0
    for number in range(CHUNKS):
        total = crc32(chunkOf(seed, number), total)
    return total


@implementer(IHalfCloseableProtocol, IPushProducer)
class Side(Protocol):
    """Sends its chunks and its end while it is not paused; sums up what comes."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.received = self.sum = 0
        self.ended = self.lost = self.paused = False
        self.left = CHUNKS if seed else 0

    def connectionMade(self) -> None:
        """Begin, unless the peer is to say with what."""
        transport: Any = self.transport
        transport.registerProducer(self, True)
        if self.seed:
            self.resumeProducing()

    def pauseProducing(self) -> None:
        """Enough."""
        self.paused = True

    def resumeProducing(self) -> None:
        """More."""
        transport: Any = self.transport
        self.paused = False
        while self.left and not self.paused:
            self.left -= 1
            transport.write(chunkOf(self.seed, CHUNKS - 1 - self.left))
            if not self.left:
                transport.unregisterProducer()
                transport.loseWriteConnection()

    def stopProducing(self) -> None:
        """Part of the interface."""

    def dataReceived(self, data: bytes) -> None:
        """Sum up; the origin answers with what belongs to the first chunk."""
        if not self.seed:
            self.seed = int(data[:8]) // 1000 + 500
            self.left = CHUNKS
            self.resumeProducing()
        self.received += len(data)
        self.sum = crc32(data, self.sum)

    def readConnectionLost(self) -> None:
        """The peer's end."""
        self.ended = True
        transport: Any = self.transport
        if not self.left:
            transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Our own end is out."""

    def connectionLost(self, reason: object = None) -> None:
        """Over."""
        self.lost = True


class Sides(Factory):
    """Keeps its protocols."""

    noisy = False

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.made: list[Side] = []

    def buildProtocol(self, addr: object) -> Side:
        """One more."""
        self.made.append(Side(self.seed))
        return self.made[-1]


def chain() -> str:
    """Listener `in`, then hop1 to hop5, then the origin; each hop is told its number."""
    listeners = [
        listener(
            "in",
            "127.0.0.1:9000",
            setFilterState("who", "%DOWNSTREAM_REMOTE_PORT%", "TRANSITIVE"),
            setFilterState("once", "x", "ONCE"),
            tcpProxy("hop1", "in", access_log=logTo("in.log", SEEN)),
        )
    ]
    clusters = [plainCluster("origin", ORIGIN)]
    for number in range(1, HOPS + 1):
        name = f"hop{number}"
        following = f"hop{number + 1}" if number < HOPS else "origin"
        log = logTo(f"{name}.log", SEEN)
        listeners.append(listener(name, "internal:", tcpProxy(following, name, access_log=log)))
        host = {
            "endpoint": {"address": addressOf(f"internal:{name}")},
            "metadata": {"filter_metadata": {"ns": {"at": name}}},
        }
        assignment = {"cluster_name": name, "endpoints": [{"lb_endpoints": [host]}]}
        socket = passing(("host", "ns"))
        clusters.append({"name": name, "load_assignment": assignment, "transport_socket": socket})
    layer = {"twisted_envoy.internal.buffer_of_listener": True}
    for one in listeners:
        one["per_connection_buffer_limit_bytes"] = BUFFER
    layers = {"layers": [{"name": "ours", "static_layer": layer}]}
    return bootstrap(listeners, clusters, layered_runtime=layers)


class FiveHopTests(SynchronousTestCase):
    """All bytes, all states, nothing left."""

    def test_chain(self) -> None:
        """Every connection's bytes and state are its own at every hop, and memory is given back."""
        envoy = MemoryEnvoy(chain())
        origin: Sides = envoy.listen(ORIGIN, Sides())
        before = alive()
        clients = []
        for number in range(1, CONNECTIONS + 1):
            factory = Sides(number)
            envoy.endpoint("in", f"10.0.0.1:{20000 + number}").connect(factory)
            clients.append(factory)
        envoy.settle()

        for number, factory in enumerate(clients, 1):
            (client,) = factory.made
            self.assertEqual((client.received, client.ended, client.lost), (SIZE, True, True))
            self.assertEqual(client.sum, sumOf(number + 500))
        self.assertEqual(len(origin.made), CONNECTIONS)
        for server in origin.made:
            self.assertEqual((server.received, server.ended, server.lost), (SIZE, True, True))
            self.assertEqual(server.sum, sumOf(server.seed - 500))
        ports = [str(20000 + number) for number in range(1, CONNECTIONS + 1)]
        for hop in range(1, HOPS + 1):
            name = f"hop{hop}"
            once = "x" if hop == 1 else "-"
            expected = [f"{port} {once} {name} {SIZE} {SIZE} -" for port in ports]
            self.assertEqual(sorted(envoy.lines(f"{name}.log")), expected)
            self.assertEqual(envoy.stat(f"cluster.{name}.upstream_cx_active"), 0)

        del client, factory, server
        clients.clear()
        origin.made.clear()
        gc.collect()
        self.assertEqual(alive() - before, {})
        envoy.stop()
