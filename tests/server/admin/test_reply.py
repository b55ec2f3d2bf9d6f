"""Tests for `twisted_envoy.server.admin.reply`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.admin.reply import Query, Reply


class QueryTests(SynchronousTestCase):
    """Query parameters."""

    def test_firstCounts(self) -> None:
        """Of a parameter given twice the first counts."""
        self.assertEqual(Query("a=1&a=2").first("a"), "1")

    def test_escapes(self) -> None:
        """Percent escapes are decoded, a plus stays."""
        self.assertEqual(Query("a%3d=x%20y+z").pairs, (("a=", "x y+z"),))

    def test_flags(self) -> None:
        """A parameter without a value is there, and empty."""
        query = Query("graceful&x=")
        self.assertTrue(query.has("graceful"))
        self.assertFalse(query.has("nope"))
        self.assertEqual(query.first("graceful"), "")
        self.assertIsNone(query.nonEmpty("x"))
        self.assertIsNone(query.first("nope"))

    def test_formFollows(self) -> None:
        """A form's parameters come behind the URL's."""
        self.assertEqual(Query("a=1", "a=2&b=3").pairs, (("a", "1"), ("a", "2"), ("b", "3")))

    def test_arguments(self) -> None:
        """As twisted.web's args."""
        self.assertEqual(Query("a=1&b=2&a=3").arguments(), {b"a": [b"1", b"3"], b"b": [b"2"]})

    @given(st.text())
    def test_anyText(self, text: str) -> None:
        """Every text is a query."""
        for key, value in Query(text).pairs:
            self.assertIsInstance(key + value, str)


class ReplyTests(SynchronousTestCase):
    """Bodies."""

    def test_lazyBody(self) -> None:
        """A body may be made when it is wanted."""
        self.assertEqual(Reply(lambda: "late").text(), "late")
        self.assertEqual(Reply("now").text(), "now")
