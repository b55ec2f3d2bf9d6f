"""What is sent when a round is over, and that nobody can tell."""

from __future__ import annotations

import errno
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.sockets.test_write_buffer import Kernel, Owner, Producer
from twisted_envoy.sockets.outbox import CLOSED, Outbox
from twisted_envoy.sockets.write_buffer import WriteBuffer


class Sender:
    """Notes what it is told, and may raise or leave something anew."""

    def __init__(self, said: list[str], name: str, then: Any = None) -> None:
        self.said = said
        self.name = name
        self.then = then

    def goOut(self) -> None:
        self.said.append(self.name)
        if self.then is not None:
            self.then()

    def raised(self) -> None:
        self.said.append(f"{self.name} raised")


class OutboxTests(SynchronousTestCase):
    def test_inOrder(self) -> None:
        """All go out in order, also those that come meanwhile; then none are left."""
        said: list[str] = []
        outbox = Outbox()
        three = Sender(said, "three")
        outbox.waiting.append(Sender(said, "one", lambda: outbox.waiting.append(three)))
        outbox.waiting.append(Sender(said, "two"))

        outbox.empty()
        outbox.empty()

        self.assertEqual(said, ["one", "two", "three"])

    def test_oneRaises(self) -> None:
        """It is told, it is logged, and the others go out."""
        said: list[str] = []
        outbox = Outbox()

        def fail() -> None:
            raise ValueError

        outbox.waiting += [Sender(said, "one", fail), Sender(said, "two")]
        outbox.empty()

        self.assertEqual(said, ["one", "one raised", "two"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_closed(self) -> None:
        """That of sockets without rounds collects nothing."""
        self.assertFalse(CLOSED.isOpen)


class DeferredWriteTests(SynchronousTestCase):
    """A WriteBuffer whose outbox is open."""

    def setUp(self) -> None:
        self.kernel = Kernel()
        self.kernel.room = 100_000
        self.owner = Owner()
        self.outbox = Outbox()
        self.outbox.isOpen = True
        self.buffer = WriteBuffer(self.kernel, self.owner, None, self.outbox)  # type: ignore[arg-type]

    def test_together(self) -> None:
        """What is written in a round is one send at its end."""
        self.buffer.write(b"hello")
        self.buffer.write(b"world")
        before = self.kernel.calls
        self.outbox.empty()

        self.assertEqual((before, self.kernel.calls), (0, 1))
        self.assertEqual((self.kernel.taken, self.buffer.size), (b"helloworld", 0))
        self.assertTrue(self.buffer.idle and self.buffer.wrote)
        self.assertFalse(self.buffer.waiting)

    def test_much(self) -> None:
        """It goes at once, and takes with it what waited."""
        self.buffer.write(bytes(16 * 1024 + 1))
        large = self.kernel.calls
        self.buffer.write(b"hello")
        self.buffer.write(bytes(16 * 1024))

        self.assertEqual((large, self.kernel.calls), (1, 2))
        self.assertEqual(len(self.kernel.taken), 32 * 1024 + 6)
        self.outbox.empty()
        self.assertEqual(self.kernel.calls, 2)

    def test_nothing(self) -> None:
        """Writing nothing is no promise to write."""
        self.buffer.write(b"")
        self.assertEqual(self.outbox.waiting, [])

    def test_whoLooks(self) -> None:
        """For who asks what is kept it was sent already."""
        self.kernel.room = 2
        self.buffer.write(b"hello")

        self.assertEqual(self.buffer.kept(), 3)
        self.assertTrue(self.buffer.waiting)
        self.kernel.room = 100
        self.outbox.empty()
        self.assertEqual(self.kernel.taken, b"he")
        self.buffer.flush()
        self.assertEqual((self.kernel.taken, self.buffer.kept()), (b"hello", 0))

    def test_dropped(self) -> None:
        """So it has gone out when what is kept is dropped."""
        self.buffer.write(b"hello")
        self.buffer.drop()
        self.buffer.write(b"more")
        self.outbox.empty()

        self.assertEqual((self.kernel.taken, self.buffer.size), (b"hello", 0))

    def test_closed(self) -> None:
        """And when the connection is."""
        self.buffer.write(b"hello")
        self.buffer.close()
        self.outbox.empty()

        self.assertEqual(self.kernel.taken, b"hello")

    def test_refused(self) -> None:
        """A send that fails is told once, to the owner."""
        self.kernel.fails = errno.EPIPE
        self.buffer.write(b"hello")
        before = list(self.owner.said)
        self.outbox.empty()

        self.assertEqual((before, self.owner.said), ([], [errno.EPIPE]))
        self.assertTrue(self.buffer.shut)

    def test_limit(self) -> None:
        """A producer is paused for what the kernel does not take, not for what waits."""
        producer = Producer()
        self.buffer.setLimit(4)
        self.buffer.registerProducer(producer, True)
        self.buffer.write(b"hello")
        self.buffer.write(b"world")
        self.assertEqual(producer.said, [])
        self.kernel.room = 0
        self.outbox.empty()
        self.assertEqual(producer.said, ["pause"])

    def test_producerComesLater(self) -> None:
        """It is asked to produce when what was written before has gone out."""
        self.buffer.write(b"hello")
        self.buffer.registerProducer(Producer(), False)

        self.assertEqual(self.kernel.taken, b"hello")

    def test_pulls(self) -> None:
        """A pull producer has its next turn when its bytes have gone."""
        self.buffer.registerProducer(Producer(), False)
        self.buffer.write(b"hello")
        self.outbox.empty()

        self.assertEqual(self.owner.said, ["soon"])

    def test_raises(self) -> None:
        """Who raises is the owner's to end."""

        class Angry(Producer):
            def pauseProducing(self) -> None:
                raise ValueError

        self.kernel.room = 0
        self.buffer.setLimit(1)
        self.buffer.registerProducer(Angry(), True)
        self.buffer.write(b"hello")
        self.outbox.empty()

        self.assertEqual(self.owner.said, ["raised"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
