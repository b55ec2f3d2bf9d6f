"""No byte is ever lost: 8 MiB, 64 KiB buffers, each order of write, half-close, close and abort."""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import gatherResults
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import INTERNAL, bootstrap, cluster, directResponse, echo, listener, tcpProxy
from tests.integration.running import RunningTestCase, SlowRecorder
from tests.sockets.loopback import PAYLOAD, HalfRecorder
from twisted_envoy.server.server_stats import residentBytes
from twisted_envoy.sockets.choosing import SWITCH
from twisted_envoy.sockets.transports.endpoints import TransportSockets
from twisted_envoy.testing import MemoryEnvoy, Peer

KIB = 1024
LIMIT = {"per_connection_buffer_limit_bytes": 64 * KIB}
SMALL = [{**INTERNAL, "typed_config": {**INTERNAL["typed_config"], "buffer_size_kb": 64}}]


def behind(hops, *filters, clusters=(), **fields):
    """`ingress` on a socket, then so many internal hops, then these filters; small buffers."""
    names = ["ingress", *(f"hop{number}" for number in range(hops))]
    listeners = []
    for place, name in enumerate(names):
        last = place == hops
        made = filters if last else (tcpProxy(names[place + 1], name),)
        address = "internal:" if place else "127.0.0.1:0"
        listeners.append(listener(name, address, *made, **LIMIT))
    between = [cluster(name, f"internal:{name}", **LIMIT) for name in names[1:]]
    return bootstrap(listeners, [*between, *clusters], bootstrap_extensions=SMALL, **fields)


class EchoTests(RunningTestCase):
    """Real Envoy's echo loses the tail when the client half-closes after 8 MiB."""

    async def echoed(self, hops, kind):
        server = await self.run_(behind(hops, echo()))
        client = await self.client(server, kind=kind)
        client.transport.write(PAYLOAD)
        client.transport.loseWriteConnection()
        await client.untilEvent("end")
        self.assertTrue(client.data == PAYLOAD, len(client.data))

    async def test_socket(self):
        """On a socket all 8 MiB come back."""
        await self.echoed(0, HalfRecorder)

    async def test_hops(self):
        """Behind one hop and behind two."""
        for hops in (1, 2):
            await self.echoed(hops, HalfRecorder)

    async def test_slowReader(self):
        """And to a client that reads slowly."""
        for hops in (0, 1):
            await self.echoed(hops, SlowRecorder)


class TransportsTests(RunningTestCase):
    """The same over Twisted's own transports, whatever the rest of the suite runs on."""

    SWITCHED = {"layers": [{"name": "s", "static_layer": {SWITCH: True}}]}

    async def test_echo(self):
        """On a socket, and behind a hop, to a slow reader."""
        for hops in (0, 1):
            server = await self.run_(behind(hops, echo(), layered_runtime=self.SWITCHED))
            self.assertIsInstance(server.sockets, TransportSockets)
            client = await self.client(server, kind=SlowRecorder)
            client.transport.write(PAYLOAD)
            client.transport.loseWriteConnection()
            await client.untilEvent("end")
            self.assertTrue(client.data == PAYLOAD, len(client.data))

    async def test_proxy(self):
        """8 MiB each way at once, each followed by its end; all are counted."""
        accepting, address = await self.origin()
        origin = cluster("origin", address, **LIMIT)
        text = behind(1, tcpProxy(), clusters=[origin], layered_runtime=self.SWITCHED)
        server = await self.run_(text)
        ends = await self.joined(server, accepting)
        for one in ends:
            one.transport.write(PAYLOAD)
            one.transport.loseWriteConnection()
        await gatherResults([one.untilEvent("end") for one in ends])
        for one in ends:
            self.assertTrue(one.data == PAYLOAD, len(one.data))
        counted = server.store.counters["cluster.origin.upstream_cx_tx_bytes_total"]
        self.assertEqual(counted.value, len(PAYLOAD))


