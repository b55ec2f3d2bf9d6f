"""Tests for twisted_envoy.extensions.transport_sockets.tls.outgoing."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.transport_sockets.tls.support import End
from twisted_envoy.extensions.transport_sockets.tls.outgoing import Outgoing


class Wire:
    """Notes what is done to it."""

    bufferedBytes = 0

    def __init__(self, calls):
        self.calls = calls

    def write(self, data):
        self.calls.append(data)

    def registerProducer(self, producer, streaming):
        self.calls.append(("register", streaming))

    def unregisterProducer(self):
        self.calls.append("unregister")

    def loseConnection(self):
        self.calls.append("lose")

    def resetConnection(self):
        self.calls.append("reset")


class Transport:
    """Its transport."""

    disconnecting = disconnected = False

    def __init__(self):
        self.calls = []
        self.wire = Wire(self.calls)
        self.protocol = End()

    def write(self, data):
        self.calls.append(("write", data))

    def abortConnection(self):
        self.calls.append("abort")


class Record:
    """Its TLS."""

    isOpen = False

    def end(self):
        return b"bye"


class Producer:
    """Notes what it is told."""

    def __init__(self):
        self.told = []

    def pauseProducing(self):
        self.told.append("pause")

    def resumeProducing(self):
        self.told.append("resume")

    def stopProducing(self):
        self.told.append("stop")


class OutgoingTests(SynchronousTestCase):
    """How it ends."""

    def setUp(self):
        self.transport, self.record, self.later = Transport(), Record(), []
        self.calls = self.transport.calls
        self.outgoing = Outgoing(self.transport, self.record, self.later.append)

    def test_halfClose(self):
        """close_notify, once; the protocol hears of it later."""
        self.record.isOpen = self.outgoing.isEnding = True
        self.outgoing.finish()
        self.outgoing.finish()
        self.later.pop()()

        self.assertEqual((self.calls, self.later), ([b"bye"], []))
        self.assertEqual(self.transport.protocol.events, ["ended"])

    def test_closes(self):
        """The wire goes with it, in order or not."""
        self.record.isOpen = self.outgoing.isEnding = self.transport.disconnecting = True
        self.outgoing.finish()
        self.outgoing.isResetting = True
        self.outgoing.finish()

        self.assertEqual(self.calls, [b"bye", "lose", "reset"])

    def test_handshaking(self):
        """What is written is sent first; with nothing written it is over at once."""
        self.outgoing.isEnding = self.transport.disconnecting = True
        self.outgoing.keep(b"x")
        self.outgoing.finish()
        self.assertEqual(self.calls, [])

        self.outgoing.pending.drop()
        self.outgoing.finish()
        self.assertEqual(self.calls, ["lose"])

    def test_producer(self):
        """The end waits for it; the wire has it once the handshake is done."""
        producer = Producer()
        self.outgoing.register(producer, True)
        self.assertRaises(RuntimeError, self.outgoing.register, producer, True)
        self.outgoing.keep(b"x" * 70000)
        self.assertEqual(producer.told, ["pause"])

        self.record.isOpen = self.outgoing.isEnding = True
        self.outgoing.opened(producer)
        self.outgoing.finish()
        self.assertEqual(self.calls, [("register", True), ("write", b"x" * 70000)])
        self.assertEqual(producer.told, ["pause", "resume"])

        self.outgoing.unregister()
        self.assertEqual(self.calls[2:], ["unregister", b"bye"])

    def test_stop(self):
        """The producer hears of it once."""
        producer = Producer()
        self.record.isOpen = True
        self.outgoing.register(producer, False)
        self.outgoing.stop(fromWire=True)
        self.outgoing.stop(fromWire=True)

        self.assertEqual((producer.told, self.calls[1:]), (["stop"], ["unregister"]))

    def test_raising(self):
        """A protocol that raises loses its connection."""
        self.record.isOpen = self.outgoing.isEnding = True
        self.transport.protocol.writeConnectionLost = lambda: 1 / 0
        self.outgoing.finish()
        self.later.pop()()

        self.assertEqual(self.calls, [b"bye", "abort"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_lost(self):
        """After the loss every call is silent."""
        self.record.isOpen = self.outgoing.isEnding = True
        self.outgoing.keep(b"x")
        self.outgoing.drop()
        self.outgoing.finish()
        self.outgoing.unregister()

        self.assertEqual((self.calls, self.outgoing.pending.size), ([], 0))
