"""What a compressor filter is told."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.compressor.settings import (
    Direction,
    DirectionStats,
    bareType,
)
from twisted_envoy.stats.scope import Store


def headers(**fields: str) -> HeaderMap:
    """Such headers."""
    return HeaderMap((k.replace("_", "-").encode(), v.encode()) for k, v in fields.items())


class DirectionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.store = Store()
        stats = DirectionStats(self.store.scope("s"))
        self.direction = Direction(lambda: True, 30, lambda kind: kind == b"text/a", stats)

    def test_length(self) -> None:
        """Unknown is long enough; what is no number is not."""
        cases: tuple[tuple[HeaderMap, bool], ...] = (
            (headers(), True),
            (headers(content_length="30"), True),
            (headers(content_length="29"), False),
            (headers(content_length="x"), False),
            (headers(content_length=""), False),
        )
        for given, expected in cases:
            self.assertIs(self.direction.isLongEnough(given), expected, given)
        self.assertEqual(self.store.value("s.content_length_too_small"), 3)

    def test_type(self) -> None:
        """Without parameters; none at all is allowed."""
        cases: tuple[tuple[HeaderMap, bool], ...] = (
            (headers(), True),
            (headers(content_type="text/a"), True),
            (headers(content_type=" text/a ; q=1"), True),
            (headers(content_type="text/b"), False),
        )
        for given, expected in cases:
            self.assertIs(self.direction.isOfAllowedType(given), expected, given)

    def test_bareType(self) -> None:
        """No parameters, no blanks."""
        cases: tuple[Any, ...] = ((b"a/b;c", b"a/b"), (b" a/b ", b"a/b"), (b"", b""))
        for given, expected in cases:
            self.assertEqual(bareType(given), expected)
