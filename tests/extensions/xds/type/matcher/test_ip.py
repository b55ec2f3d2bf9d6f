"""IPMatcher; its answers are real Envoy's."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.network.matching.support import action, has, header, listOf, named, requestOf, treeOf
from twisted_envoy.errors import ConfigError


def entry(name: Any, *ranges: str, exclusive: bool = False) -> dict[str, Any]:
    """One range matcher; name is its action, or an OnMatch."""
    pairs = (text.split("/") for text in ranges)
    return {
        "ranges": [{"address_prefix": prefix, "prefix_len": int(size)} for prefix, size in pairs],
        "on_match": action(name) if isinstance(name, str) else name,
        "exclusive": exclusive,
    }


def matcher(*entries: Any) -> Any:
    custom = named("m", "xds.type.matcher.v3.IPMatcher", range_matchers=entries)
    return treeOf(
        {
            "matcher_tree": {"input": header("ip"), "custom_match": custom},
            "on_no_match": action("none"),
        }
    )


class IPMatcherTests(SynchronousTestCase):
    def test_longestPrefix(self) -> None:
        """Of both families; of equal ones the first."""
        match = matcher(
            entry("eight", "10.0.0.0/8", "2001:db8::/32"),
            entry("sixteen", "10.1.0.0/16"),
            entry("late", "10.1.9.9/16"),
            entry("all", "0.0.0.0/0"),
        )
        for ip, name in (
            ("10.1.2.3", "sixteen"),
            ("10.2.2.3", "eight"),
            ("2001:db8::1", "eight"),
            ("9.9.9.9", "all"),
            ("::1", "none"),
            ("x", "none"),
        ):
            self.assertEqual(match(requestOf(ip=ip)), name)
        self.assertEqual(match(requestOf()), "none")

    def test_nowhere(self) -> None:
        """The next longest that is not exclusive."""
        inner = {"matcher": listOf((has("a", "1"), action("inner")))}
        match = matcher(
            entry(inner, "10.1.1.0/24"),
            entry("exclusive", "10.1.0.0/16", exclusive=True),
            entry("eight", "10.0.0.0/8"),
        )
        self.assertEqual(match(requestOf(ip="10.1.1.1", a="1")), "inner")
        self.assertEqual(match(requestOf(ip="10.1.1.1")), "eight")
        self.assertEqual(match(requestOf(ip="10.1.2.1")), "exclusive")

    def test_errors(self) -> None:
        """A wrong address; a range that leads nowhere, at which Envoy crashes."""
        with self.assertRaises(ConfigError) as caught:
            matcher(entry("x", "10.0.0/8"))
        self.assertEqual(caught.exception.problem, "malformed IP address: 10.0.0")
        with self.assertRaises(ConfigError) as caught:
            matcher({"ranges": [{"address_prefix": "10.0.0.0"}]})
        self.assertEqual(caught.exception.problem, 'field: "on_match", reason: is required')
