"""Listeners: what they accept, count and end."""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError, ConnectionRefusedError
from twisted.internet.interfaces import IProtocolFactory
from twisted.trial.unittest import SynchronousTestCase

from tests.network.listening import HOP, WEB, Log, Wanting, World
from twisted_envoy.interfaces.network import IListenerInfo
from twisted_envoy.interfaces.sockets import ListenOptions
from twisted_envoy.network.limits import ConnectionLimit

ACTIVE = {"downstream_cx_total": 1, "downstream_cx_active": 1}
ENDED = {"downstream_cx_total": 1, "downstream_cx_destroy": 1}


class ListeningTests(SynchronousTestCase):
    """Where it listens."""

    def test_addresses(self):
        """The bound addresses once there are some, the configured ones before and after."""
        world = World(address=IPv4Address("TCP", "127.0.0.1", 0))
        self.successResultOf(world.listening)
        self.assertNotEqual(world.listener.address.port, 0)
        self.assertEqual(world.listener.additionalAddresses, ())
        self.successResultOf(world.listener.stopListening())
        self.assertEqual(world.listener.address.port, 0)

    def test_additional(self):
        """Every additional address is bound, too."""
        world = World()
        more = IPv4Address("TCP", "127.0.0.1", 81)
        endpoints = [
            world.sockets.serverEndpoint(one, ListenOptions())
            for one in (IPv4Address("TCP", "127.0.0.1", 82), more)
        ]
        self.successResultOf(world.listener.listen(endpoints))
        self.assertEqual(world.listener.additionalAddresses, (more,))

    def test_taken(self):
        """An address that is taken is that error, and no wrapped one."""
        world = World()
        endpoint = world.sockets.serverEndpoint(WEB, ListenOptions())
        self.failureResultOf(world.listener.listen([endpoint]), CannotListenError)

    def test_stop(self):
        """It accepts no more; open connections stay."""
        world = World()
        world.connect()
        self.successResultOf(world.listener.stopListening())
        self.failureResultOf(world.connecting(), ConnectionRefusedError)
        self.assertIsNone(world.links[0].lost)

    def test_stopInternal(self):
        """The same by name."""
        world = World(address=HOP)
        world.connect()
        stopped = world.listener.stopListening()
        world.settle()
        self.successResultOf(stopped)
        self.failureResultOf(world.connecting(), ConnectionRefusedError)
        self.assertIsNone(world.links[0].lost)

    def test_interfaces(self):
        """It is a factory, and tells filters what they may know."""
        world = World()
        self.assertTrue(IProtocolFactory.providedBy(world.listener))
        self.assertTrue(IListenerInfo.providedBy(world.listener.info))
        self.assertEqual(world.listener.info.name, "web")


class AcceptedTests(SynchronousTestCase):
    """Connections and their counters."""

    def test_life(self):
        """One connection, from its beginning to its end."""
        log = Log()
        world = World(accessLogs=(log,))
        client = world.connect()
        self.assertEqual(world.stats, ACTIVE)
        self.assertEqual(world.store.value("listener.web.worker_0.downstream_cx_active"), 1)
        (chain,) = world.listener.connections
        self.assertEqual(chain.streamInfo.filterChainName, "chain")
        self.assertEqual(chain.streamInfo.transportProtocol, "raw_buffer")
        self.assertEqual(log.records, [])

        world.clock.advance(2)
        client.abortConnection()
        world.settle()
        self.assertEqual(world.stats, ENDED)
        self.assertEqual(world.store.value("listener.web.worker_0.downstream_cx_active"), 0)
        self.assertEqual(world.listener.connections, {})
        self.assertEqual(log.records, [([], 2.0)])
        world.store.merge()
        length = world.store.histograms["listener.web.downstream_cx_length_ms"]
        self.assertEqual(length.total.bins, {2000.0: 1})

    def test_noMatch(self):
        """No chain: flag NR, closed; to an internal client that is a refusal."""
        log = Log()
        world = World(matches=False, accessLogs=(log,))
        self.assertTrue(world.connect().ended)
        self.assertEqual(world.stats, {"no_filter_chain_match": 1})
        self.assertEqual(log.records, [(["NR"], 0.0)])

        world = World(matches=False, address=HOP)
        self.failureResultOf(world.connecting(), ConnectionRefusedError)
        self.assertEqual(world.stats, {"no_filter_chain_match": 1})

    def test_ownLimit(self):
        """At its limit it takes no more, until one has gone."""
        world = World(limit=ConnectionLimit(1))
        first = world.connect()
        self.assertTrue(world.connect().ended)
        self.assertEqual(world.stats, {**ACTIVE, "downstream_cx_overflow": 1})
        first.abortConnection()
        world.settle()
        self.assertFalse(world.connect().ended)

    def test_globalLimit(self):
        """The server's limit is counted by its own name."""
        limit = ConnectionLimit(1)
        world = World(globalLimit=limit)
        first = world.connect()
        self.assertTrue(world.connect().ended)
        self.assertEqual(world.stats, {**ACTIVE, "downstream_global_cx_overflow": 1})
        first.abortConnection()
        world.settle()
        self.assertEqual(limit.active, 0)

    def test_limitOfAHop(self):
        """An internal client is never refused, as in Envoy; it is counted."""
        limit = ConnectionLimit(0)
        everybody = ConnectionLimit(0)
        world = World(address=HOP, limit=limit, globalLimit=everybody)
        world.connect()
        self.assertEqual((limit.active, everybody.active), (1, 1))

    def test_bufferLimit(self):
        """The buffer limit is the transport's; a hop keeps its own."""
        for address, pauses in ((WEB, [True]), (HOP, [])):
            world = World(address=address, bufferLimit=1000)
            world.connect()
            paused = []

            class Producer:
                def pauseProducing(self, paused=paused):
                    paused.append(True)

            transport = world.links[0].chain.transport
            transport.registerProducer(Producer(), True)
            transport.write(b"x" * 1001)
            self.assertEqual(paused, pauses)


class EndingTests(SynchronousTestCase):
    """All connections at once."""

    def test_close(self):
        """What was written still goes out, also when somebody produces."""
        world = World()
        client = world.connect()

        class Producer:
            def stopProducing(self):
                pass

            def pauseProducing(self):
                pass

        transport = world.links[0].chain.transport
        transport.registerProducer(Producer(), True)
        transport.write(b"last")
        world.listener.closeConnections()
        world.settle()
        self.assertEqual((client.received, client.ended), (b"last", True))
        self.assertEqual(world.stats, ENDED)

    def test_abort(self):
        """Aborted connections are reset."""
        world = World()
        client = world.connect()
        world.listener.abortConnections()
        world.settle()
        self.assertTrue(client.wasReset)
        self.assertEqual(world.stats, ENDED)

    def test_waiting(self):
        """Those that are still with the listener filters end as well."""
        for verb in ("closeConnections", "abortConnections"):
            world = World(filterMakers=(lambda: Wanting(1),))
            client = world.connect()
            getattr(world.listener, verb)()
            world.settle()
            self.assertTrue(client.ended or client.lost)
            self.assertEqual(world.stats, {})
