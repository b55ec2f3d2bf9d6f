"""From an accepted transport to its chain."""

from __future__ import annotations

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from tests.network.listening import HOP, WEB, Wanting, World
from twisted_envoy.interfaces.network import ITransportListenerFilter, Verdict
from twisted_envoy.network.accept import Acceptor
from twisted_envoy.state.filter_state import FilterState, Sharing, StringObject
from twisted_envoy.state.passthrough import Passthrough

ACTIVE = {"downstream_cx_total": 1, "downstream_cx_active": 1}


class Insatiable:
    """A listener filter that is never done; it asks for each number of bytes in turn."""

    def __init__(self, *asked):
        self.maxReadBytes, *self.left = asked
        self.shown = []

    def feed(self, data, streamInfo):
        self.shown.append(data)
        if self.left and len(data) >= self.maxReadBytes:
            self.maxReadBytes = self.left.pop()
        return Verdict.NEED_MORE, 0


@implementer(ITransportListenerFilter)
class Asking:
    """A listener filter that looks at the transport."""

    maxReadBytes = 0

    def __init__(self):
        self.seen = []

    def connected(self, transport):
        self.seen.append(transport.getHost())

    def feed(self, data, streamInfo):
        self.seen.append(data)
        return Verdict.DONE, 0


class PlainTests(SynchronousTestCase):
    """Without listener filters."""

    def test_streamInfo(self):
        """The connection's StreamInfo is born with its addresses, time, number and listener."""
        world = World()
        world.clock.advance(5)
        client = world.connect()
        info = world.links[0].streamInfo
        self.assertEqual(info.startTime, 5.0)
        self.assertEqual(info.localAddress, WEB)
        self.assertEqual(info.remoteAddress, client.transport.getHost())
        self.assertEqual(info.connectionID, 1)
        self.assertIs(info.listener, world.listener.info)
        world.connect()
        self.assertEqual(world.links[1].streamInfo.connectionID, 2)

    def test_firstBytes(self):
        """No byte is lost on the way to the chain."""
        world = World()
        client = world.connect()
        client.write(b"first")
        world.settle()
        self.assertEqual(world.links[0].data, b"first")

    def test_passthrough(self):
        """What an internal hop passed along is there before any filter looks."""
        state = FilterState()
        state.set("k", StringObject("v"), sharing=Sharing.ONCE)
        passed = Passthrough({"ns": {"a": 1}}, state.shared())
        world = World(address=HOP)
        world.connect(passed)
        info = world.links[0].streamInfo
        self.assertEqual(info.dynamicMetadata, {"ns": {"a": 1}})
        self.assertEqual(info.filterState.get("k").plainText(), "v")

    def test_foreignPassthrough(self):
        """An object of somebody else's means nothing to a listener."""
        world = World(address=HOP)
        world.connect(object())
        self.assertEqual(world.links[0].streamInfo.dynamicMetadata, {})

    def test_interface(self):
        """It knows half-closed connections."""
        acceptor = Acceptor(World().listener)
        self.assertTrue(IHalfCloseableProtocol.providedBy(acceptor))
        acceptor.writeConnectionLost()


