"""Tests for twisted_envoy.state.lazy."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.state.lazy import Asked, Fresh, From


class Source:
    known = 1


class Holder:
    source: Any = None
    made: Any = Fresh(lambda holder: [])
    known: Any = From("source", default=0)
    renamed: Any = From("source", "known")
    told: Any = Asked(lambda holder: holder.source is None)


class LazyTests(SynchronousTestCase):
    def test_fresh(self) -> None:
        """Each object has one of its own, and keeps it."""
        one, other = Holder(), Holder()
        one.made.append(1)
        self.assertEqual((one.made, other.made), ([1], []))

    def test_from(self) -> None:
        """It is what the other object says now; without one there is a value of its own."""
        holder = Holder()
        self.assertEqual((holder.known, holder.renamed), (0, None))
        holder.source = Source()
        self.assertEqual((holder.known, holder.renamed), (1, 1))
        holder.source.known = 2
        self.assertEqual(holder.known, 2)

    def test_asked(self) -> None:
        """A function tells each time."""
        holder = Holder()
        self.assertTrue(holder.told)
        holder.source = Source()
        self.assertFalse(holder.told)

    def test_assigned(self) -> None:
        """What is assigned stays."""
        holder = Holder()
        holder.made, holder.known, holder.told = [2], 7, None
        self.assertEqual((holder.made, holder.known, holder.told), ([2], 7, None))
        for name in ("made", "known", "told"):
            self.assertNotIsInstance(getattr(Holder, name), (int, list))
