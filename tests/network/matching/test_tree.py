"""Matcher trees; what they answer is what real Envoy answered."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.network.matching.support import (
    action,
    connectionInput,
    has,
    header,
    listOf,
    mapOf,
    named,
    requestOf,
    responseHeader,
    treeOf,
)
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.errors import ConfigError
from twisted_envoy.network.matching.inputs import NETWORK
from twisted_envoy.network.matching.tree import Limits


class ListTests(SynchronousTestCase):
    def test_firstWins(self) -> None:
        """The first predicate that is true; on_no_match for none."""
        match = treeOf(
            listOf(
                (has("a", "1"), action("first")),
                (has("b", "1"), action("second")),
                on_no_match=action("none"),
            )
        )
        self.assertEqual(match(requestOf(a="1", b="1")), "first")
        self.assertEqual(match(requestOf(a="2", b="1")), "second")
        self.assertEqual(match(requestOf()), "none")

    def test_nowhere(self) -> None:
        """Without on_no_match there is no action; an empty matcher has on_no_match only."""
        self.assertIsNone(treeOf(listOf((has("a", "1"), action("x"))))(requestOf()))
        self.assertIsNone(treeOf({})(requestOf()))
        self.assertEqual(treeOf({"on_no_match": action("x")})(requestOf()), "x")

    def test_nested(self) -> None:
        """A nested matcher that leads nowhere is passed over."""
        inner = {"matcher": listOf((has("b", "1"), action("inner")))}
        match = treeOf(listOf((has("a", "1"), inner), (has("a", "1"), action("outer"))))
        self.assertEqual(match(requestOf(a="1", b="1")), "inner")
        self.assertEqual(match(requestOf(a="1")), "outer")

    def test_keepMatching(self) -> None:
        """What keeps matching leads nowhere itself."""
        keeping = {**action("kept"), "keep_matching": True}
        nested = {"matcher": {"on_no_match": action("kept")}, "keep_matching": True}
        match = treeOf(
            listOf(
                (has("a", "1"), keeping), (has("a", "1"), nested), (has("a", "1"), action("end"))
            )
        )
        self.assertEqual(match(requestOf(a="1")), "end")

    def test_notYet(self) -> None:
        """An input that is not there yet ends the search, wherever it stands."""
        late = {"single_predicate": {"input": responseHeader("r"), "value_match": {"exact": "1"}}}
        match = treeOf(listOf((late, action("late")), on_no_match=action("none")))
        info = requestOf()
        self.assertIsNone(match(info))
        info.responseHeaders = HeaderMap()
        self.assertEqual(match(info), "none")
        info.responseHeaders.set(b"r", b"1")
        self.assertEqual(match(info), "late")

        inner = {
            "matcher": mapOf("exact", responseHeader("r"), x=action("x")),
            "keep_matching": True,
        }
        match = treeOf(listOf((has("a", "1"), inner), on_no_match=action("none")))
        self.assertIsNone(match(requestOf(a="1")))
        self.assertEqual(match(requestOf()), "none")


class MapTests(SynchronousTestCase):
    def test_exact(self) -> None:
        """The whole value; what is not there is no empty text."""
        match = treeOf(mapOf("exact", header("a"), action("none"), x=action("x"), xy=action("xy")))
        self.assertEqual(match(requestOf(a="x")), "x")
        self.assertEqual(match(requestOf(a="xy")), "xy")
        self.assertEqual(match(requestOf(a="xyz")), "none")
        self.assertEqual(match(requestOf()), "none")

    def test_prefix(self) -> None:
        """The longest prefix; a shorter one when that leads nowhere."""
        inner = {"matcher": listOf((has("b", "1"), action("inner")))}
        match = treeOf(mapOf("prefix", header("a"), action("none"), x=action("x"), xy=inner))
        self.assertEqual(match(requestOf(a="xyz", b="1")), "inner")
        self.assertEqual(match(requestOf(a="xyz")), "x")
        self.assertEqual(match(requestOf(a="x")), "x")
        self.assertEqual(match(requestOf(a="y")), "none")

    def test_onNoMatchOfNestedMaps(self) -> None:
        """The inner one's first."""
        inner = {"matcher": mapOf("exact", header("b"), action("inner none"), x=action("x"))}
        match = treeOf(mapOf("exact", header("a"), action("none"), x=inner))
        self.assertEqual(match(requestOf(a="x", b="x")), "x")
        self.assertEqual(match(requestOf(a="x")), "inner none")

    def test_noText(self) -> None:
        """What is no text is in no map."""
        input = connectionInput("DynamicMetadataInput", filter="f", path=[{"key": "k"}])
        match = treeOf(mapOf("exact", input, action("none"), x=action("x")))
        info = requestOf()
        info.dynamicMetadata["f"] = {"k": "x"}
        self.assertEqual(match(info), "none")


class ErrorTests(SynchronousTestCase):
    def problem(self, matcher: object, **more: object) -> str:
        with self.assertRaises(ConfigError) as caught:
            treeOf(matcher, **more)  # type: ignore[arg-type]
        return caught.exception.problem

    def test_inputOfAnotherKind(self) -> None:
        """A header of a connection."""
        matcher = mapOf("exact", header("a"), x=action("x"))
        self.assertEqual(
            self.problem(matcher, inputs=NETWORK),
            "Didn't find a registered implementation for 'header' with type URL: "
            "'envoy.type.matcher.v3.HttpRequestHeaderMatchInput'",
        )

    def test_actionOfAnotherKind(self) -> None:
        """Of a type that the tree's user does not know."""
        wrong = {"action": named("a", "google.protobuf.UInt32Value", value=1)}
        self.assertEqual(
            self.problem({"on_no_match": wrong}),
            "Didn't find a registered implementation for 'a' with type URL: "
            "'google.protobuf.UInt32Value'",
        )

    def test_limits(self) -> None:
        """Inputs that are not allowed, and keep_matching."""
        limits = Limits(frozenset(("envoy.type.matcher.v3.X",)), "W: ", "cannot match {}")
        self.assertEqual(
            self.problem(mapOf("exact", header("a"), x=action("x")), limits=limits),
            "W: cannot match type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
        )
        keeping = {"on_no_match": {**action("x"), "keep_matching": True}}
        self.assertEqual(
            self.problem(keeping, limits=limits),
            "W: keep_matching is not supported in this context",
        )
        self.assertEqual(treeOf({"on_no_match": action("x")}, limits=limits)(requestOf()), "x")
