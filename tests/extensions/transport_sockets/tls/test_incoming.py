"""Tests for twisted_envoy.extensions.transport_sockets.tls.incoming."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.transport_sockets.tls.support import End, PlainEnd
from twisted_envoy.extensions.transport_sockets.tls.incoming import Incoming


class Transport:
    """Its transport."""

    disconnecting = False

    def __init__(self, protocol):
        self.protocol = protocol
        self.calls = []

    def closeAsTCP(self):
        self.calls.append("close")

    def abortConnection(self):
        self.calls.append("abort")


class IncomingTests(SynchronousTestCase):
    """Plaintext and its end."""

    def make(self, protocol=None):
        self.transport = Transport(End() if protocol is None else protocol)
        self.later = []
        return Incoming(self.transport, self.later.append)

    def run_(self):
        while self.later:
            self.later.pop(0)()

    def test_order(self):
        """What is kept while it is paused comes first, the end last and once."""
        incoming, end = self.make(), self.transport.protocol
        incoming.deliver(b"a")
        incoming.isPaused = True
        incoming.deliver(b"b")
        incoming.end()
        self.assertEqual((end.received, end.events), (b"a", []))

        incoming.resume()
        incoming.deliver(b"c")
        self.assertEqual(end.received, b"a")
        self.run_()
        incoming.end()

        self.assertEqual((end.received, end.events), (b"abc", ["end"]))

    def test_pausedAgain(self):
        """By what it was handed first."""
        incoming, end = self.make(), self.transport.protocol
        incoming.isPaused = True
        incoming.deliver(b"a")
        incoming.deliver(b"b")
        end.dataReceived = lambda data: (end.events.append(data), pause())

        def pause():
            incoming.isPaused = True

        incoming.resume()
        self.run_()
        self.assertEqual(end.events, [b"a"])
        incoming.resume()
        self.run_()
        self.assertEqual(end.events, [b"a", b"b"])

    def test_wholeEnd(self):
        """A protocol that knows no half-close is closed."""
        incoming = self.make(PlainEnd())
        incoming.end()

        self.assertEqual(self.transport.calls, ["close"])

    def test_closing(self):
        """Nothing is handed on any more."""
        incoming, end = self.make(), self.transport.protocol
        self.transport.disconnecting = True
        incoming.deliver(b"a")
        incoming.end()

        self.assertEqual((end.received, end.events), (b"", []))

    def test_lost(self):
        """After the loss every call is silent, one that was posted before included."""
        incoming, end = self.make(), self.transport.protocol
        incoming.isPaused = True
        incoming.deliver(b"a")
        incoming.resume()
        incoming.drop()
        self.run_()
        incoming.deliver(b"b")
        incoming.end()
        incoming.resume()

        self.assertEqual((end.received, end.events, self.later), (b"", [], []))

    def test_raising(self):
        """A protocol that raises loses its connection."""
        incoming, end = self.make(), self.transport.protocol
        end.dataReceived = lambda data: 1 / 0
        incoming.isPaused = True
        incoming.deliver(b"a")
        incoming.resume()
        self.run_()

        self.assertEqual(self.transport.calls, ["abort"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
