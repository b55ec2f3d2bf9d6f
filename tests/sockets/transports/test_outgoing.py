"""The writing half of a wrapped transport, over one that sends when it is told to."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.interfaces import IPullProducer
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.sockets import test_write_buffer as ours
from tests.sockets.loopback import overTransports
from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.sockets.transports.outgoing import PORTION, Outgoing

ProducerTests = overTransports(ours.ProducerTests, __name__)
BulkTests = overTransports(ours.BulkTests, __name__)


class Wire:
    """
    Keeps what it is given until `send`.

    Attributes:
        most: bytes that it ever had.
    """

    def __init__(self) -> None:
        self.producer: Any = None
        self.kept = b""
        self.sent = b""
        self.most = 0

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert not streaming
        self.producer = producer
        producer.resumeProducing()

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, data: bytes) -> None:
        assert type(data) is bytes
        self.kept += data
        self.most = max(self.most, len(self.kept))

    def send(self) -> None:
        data, self.kept = self.kept, b""
        self.sent += data
        if self.producer is not None:
            self.producer.resumeProducing()


class Owner:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.writtens = 0
        self.raised = 0

    def written(self) -> None:
        self.writtens += 1

    def producerRaised(self) -> None:
        self.raised += 1


class OutgoingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.turn = TurnQueue(self.clock)
        self.wire = Wire()
        self.owner = Owner()
        self.out = Outgoing(self.owner, self.turn)
        self.out.start(self.wire)

    def test_isAPullProducer(self) -> None:
        """That is how a transport tells that everything is out."""
        verifyObject(IPullProducer, self.out)
        self.out.stopProducing()
        self.assertEqual(self.owner.writtens, 0)

    def test_whatIsOutIsKnown(self) -> None:
        """Bytes count until the transport has sent them."""
        self.out.write(b"abc")
        before = self.out.size
        self.wire.send()

        self.assertEqual((before, self.out.size, self.owner.writtens), (3, 0, 1))

    def test_portions(self) -> None:
        """The transport has no more than a portion at a time."""
        data = bytes(range(251)) * 4000
        self.out.write(b"first")
        self.out.write(data)
        steps = 0
        while self.out.size:
            self.wire.send()
            steps += 1

        self.assertTrue(self.wire.sent == b"first" + data)
        self.assertEqual((self.wire.most, steps), (PORTION, -(-(5 + len(data)) // PORTION)))

    def test_emptyPull(self) -> None:
        """A pull producer that has nothing just now is asked again."""

        class Pull:
            asked = 0

            def resumeProducing(pull) -> None:  # noqa: N805
                pull.asked += 1
                if pull.asked < 3:
                    self.out.write(b"")

        pull = Pull()
        self.out.registerProducer(pull, False)
        self.turn.pump(self.clock)

        self.assertEqual(pull.asked, 3)

    def test_raisingProducer(self) -> None:
        """The owner is told; one without an owner is the caller's business."""

        class Raising:
            def pauseProducing(self) -> None: ...

            def resumeProducing(self) -> None:
                raise ValueError

        self.out.setLimit(1)
        self.out.registerProducer(Raising(), True)
        self.out.write(b"abc")
        self.wire.send()

        self.assertEqual(self.owner.raised, 1)

    def test_limit(self) -> None:
        """A limit that is changed pauses or resumes; none is an error."""
        said: list[str] = []

        class Producer:
            def pauseProducing(self) -> None:
                said.append("pause")

            def resumeProducing(self) -> None:
                said.append("resume")

        self.out.registerProducer(Producer(), True)
        self.out.write(b"abcd")
        self.out.setLimit(2)
        self.out.setLimit(100)

        self.assertEqual(said, ["pause", "resume"])
        self.assertRaises(ValueError, self.out.setLimit, 0)

    def test_closed(self) -> None:
        """Nothing is taken or told any more."""
        self.out.write(b"abc")
        self.assertIsNone(self.out.close())
        self.out.write(b"x")
        self.wire.send()
        self.out.stop()
        self.out.stop()

        self.assertEqual((self.out.size, self.owner.writtens), (0, 0))
        self.assertIsNone(self.wire.producer)

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.one_of(st.integers(0, 3 * PORTION), st.none()), max_size=12))
    def test_nothingIsLostOrMoved(self, steps: list[int | None]) -> None:
        """Whatever is written, and whenever it is sent."""
        self.setUp()
        written = b""
        for number, step in enumerate(steps):
            if step is None:
                self.wire.send()
            else:
                data = bytes([number]) * step
                written += data
                self.out.write(data)
            self.assertEqual(self.out.size, len(written) - len(self.wire.sent))
        while self.out.size:
            self.wire.send()

        self.assertTrue(self.wire.sent == written)
        self.assertLessEqual(self.wire.most, PORTION)