class DirectResponseTests(RunningTestCase):
    """A filter that writes and closes inside accept: in Envoy a hop loses the whole greeting."""

    GREETING = "0123456789abcdef" * 32 * KIB  # 512 KiB, more than any buffer here

    async def greeted(self, hops, kind=HalfRecorder, says=b""):
        server = await self.run_(behind(hops, directResponse(self.GREETING)))
        client = await self.client(server, kind=kind)
        if says:
            client.transport.write(says)
        # bytes that nobody reads reset a hop: that may overtake its end, but no byte
        await client.until(lambda: {"end", "lost"} & set(client.events))
        self.assertTrue(client.data == self.GREETING.encode(), len(client.data))

    async def test_socketAndHops(self):
        """The whole greeting arrives, wherever the filter is."""
        for hops in (0, 1, 2):
            await self.greeted(hops)

    async def test_clientThatTalks(self):
        """Also to a client whose own bytes nobody reads."""
        for hops in (0, 1):
            await self.greeted(hops, says=b"x" * 300 * KIB)

    async def test_slowReader(self):
        """And to one that reads slowly."""
        for hops in (0, 1):
            await self.greeted(hops, SlowRecorder)


class ProxyTests(RunningTestCase):
    """A TCP proxy between stock Twisted peers."""

    async def pair(self, hops, client=HalfRecorder, upstream=HalfRecorder):
        accepting, address = await self.origin(upstream)
        server = await self.run_(
            behind(hops, tcpProxy(), clusters=[cluster("origin", address, **LIMIT)])
        )
        self.server = server
        return await self.joined(server, accepting, client)

    def assertGot(self, *recorders):
        for recorder in recorders:
            self.assertTrue(recorder.data == PAYLOAD, len(recorder.data))

    async def test_bothWays(self):
        """8 MiB each way at once, each followed by its end."""
        for hops in (0, 1):
            for kinds in ((HalfRecorder, HalfRecorder), (SlowRecorder, SlowRecorder)):
                client, upstream = await self.pair(hops, *kinds)
                for one in (client, upstream):
                    one.transport.write(PAYLOAD)
                    one.transport.loseWriteConnection()
                await gatherResults([client.untilEvent("end"), upstream.untilEvent("end")])
                self.assertGot(client, upstream)

    async def test_bulkIsCounted(self):
        """What the kernel moves from socket to socket is counted by everybody whom it passes."""
        for hops in (0, 1, 2):
            ends = await self.pair(hops)
            for one in ends:
                one.transport.write(PAYLOAD)
            await gatherResults([one.untilSize(len(PAYLOAD)) for one in ends])
            self.assertGot(*ends)
            counted = {
                name: counter.value
                for name, counter in self.server.store.counters.items()
                if name.endswith("x_bytes_total") and counter.value
            }
            self.assertEqual(set(counted.values()), {len(PAYLOAD)})
            self.assertEqual(len(counted), 4 * (hops + 1))

    async def test_oneAfterTheOther(self):
        """Question and end, then answer and close; and the other way round."""
        for hops in (0, 1):
            for first in (0, 1):
                ends = await self.pair(hops)
                asking, answering = ends[first], ends[1 - first]
                asking.transport.write(PAYLOAD)
                asking.transport.loseWriteConnection()
                await answering.untilEvent("end")
                self.assertGot(answering)
                answering.transport.write(PAYLOAD)
                answering.transport.loseConnection()
                await asking.untilEvent("end")
                self.assertGot(asking)

    async def test_close(self):
        """A full close right behind 8 MiB, to a slow reader."""
        for hops in (0, 1):
            for closing in (0, 1):
                kinds = [HalfRecorder, SlowRecorder]
                ends = await self.pair(hops, kinds[closing], kinds[1 - closing])
                ends[closing].transport.write(PAYLOAD)
                ends[closing].transport.loseConnection()
                await ends[1 - closing].untilEvent("end")
                self.assertGot(ends[1 - closing])

    async def test_halfCloseThenBytes(self):
        """One end is over before the other begins to talk."""
        for hops in (0, 1):
            for quiet in (0, 1):
                ends = await self.pair(hops)
                ends[quiet].transport.loseWriteConnection()
                await ends[1 - quiet].untilEvent("end")
                ends[1 - quiet].transport.write(PAYLOAD)
                ends[1 - quiet].transport.loseWriteConnection()
                await ends[quiet].untilEvent("end")
                self.assertGot(ends[quiet])

    async def test_abort(self):
        """An abort is a reset at the other end, after everything that had arrived before."""
        for hops in (0, 1):
            for aborting in (0, 1):
                ends = await self.pair(hops)
                ends[aborting].transport.write(PAYLOAD)
                await ends[1 - aborting].untilSize(len(PAYLOAD))
                ends[aborting].transport.abortConnection()
                await ends[1 - aborting].untilEvent("lost")
                self.assertGot(ends[1 - aborting])
                self.assertIsInstance(ends[1 - aborting].reason.value, ConnectionLost)

    async def test_abortOfTheReader(self):
        """One that aborts while 8 MiB are on their way ends the other, and nothing stays open."""
        for hops in (0, 1):
            for aborting in (0, 1):
                ends = await self.pair(hops)
                ends[1 - aborting].transport.write(PAYLOAD)
                await ends[aborting].untilSize(64 * KIB)
                ends[aborting].transport.abortConnection()
                await ends[1 - aborting].untilEvent("lost")
                await self.until(lambda: self.server.listeners.openConnections == 0)


