"""Who wants to know when there is room."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.test_stream_transport import Encoder, Producer
from twisted_envoy.http.stream_producers import Drain, Pulled


class DrainTests(SynchronousTestCase):
    """A call once everything is out."""

    def test_empty(self):
        """At once when nothing waits."""
        called = []
        Drain(lambda: called.append(1)).watch(Encoder())
        self.assertEqual(called, [1])

    def test_full(self):
        """Later, and once, when something does."""
        called = []
        encoder = Encoder()
        encoder.full = True
        drain = Drain(lambda: called.append(1))
        drain.watch(encoder)
        self.assertEqual(called, [])
        drain.resumeProducing()
        drain.resumeProducing()
        drain.stopProducing()
        self.assertEqual((called, encoder.limit), ([1], 1))


class PulledTests(SynchronousTestCase):
    """A producer that must be asked each time."""

    def test_asks(self):
        """Between resume and pause, an event after another."""
        posted = []
        producer = Producer()
        pulled = Pulled(producer, posted.append)
        pulled.resumeProducing()
        for _ in range(3):
            posted.pop()()
        self.assertEqual(producer.asked, ["resume"] * 3)
        pulled.pauseProducing()
        posted.pop()()
        pulled.stopProducing()
        self.assertEqual(producer.asked, ["resume"] * 3 + ["stop"])
        self.assertEqual(posted, [])
