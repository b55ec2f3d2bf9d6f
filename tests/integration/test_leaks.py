"""Connections that are gone leave no object behind."""

from __future__ import annotations

import gc
from collections import Counter

from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, echo, listener, logTo, setFilterState, tcpProxy
from tests.integration.running import RunningTestCase, later
from twisted_envoy.testing import MemoryEnvoy

NAMES = frozenset(
    {
        "Acceptor",
        "Chain",
        "Caller",
        "CountedGate",
        "FilterState",
        "IdleTimer",
        "InternalTransport",
        "Passthrough",
        "Pipe",
        "PoolConnection",
        "ReadGate",
        "StreamInfo",
        "StreamSocket",
        "TCPPool",
        "TCPProxy",
        "Upstream",
        "UpstreamInfo",
        "WriteBuffer",
        "_Attempt",
    }
)


class Caller(Protocol):
    """Says a word and drops the connection in one of four ways at the answer."""

    number = 0

    def __init__(self):
        Caller.number += 1
        self.way = Caller.number % 4

    def connectionMade(self):
        self.transport.write(b"word")
        if self.way == 3:
            self.transport.abortConnection()

    def dataReceived(self, data):
        if self.way == 0:
            self.transport.loseConnection()
        elif self.way == 1:
            self.transport.abortConnection()
        else:
            self.transport.write(b"x" * 100_000)
            self.transport.loseConnection()


def alive():
    """How many objects of each kind there are."""
    return Counter(type(one).__name__ for one in gc.get_objects() if type(one).__name__ in NAMES)


def chained(address):
    """
    `ingress`, which shares filter state -> hop -> hop -> echo; `lost` leads to nobody.
    """
    state = setFilterState("k", "v", "TRANSITIVE")
    log = logTo("/dev/null", "%BYTES_SENT%")
    return bootstrap(
        [
            listener("ingress", address, state, tcpProxy("hop", access_log=log)),
            listener("hop", "internal:", tcpProxy("last", "hop", idle_timeout="1s")),
            listener("last", "internal:", echo()),
            listener("lost", address.replace("9000", "9001"), tcpProxy("nobody")),
        ],
        [
            cluster("hop", "internal:hop"),
            cluster("last", "internal:last"),
            cluster("nobody", "internal:nobody"),
        ],
    )


class MemoryTests(SynchronousTestCase):
    """10,000 connections in memory."""

    def test_tenThousand(self):
        """However they end, and without the collector's help, nothing of them stays."""
        envoy = MemoryEnvoy(chained("127.0.0.1:9000"))
        factory = Factory.forProtocol(Caller)
        factory.noisy = False
        self.batch(envoy, factory)
        envoy.connect("ingress")
        gc.collect()
        before = alive()
        self.assertLessEqual({"Chain", "InternalTransport", "StreamInfo", "TCPProxy"}, set(before))
        gc.disable()
        self.addCleanup(gc.enable)
        for _ in range(99):
            self.batch(envoy, factory)
        self.assertEqual(alive() - before, Counter())
        self.assertEqual(envoy.stat("tcp.tcp.downstream_cx_total"), 10_001)
        active = envoy.stats("(cx|rq|flush)_active$")
        self.assertEqual(set(active.values()), {1})

    def batch(self, envoy, factory):
        ways = envoy.endpoint("ingress"), envoy.endpoint("lost")
        for number in range(100):
            ways[number % 8 == 7].connect(factory).addErrback(lambda failure: None)
        envoy.settle()


class SocketTests(RunningTestCase):
    """500 on sockets."""

    async def test_fiveHundred(self):
        """The same with the kernel between them."""
        server = await self.run_(chained("127.0.0.1:0"))
        await self.batch(server, 20)
        gc.collect()
        before = alive()
        gc.disable()
        self.addCleanup(gc.enable)
        for _ in range(10):
            await self.batch(server, 50)
        await self.until(lambda: server.listeners.openConnections == 0)
        for _ in range(100):  # closed sockets may wait a moment for their peers
            left = alive() - before
            if not left:
                break
            await later(0.01)
        self.assertEqual(left, Counter())

    async def batch(self, server, size):
        for name in ("ingress", "lost"):
            clients = [await self.client(server, name) for _ in range(size // 2)]
            self._peers = []
            for client in clients:
                client.transport.write(b"word")
            for client in clients:
                await client.until(lambda client=client: client.data or client.events[-1] != "made")
                await client.gone()