class LookingTests(SynchronousTestCase):
    """With listener filters."""

    def world(self, *filters, **fields):
        return World(filterMakers=tuple(lambda one=one: one for one in filters), **fields)

    def test_waits(self):
        """There is no chain until every filter has seen enough."""
        first, second = Wanting(3), Wanting(5)
        world = self.world(first, second)
        client = world.connect()
        self.assertEqual(world.stats, {"downstream_pre_cx_active": 1})
        for data in (b"ab", b"cd"):
            client.write(data)
            world.settle()
        self.assertEqual(first.shown, [b"", b"ab", b"abc"])
        self.assertEqual(second.shown, [b"abcd"])
        self.assertEqual(world.links, [])

        client.write(b"ef")
        world.settle()
        self.assertEqual(world.links[0].data, b"abcdef")
        self.assertEqual(world.links[0].streamInfo.requestedServerName, "seen")
        self.assertEqual(world.stats, ACTIVE)
        world.clock.advance(100)
        self.assertIsNone(world.links[0].lost)

    def test_everySplit(self):
        """However the first bytes come, the chain gets all that was not taken away."""
        data = b"header payload"
        for cut in range(len(data) + 1):
            world = self.world(Wanting(3, consumed=2), Wanting(6, consumed=5))
            client = world.connect()
            for part in (data[:cut], data[cut:]):
                client.write(part)
                world.settle()
            self.assertEqual(world.links[0].data, data[7:], cut)

    def test_wantsNothing(self):
        """A filter that reads nothing decides at accept."""
        world = self.world(Wanting(0))
        world.connect()
        self.assertEqual(world.stats, ACTIVE)
        self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_rejects(self):
        """A filter may refuse: that closes, as a reset because nobody took the bytes."""
        world = self.world(Wanting(2, reject=True))
        client = world.connect()
        client.write(b"xx")
        world.settle()
        self.assertTrue(client.wasReset)
        self.assertEqual(world.stats, {})
        self.assertEqual(len(world.logged), 1)
        self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_shownNoMoreThanAsked(self):
        """A filter sees at most its maxReadBytes; what is behind them is for the others."""
        first, second = Wanting(2), Wanting(4)
        world = self.world(first, second)
        client = world.connect()
        client.write(b"abcdef")
        world.settle()
        self.assertEqual((first.shown, second.shown), ([b"", b"ab"], [b"abcd"]))
        self.assertEqual(world.links[0].data, b"abcdef")

    def test_waitsForMoreThanAsked(self):
        """A filter that has all that it may ask for and still waits ends the connection."""
        for most, data in ((0, b""), (3, b"abc"), (3, b"abcdef")):
            world = self.world(Insatiable(most))
            client = world.connect()
            client.write(data)
            world.settle()
            self.assertEqual((client.ended, client.wasReset), (not data, bool(data)))
            self.assertEqual((world.links, world.stats, len(world.logged)), ([], {}, 1))

    def test_asksForMore(self):
        """A filter may ask for more while it waits, and is shown what there is of it at once."""
        filter = Insatiable(2, 5)
        world = self.world(filter)
        client = world.connect()
        for data in (b"abc", b"d"):
            client.write(data)
            world.settle()
        self.assertEqual(filter.shown, [b"", b"ab", b"abc", b"abcd"])
        self.assertFalse(client.ended)

        client.write(b"ef")
        world.settle()
        self.assertEqual(filter.shown[4:], [b"abcde"])
        self.assertTrue(client.wasReset)

    def test_transport(self):
        """A filter that asks for it is given the transport before it looks."""
        filter = Asking()
        world = self.world(filter)
        world.connect()
        verifyObject(ITransportListenerFilter, filter)
        self.assertEqual(filter.seen, [WEB, b""])

    def test_endsTooSoon(self):
        """An end of stream while a filter waits closes."""
        world = self.world(Wanting(2))
        client = world.connect()
        client.write(b"x")
        client.loseWriteConnection()
        world.settle()
        self.assertTrue(client.wasReset)
        self.assertEqual(world.stats, {"downstream_listener_filter_remote_close": 1})
        self.assertEqual(len(world.logged), 1)
        self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_lost(self):
        """A reset while a filter waits leaves nothing."""
        world = self.world(Wanting(2))
        client = world.connect()
        client.abortConnection()
        world.settle()
        self.assertEqual(world.stats, {"downstream_listener_filter_error": 1})
        self.assertEqual(len(world.logged), 1)
        self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_closedHere(self):
        """A listener that closes what waits logs it, once."""
        world = self.world(Wanting(2))
        client = world.connect()
        client.write(b"x")
        world.settle()
        world.listener.closeConnections()
        world.settle()
        self.assertTrue(client.ended)
        self.assertEqual(world.stats, {})
        self.assertEqual(len(world.logged), 1)

    def test_internalTimeout(self):
        """On an internal connection it is a reset, as in Envoy: nobody has ended."""
        world = self.world(Wanting(2), filtersTimeout=3.0, address=HOP)
        client = world.connect()
        world.clock.advance(3.1)
        world.settle()
        self.assertTrue(client.wasReset)
        self.assertEqual(len(world.logged), 1)

    def test_internalIsNotReset(self):
        """On an internal connection a refusal is a plain end, as there is no reset in Envoy."""
        world = self.world(Wanting(1, reject=True), address=HOP)
        client = world.connect()
        client.write(b"xx")
        world.settle()
        self.assertTrue(client.ended)
        self.assertFalse(client.wasReset)

    def test_timeout(self):
        """listener_filters_timeout closes."""
        world = self.world(Wanting(2), filtersTimeout=3.0)
        client = world.connect()
        world.clock.advance(2.9)
        world.settle()
        self.assertFalse(client.ended)
        world.clock.advance(0.2)
        world.settle()
        self.assertTrue(client.ended)
        self.assertEqual(world.stats, {"downstream_pre_cx_timeout": 1})
        self.assertEqual(len(world.logged), 1)

    def test_timeoutThatGoesOn(self):
        """With continue_on_listener_filters_timeout the chain gets what has come so far."""
        world = self.world(Wanting(2), filtersTimeout=3.0, continueOnTimeout=True)
        client = world.connect()
        client.write(b"x")
        world.settle()
        world.clock.advance(3)
        world.settle()
        self.assertEqual(world.links[0].data, b"x")
        self.assertEqual(world.stats, {**ACTIVE, "downstream_pre_cx_timeout": 1})

    def test_timeoutThatGoesOnAndRaises(self):
        """A chain that cannot begin after the timeout ends its connection, not the reactor."""
        world = self.world(Wanting(2), filtersTimeout=3.0, continueOnTimeout=True)
        client = world.connect()
        self.patch(world.listener, "accepted", lambda *arguments: 1 // 0)

        world.clock.advance(3)
        world.settle()

        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertTrue(client.wasReset)

    def test_noTimeout(self):
        """0 waits for ever."""
        world = self.world(Wanting(2), filtersTimeout=0.0)
        world.connect()
        self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_chainThatEnds(self):
        """A chain that ends the connection at once does not get what had been looked at."""
        world = self.world(Wanting(1))
        begun = world.listener.accepted

        def ending(transport, streamInfo):
            found = begun(transport, streamInfo)
            transport.loseConnection()
            return found

        world.listener.accepted = ending
        client = world.connect()
        client.write(b"x")
        world.settle()
        self.assertTrue(client.ended)
        self.assertEqual(world.links[0].data, b"")

    def test_noMatchAfterLooking(self):
        """What was read is dropped when no chain matches."""
        world = self.world(Wanting(1), matches=False)
        client = world.connect()
        client.write(b"x")
        world.settle()
        self.assertTrue(client.ended)
        self.assertEqual(world.stats, {"no_filter_chain_match": 1})


class HoldingTests(SynchronousTestCase):
    """While the server is not ready, connections wait."""

    def test_released(self):
        """They begin when they are released, with all that came meanwhile, end included."""
        world = World()
        world.listener.hold()
        client = world.connect()
        client.write(b"early")
        client.loseWriteConnection()
        world.settle()
        self.assertEqual(world.links, [])
        self.assertEqual(world.stats, {"downstream_pre_cx_active": 1})

        world.listener.release()
        world.settle()
        (link,) = world.links
        self.assertEqual((link.data, link.ended), (b"early", True))
        world.connect()
        self.assertEqual(len(world.links), 2)

    def test_filters(self):
        """Listener filters look at them then, and their time begins then."""
        world = World(filterMakers=(lambda: Wanting(2),), filtersTimeout=3.0)
        world.listener.hold()
        client = world.connect()
        world.clock.advance(60)
        world.listener.release()
        client.write(b"ab")
        world.settle()
        self.assertEqual(world.links[0].data, b"ab")

    def test_oneThatRaises(self):
        """A chain that cannot begin ends its connection; the others are released all the same."""
        world = World()
        world.listener.hold()
        first, second = world.connect(), world.connect()
        broken = iter([ValueError])
        real = world.listener.accepted

        def accepted(*arguments):
            for problem in broken:
                raise problem
            return real(*arguments)

        self.patch(world.listener, "accepted", accepted)
        world.listener.release()
        world.settle()

        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual([first.wasReset, second.wasReset].count(True), 1)
        self.assertEqual(len(world.links), 1)

    def test_gone(self):
        """One that goes away meanwhile leaves nothing, not even a record: it never began."""
        world = World()
        world.listener.hold()
        world.connect().abortConnection()
        world.settle()
        world.listener.release()
        world.settle()
        self.assertEqual(world.links, [])
        self.assertEqual(world.logged, [])
        self.assertNotIn("downstream_pre_cx_active", world.stats)

    def test_releasedTwice(self):
        """Releasing what is not held changes nothing."""
        world = World()
        world.listener.release()
        world.connect()
        world.listener.release()
        self.assertEqual(len(world.links), 1)
