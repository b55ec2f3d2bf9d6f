"""Tests for twisted_envoy.http.edge.cleaning."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.edge.support import requestOf
from twisted_envoy.http.edge.cleaning import (
    ALWAYS_CLEANED,
    CLEANED_OF_EDGE,
    CLEANED_OF_EXTERNAL,
    clean,
)


class CleanTests(SynchronousTestCase):
    """clean."""

    def test_everythingThatIsLookedFor(self) -> None:
        """Each header of the set is dealt with; all its values go."""
        for name in ALWAYS_CLEANED:
            headers = requestOf((name, b"a b"), (name, b"c d"))
            clean(headers)
            self.assertNotIn(name, headers)

    def test_te(self) -> None:
        """Trailers stay, and nothing beside them."""
        headers = requestOf((b"te", b"trailers"), (b"te", b"gzip"))
        clean(headers)
        self.assertEqual(headers.every(b"te"), [b"trailers"])

    def test_sets(self) -> None:
        """What only a front proxy may say is more than what only an internal request may."""
        self.assertTrue(CLEANED_OF_EXTERNAL < CLEANED_OF_EDGE)
        self.assertTrue(CLEANED_OF_EDGE.isdisjoint(ALWAYS_CLEANED))
