"""Tests for twisted_envoy.stats.query."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.stats.query import StatsQuery, StatsQueryError


def parse(**words: str) -> StatsQuery:
    return StatsQuery.parse({name.encode(): [word.encode()] for name, word in words.items()})


class ParseTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """No parameters: all stats as text."""
        self.assertEqual(StatsQuery.parse({}), StatsQuery())
        self.assertEqual(StatsQuery.parse({b"format": []}).format, "text")

    def test_everyParameter(self) -> None:
        """Each parameter lands in its attribute."""
        query = parse(
            format="json",
            type="Gauges",
            usedonly="",
            invert_filter="",
            text_readouts="",
            histogram_buckets="none",
            hidden="include",
        )

        self.assertEqual(
            query,
            StatsQuery("json", True, None, True, "Gauges", "none", True, "include"),
        )

    def test_usedOnlyHoweverItIsWritten(self) -> None:
        """`usedonly=false` still means yes, as in Envoy."""
        self.assertTrue(parse(usedonly="false").usedOnly)

    def test_theFirstValueCounts(self) -> None:
        """Of two filters the first is taken."""
        query = StatsQuery.parse({b"filter": [b"a", b"("]})

        self.assertTrue(query.shows("a", True))

    def test_errorsAsEnvoy(self) -> None:
        """The texts are the answers' bodies."""
        texts = {
            ("filter", "("): "Invalid re2 regex: missing ): (",
            ("type", "counters"): "invalid &type= param",
            ("format", "x"): "usage: /stats?format=(html|active-html|json|prometheus|text)\n\n",
            ("hidden", "x"): "usage: /stats?hidden=(include|only|exclude)\n\n",
            ("histogram_buckets", "x"): (
                "usage: /stats?histogram_buckets="
                "(cumulative|disjoint|detailed|summary|prometheusnative)\n"
            ),
        }
        for (name, word), text in texts.items():
            error = self.assertRaises(StatsQueryError, parse, **{name: word})
            self.assertEqual(str(error), text)


class ShowsTests(SynchronousTestCase):
    def test_filterIsSearched(self) -> None:
        """A name is shown when the pattern is found anywhere in it."""
        query = parse(filter="cx_total")

        self.assertTrue(query.shows("tcp.a.downstream_cx_total", False))
        self.assertFalse(query.shows("tcp.a.idle_timeout", True))

    def test_invertedFilter(self) -> None:
        """The other names are shown then."""
        query = parse(filter="total", invert_filter="")

        self.assertFalse(query.shows("a.total", True))
        self.assertTrue(query.shows("a.timeout", True))

    def test_usedOnly(self) -> None:
        """An unused metric is left out."""
        query = parse(usedonly="")

        self.assertEqual((query.shows("a", True), query.shows("a", False)), (True, False))

    def test_types(self) -> None:
        """All wants everything, a type only itself, hidden=only nothing."""
        self.assertTrue(parse().wants("Gauges"))
        self.assertTrue(parse(type="Gauges").wants("Gauges"))
        self.assertFalse(parse(type="Counters").wants("Gauges"))
        self.assertFalse(parse(hidden="only").wants("Gauges"))
