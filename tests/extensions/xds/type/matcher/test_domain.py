"""ServerNameMatcher; its answers are real Envoy's."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.network.matching.support import action, has, header, listOf, named, requestOf, treeOf
from twisted_envoy.errors import ConfigError


def entry(name: Any, *domains: str) -> dict[str, Any]:
    """One domain matcher; name is its action, or an OnMatch."""
    onMatch = action(name) if isinstance(name, str) else name
    return {"domains": domains, "on_match": onMatch}


def matcher(*entries: Any) -> Any:
    custom = named("m", "xds.type.matcher.v3.ServerNameMatcher", domain_matchers=entries)
    return treeOf(
        {
            "matcher_tree": {"input": header("name"), "custom_match": custom},
            "on_no_match": action("none"),
        }
    )


class ServerNameMatcherTests(SynchronousTestCase):
    def test_mostSpecific(self) -> None:
        """The whole name, the longest suffix, everything."""
        match = matcher(
            entry("exact", "a.b.test"), entry("short", "*.test"), entry("long", "*.b.test")
        )
        for name, found in (
            ("a.b.test", "exact"),
            ("c.b.test", "long"),
            ("c.c.b.test", "long"),
            ("b.test", "short"),
            ("test", "none"),
        ):
            self.assertEqual(match(requestOf(name=name)), found)
        match = matcher(entry("all", "*"), entry("suffix", "*.test"))
        for name, found in (("x", "all"), (".test", "suffix"), ("", "none")):
            self.assertEqual(match(requestOf(name=name)), found)

    def test_nowhere(self) -> None:
        """What leads nowhere is passed over."""
        inner = {"matcher": listOf((has("a", "1"), action("inner")))}
        match = matcher(entry(inner, "a.b.test"), entry(inner, "*.b.test"), entry("all", "*"))
        self.assertEqual(match(requestOf(name="a.b.test", a="1")), "inner")
        self.assertEqual(match(requestOf(name="a.b.test")), "all")

    def test_errors(self) -> None:
        """In Envoy's words."""
        for domains, problem in (
            (("",), "Empty domain in ServerNameMatcher"),
            (("a", "a"), "Duplicate domain in ServerNameMatcher: a"),
            *(
                (
                    (text,),
                    f"Invalid wildcard domain format: {text}. Only '*' and '*.domain' patterns "
                    "are supported",
                )
                for text in ("a.*", "*a", "*.")
            ),
        ):
            with self.assertRaises(ConfigError) as caught:
                matcher(entry("x", *domains))
            self.assertEqual(caught.exception.problem, problem)
        with self.assertRaises(ConfigError) as caught:
            matcher({"domains": ["a"]})
        self.assertEqual(caught.exception.problem, 'field: "on_match", reason: is required')
