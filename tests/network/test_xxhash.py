"""Tests for twisted_envoy.network.xxhash."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.xxhash import xxHash64


class XXHashTests(SynchronousTestCase):
    def test_published(self) -> None:
        """Known values: of nothing, of less and of more than a stripe."""
        for data, expected in (
            (b"", 0xEF46DB3751D8E999),
            (b"a", 0xD24EC4F1A98C6E5B),
            (b"abc", 0x44BC2CF5AD770999),
            (b"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1),
        ):
            self.assertEqual(xxHash64(data), expected, data)

    def test_seeds(self) -> None:
        """A seed makes another hash, of less and of more than a stripe."""
        self.assertEqual(xxHash64(b"", 1), 0xD5AFBA1336A3BE4B)
        for data in (b"abc", b"Nobody inspects the spammish repetition"):
            self.assertEqual(len({xxHash64(data, seed) for seed in range(9)}), 9)

    def test_lengths(self) -> None:
        """Every length has another value."""
        self.assertEqual(len({xxHash64(b"x" * length) for length in range(100)}), 100)
