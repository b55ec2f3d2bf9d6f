"""Tests for twisted_envoy.extensions.transport_sockets.tls.pending."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.transport_sockets.tls.pending import PendingWrites


class Producer:
    """Counts how often it is paused."""

    paused = 0

    def pauseProducing(self):
        self.paused += 1


class PendingTests(SynchronousTestCase):
    """Bytes that wait."""

    def test_order(self):
        """They are taken as they came, once."""
        pending = PendingWrites()
        pending.add(b"one", None)
        pending.add(b"two", None)

        self.assertEqual((pending.size, pending.take()), (6, b"onetwo"))
        self.assertEqual((pending.size, pending.take()), (0, b""))

    def test_pause(self):
        """Too much pauses the producer once; dropped bytes count no more."""
        pending, producer = PendingWrites(), Producer()
        pending.limit = 5
        pending.add(b"12345", producer)
        self.assertEqual(producer.paused, 0)

        pending.add(b"6", producer)
        pending.add(b"7", producer)
        pending.drop()
        pending.check(producer)

        self.assertEqual((producer.paused, pending.size), (1, 0))
        self.assertIs(pending.producer, producer)