class Pushing(HalfRecorder):
    """Writes so many blocks as fast as its transport takes them, and closes."""

    BLOCK = b"x" * 64 * KIB
    BLOCKS = 4096  # 256 MiB

    sent = 0
    going = False

    def connectionMade(self):
        super().connectionMade()
        self.transport.registerProducer(self, True)
        self.resumeProducing()

    def resumeProducing(self):
        self.going = True
        while self.going and self.sent < self.BLOCKS:
            self.sent += 1
            self.transport.write(self.BLOCK)
        if self.going:
            self.going = False
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def pauseProducing(self):
        self.going = False

    def stopProducing(self):
        self.going = False


class NeverReadingInMemoryTests(SynchronousTestCase):
    """The same without a kernel's buffers, so that every byte can be counted."""

    def test_bounded(self):
        """What was taken from the upstream is what fits; once it is read, all 256 MiB arrive."""
        for hops in (0, 2):
            origin = cluster("origin", "127.0.0.1:10000", **LIMIT)
            envoy = MemoryEnvoy(behind(hops, tcpProxy(), clusters=[origin]))
            envoy.sockets.bufferSize = 64 * KIB
            envoy.listen("127.0.0.1:10000", Factory.forProtocol(Pushing))
            got = []

            class Counting(Peer):
                def dataReceived(self, data, got=got):
                    got.append(len(data))

            connecting = envoy.endpoint("ingress").connect(Factory.forProtocol(Counting))
            connecting.addCallback(Counting.pauseProducing)
            envoy.settle()
            name = "cluster.origin.upstream_cx_rx_bytes_total"
            self.assertLess(envoy.stat(name), (hops + 2) * 2 * 64 * KIB)
            buffered = sum(envoy.stats("bytes_buffered$").values())
            self.assertLess(buffered, (hops + 1) * 2 * 2 * 64 * KIB)

            (chain,) = envoy.server.listeners.get("ingress").connections
            chain.transport._peer.resumeProducing()
            envoy.settle()
            self.assertEqual(sum(got), Pushing.BLOCKS * len(Pushing.BLOCK))


class NeverReadingTests(RunningTestCase):
    """256 MiB are pushed at a client that never reads."""

    async def test_memory(self):
        """What is buffered stays under the limits, and so does the process."""
        for hops in (0, 1):
            accepting, address = await self.origin(Pushing)
            server = await self.run_(
                behind(hops, tcpProxy(), clusters=[cluster("origin", address, **LIMIT)])
            )
            before = residentBytes()
            client, upstream = await self.joined(server, accepting)
            client.transport.pauseProducing()
            await self.steady(partial(getattr, upstream, "sent"))
            buffered = sum(
                one.value for one in server.store.numbers() if one.name.endswith("bytes_buffered")
            )
            self.assertLess(upstream.sent, Pushing.BLOCKS // 4)
            self.assertLess(buffered, (hops + 1) * 2 * 1024 * KIB)
            self.assertLess(residentBytes() - before, 48 * 1024 * KIB)
            client.transport.abortConnection()
            await upstream.untilEvent("lost")
