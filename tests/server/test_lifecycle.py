"""Tests for `twisted_envoy.server.lifecycle`."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twisted_envoy.interfaces.network import IDrainDecision
from twisted_envoy.network.listener import ListenerInfo
from twisted_envoy.server.lifecycle import DrainManager, SignalHandlers, stopInOrder


class SignalledReactor:
    """Runs callFromThread's functions when told to."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.waiting: list[Callable[[], None]] = []

    def callFromThread(self, function: Callable[[], None]) -> None:
        self.waiting.append(function)

    def turn(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()

    def stop(self) -> None:
        self.said.append("stop")

    def crash(self) -> None:
        self.said.append("crash")


class SignalTests(SynchronousTestCase):
    """What signals do."""

    def setUp(self) -> None:
        """Real signals to this process, old handlers back afterwards."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.reactor: Any = SignalledReactor()
        said = self.reactor.said
        SignalHandlers(
            self.reactor, lambda: said.append("reopen"), lambda: said.append("leave")
        ).install()

    def send(self, number: int) -> None:
        """One signal, and a turn of the reactor."""
        os.kill(os.getpid(), number)
        self.reactor.turn()

    def test_terminateStops(self) -> None:
        """SIGTERM and SIGINT stop the reactor in the ordinary way, once."""
        self.send(signal.SIGTERM)
        self.assertEqual(self.reactor.said, ["stop"])

    def test_handlersDoNothingThemselves(self) -> None:
        """A signal only hands over to the reactor's thread."""
        os.kill(os.getpid(), signal.SIGINT)
        self.assertEqual(self.reactor.said, [])
        self.reactor.turn()
        self.assertEqual(self.reactor.said, ["stop"])

    def test_secondSignalForces(self) -> None:
        """Who asks twice is not kept waiting."""
        self.send(signal.SIGINT)
        self.send(signal.SIGTERM)
        self.assertEqual(self.reactor.said, ["stop", "leave", "crash"])

    def test_reopen(self) -> None:
        """SIGUSR1 reopens the logs."""
        self.send(signal.SIGUSR1)
        self.assertEqual(self.reactor.said, ["reopen"])

    def test_hangUp(self) -> None:
        """SIGHUP is eaten."""
        self.send(signal.SIGHUP)
        self.assertEqual(self.reactor.said, [])


class Listeners:
    """Records stopListening."""

    def __init__(self) -> None:
        self.stopped: list[bool] = []

    def stopListening(self, inboundOnly: bool = False) -> None:
        self.stopped.append(inboundOnly)


class DrainTests(SynchronousTestCase):
    """/drain_listeners."""

    def setUp(self) -> None:
        """A drain time of ten seconds."""
        self.clock = Clock()
        self.listeners = Listeners()
        self.drain = DrainManager(self.clock, 10.0)

    def test_interface(self) -> None:
        """It is what filters ask."""
        self.assertTrue(verifyObject(IDrainDecision, self.drain))

    def test_atOnce(self) -> None:
        """Without graceful the listeners stop now and nobody drains."""
        self.drain.drainListeners(self.listeners, inboundOnly=True)
        self.assertEqual((self.listeners.stopped, self.drain.draining), ([True], False))

    def test_graceful(self) -> None:
        """Connections drain from now on, listening ends after the drain time."""
        self.drain.drainListeners(self.listeners, graceful=True)
        self.clock.advance(9.9)
        self.assertEqual((self.listeners.stopped, self.drain.draining), ([], True))
        self.clock.advance(0.1)
        self.assertEqual(self.listeners.stopped, [False])

    def test_gracefulTwice(self) -> None:
        """The second does nothing."""
        self.drain.drainListeners(self.listeners, graceful=True)
        self.clock.advance(5)
        self.drain.drainListeners(self.listeners, graceful=True)
        self.clock.advance(100)
        self.assertEqual(self.listeners.stopped, [False])

    def test_skipExit(self) -> None:
        """Connections drain, listening never ends."""
        self.drain.drainListeners(self.listeners, graceful=True, skipExit=True)
        self.clock.advance(1000)
        self.assertEqual((self.listeners.stopped, self.drain.draining), ([], True))

    def test_unhealthy(self) -> None:
        """Failed health checks end connections, unless the listener only drains when modified."""
        self.drain.healthy = False
        self.assertTrue(self.drain.drainClose(ListenerInfo("l")))
        self.assertFalse(self.drain.drainClose(ListenerInfo("l", drainType="MODIFY_ONLY")))

    def test_moreAndMoreConnections(self) -> None:
        """The share of connections that are ended is that of the drain time that has passed."""
        drain = DrainManager(self.clock, 10.0, random=lambda: 0.5)
        self.assertFalse(drain.drainClose(ListenerInfo("l")))
        drain.drainListeners(self.listeners, graceful=True)
        answers = []
        for _ in range(3):
            answers.append(drain.drainClose(ListenerInfo("l")))
            self.clock.advance(4)
        self.assertEqual(answers, [False, False, True])

    def test_immediately(self) -> None:
        """With the other strategy every connection ends; of inbound listeners only, if so asked."""
        drain = DrainManager(self.clock, 10.0, immediate=True)
        drain.drainListeners(self.listeners, graceful=True, inboundOnly=True)
        self.assertFalse(drain.drainClose(ListenerInfo("l")))
        self.assertTrue(drain.drainClose(ListenerInfo("l", trafficDirection="INBOUND")))

    def test_stop(self) -> None:
        """A server that ends leaves no timer."""
        self.drain.drainListeners(self.listeners, graceful=True)
        self.drain.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.drain.stop()


class StopInOrderTests(SynchronousTestCase):
    """One step after the other."""

    def test_waits(self) -> None:
        """A step's Deferred holds back the next step."""
        said: list[str] = []
        first: Deferred[None] = Deferred()
        done = stopInOrder(lambda: first, lambda: said.append("second"))
        self.assertNoResult(done)
        first.callback(None)
        self.successResultOf(done)
        self.assertEqual(said, ["second"])

    def test_failureGoesOn(self) -> None:
        """A step that fails is logged, the others run."""
        said: list[str] = []

        def fail() -> None:
            raise ValueError("no")

        self.successResultOf(stopInOrder(fail, lambda: said.append("second")))
        self.assertEqual(said, ["second"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
