"""Tests for twisted_envoy.network.re2.classes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.re2.classes import (
    UNIVERSE,
    category,
    folded,
    negated,
    overlap,
    union,
)


class RangesTests(SynchronousTestCase):
    def test_union(self) -> None:
        """Ranges that touch become one."""
        self.assertEqual(union([(5, 6), (1, 2), (3, 3), (1, 1)]), ((1, 3), (5, 6)))

    def test_negated(self) -> None:
        """Twice is the same again; nothing is more than a byte."""
        self.assertEqual(negated(()), UNIVERSE)
        self.assertEqual(negated(negated(((65, 90), (97, 122)))), ((65, 90), (97, 122)))

    def test_folded(self) -> None:
        """Both cases of each letter of ASCII; of no other, as RE2 does for Latin-1."""
        self.assertEqual(folded(((65, 66),)), ((65, 66), (97, 98)))
        self.assertEqual(folded(((0xE9, 0xE9),)), ((0xE9, 0xE9),))
        self.assertEqual(folded(((0, 255),)), ((0, 255),))

    def test_overlap(self) -> None:
        """A character in common."""
        self.assertTrue(overlap(((1, 5),), ((5, 6),)))
        self.assertFalse(overlap(((1, 5),), ((6, 7), (0, 0))))

    def test_category(self) -> None:
        """General categories, whole and by their first letter; nothing else."""
        upper = category("Lu")
        assert upper is not None
        self.assertIn((65, 90), upper)
        self.assertNotEqual(category("L"), upper)
        self.assertIsNone(category("Xx"))
        self.assertEqual(category("Lt"), ())
