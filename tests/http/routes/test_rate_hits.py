"""Tests for twisted_envoy.http.routes.rate_hits; the numbers are as real Envoy reads them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import Context, request, requestInfo, viewOfYAML
from twisted_envoy.errors import ConfigError
from twisted_envoy.http.routes.rate_hits import buildHits, hitsOf

_NUMBERS = {
    "3": 3,
    "2.9": 2,
    " 1\t": 1,
    "+2": 2,
    "1.": 1,
    ".5": 0,
    "-0": 0,
    "1E1": 10,
    "1e-400": 0,
    "0x2": 2,
    "0X1.8p1": 3,
    "-0x0": 0,
    "nan": 0,
    "-NaN(1)": 0,
    "1000000000": 1_000_000_000,
}
_NONE = "abc -1 -0.5 1000000001 inf infinity 1d 1,2 2_0 0x 1e 1e+ ++1 +-1 ٣".split()


class HitsOfTests(SynchronousTestCase):
    def test_texts(self) -> None:
        """As C reads numbers."""
        for text, number in _NUMBERS.items():
            self.assertEqual(hitsOf(text), number, text)
        for text in (*_NONE, "", "1 2", "1" + "0" * 400, "0x" + "f" * 400, "0x1p9999999999"):
            self.assertIsNone(hitsOf(text), text)

    def test_values(self) -> None:
        """Numbers; nothing else is one."""
        self.assertEqual([hitsOf(one) for one in (0, 7, 2.5)], [0, 7, 2])
        for value in (None, True, [], {}, -1, 10**400, float("inf"), float("nan")):
            self.assertIsNone(hitsOf(value))

    @given(st.text(alphabet="0123456789+-.eExXpPnaifty() _", max_size=12))
    def test_anyText(self, text: str) -> None:
        """A number within the bounds, or none."""
        hits = hitsOf(text)
        if hits is not None:
            self.assertTrue(0 <= hits <= 1_000_000_000)


class BuildHitsTests(SynchronousTestCase):
    def build(self, yaml: str) -> tuple[int | None, bool]:
        view = viewOfYAML(yaml, "envoy.config.route.v3.RateLimit.HitsAddend")
        hits, givesBack = buildHits(view, Context())
        info = requestInfo()
        info.requestHeaders = request(x_n="4")
        return hits(info), givesBack

    def test_kinds(self) -> None:
        """A number, or a format."""
        self.assertEqual(self.build("number: 3"), (3, False))
        self.assertEqual(self.build("number: 0\nis_negative_hits: true"), (0, True))
        self.assertEqual(self.build("format: '%REQ(x-n)%'"), (4, False))
        self.assertEqual(self.build("format: '%BYTES_RECEIVED%'"), (0, False))
        self.assertEqual(self.build("format: '%REQ(x-m)%'"), (None, False))
        self.assertEqual(self.build("format: '%%'"), (None, False))

    def test_errors(self) -> None:
        """Envoy's words."""
        for yaml, problem in {
            "{}": "hits_addend must contain either a format or a number",
            "number: 1\nformat: '%PROTOCOL%'": (
                "hits_addend must contain either a format or a number"
            ),
            "format: '%PROTOCOL%%PROTOCOL%'": (
                "hits_addend format must contain exactly one substitution"
            ),
            "format: '%NOPE%'": "Not supported field in StreamInfo: NOPE",
        }.items():
            self.assertEqual(self.assertRaises(ConfigError, self.build, yaml).problem, problem)
