"""A token bucket that fills all the time."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.common.token_bucket import TokenBucket


class TokenBucketTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.bucket = TokenBucket(2, 0.5, self.clock.seconds)

    def test_take(self) -> None:
        """Begins full; fractions add up to tokens, and to no more than it holds."""
        bucket = self.bucket
        self.assertEqual([bucket.take() for _ in range(3)], [True, True, False])
        self.clock.advance(1)
        self.assertFalse(bucket.take())
        self.clock.advance(1)
        self.assertTrue(bucket.take())
        self.clock.advance(100)
        self.assertEqual([bucket.take() for _ in range(3)], [True, True, False])

    def test_wait(self) -> None:
        """Until the next whole one."""
        bucket = self.bucket
        self.assertEqual(bucket.wait(), 0.0)
        bucket.takeUpTo(2)
        self.assertEqual(bucket.wait(), 2.0)
        self.clock.advance(0.5)
        self.assertEqual(bucket.wait(), 1.5)

    def test_takeAll(self) -> None:
        """All or none."""
        bucket = self.bucket
        self.assertFalse(bucket.takeAll(3))
        self.assertTrue(bucket.takeAll(2))
        self.assertFalse(bucket.takeAll(1))
        self.clock.advance(2)
        self.assertTrue(bucket.takeAll(1))

    def test_give(self) -> None:
        """Back, and no more than it holds."""
        bucket = self.bucket
        bucket.takeAll(2)
        bucket.give(1)
        self.assertEqual(bucket.tokens, 1.0)
        bucket.give(7)
        self.assertEqual(bucket.tokens, 2.0)

    def test_takeUpTo(self) -> None:
        """So many as asked for, or as there are."""
        self.assertEqual(self.bucket.takeUpTo(1), 1)
        self.assertEqual(self.bucket.takeUpTo(5), 1)
        self.assertEqual(self.bucket.takeUpTo(5), 0)

    def test_keep(self) -> None:
        """Never more than it holds."""
        self.bucket.keep(1.0)
        self.assertEqual(self.bucket.takeUpTo(5), 1)
        self.bucket.keep(9.0)
        self.assertEqual(self.bucket.takeUpTo(5), 2)
