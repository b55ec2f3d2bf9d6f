"""What of which header becomes which metadata."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.header_to_metadata import factories
from twisted_envoy.stats.scope import Store

NAMESPACE = "envoy.filters.http.header_to_metadata"


class RuleCase(SynchronousTestCase):
    def apply(self, *rules: dict[str, Any], **headers: str) -> dict[str, Any]:
        """The metadata that a request with these headers gets, of the usual namespace."""
        (factory,) = factories
        context = Context()
        config = configOf(factory.typeURL, {"request_rules": rules, "stat_prefix": "p"})
        self.headers = HeaderMap(
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        )
        self.metadata: dict[str, dict[str, object]] = {}
        settings = factory.buildRoute(config, context)
        settings.request.applyTo(self.headers, self.metadata)
        self.store: Store = context.stats
        return self.metadata.get(NAMESPACE, {})

    def count(self, name: str) -> int:
        return self.store.value(f"http_filter_name.p.{name}")


def rule(present: Any = None, missing: Any = None, **more: Any) -> dict[str, Any]:
    """A rule of the header x, unless something else is said."""
    made = {} if "cookie" in more else {"header": "X"}
    if present is not None:
        made["on_header_present"] = {"key": "k", **present}
    if missing is not None:
        made["on_header_missing"] = {"key": "k", **missing}
    return {**made, **more}


class RuleTests(RuleCase):
    def test_present(self) -> None:
        """Its value, or one that is given."""
        self.assertEqual(self.apply(rule({}), x="1"), {"k": "1"})
        self.assertEqual(self.apply(rule({"value": "v"}), x="1"), {"k": "v"})
        self.assertEqual(self.apply(rule({}), y="1"), {})
        self.assertEqual((self.count("request_header_not_found"), self.metadata), (0, {}))

    def test_missing(self) -> None:
        """A value that is given; a header without a value is not missing."""
        missing = rule(None, {"value": "none"})
        self.assertEqual(self.apply(missing), {"k": "none"})
        self.assertEqual(self.count("request_header_not_found"), 1)
        self.assertEqual(self.apply(missing, x=""), {})
        self.assertEqual(self.apply(rule({}, {"value": "none"}), x=""), {})

    def test_several(self) -> None:
        """All values of a header, joined."""
        (factory,) = factories
        config = configOf(factory.typeURL, {"request_rules": [rule({})]})
        headers = HeaderMap(((b"x", b"1"), (b"x", b"2")))
        metadata: dict[str, dict[str, object]] = {}
        factory.buildRoute(config, Context()).request.applyTo(headers, metadata)
        self.assertEqual(metadata, {NAMESPACE: {"k": "1,2"}})

    def test_namespace(self) -> None:
        """One of one's own; what is there already stays."""
        (factory,) = factories
        config = configOf(factory.typeURL, {"request_rules": [rule({"metadata_namespace": "n"})]})
        metadata: dict[str, dict[str, object]] = {"n": {"k": "old", "l": "m"}}
        settings = factory.buildRoute(config, Context())
        settings.request.applyTo(HeaderMap(((b"x", b"1"),)), metadata)
        self.assertEqual(metadata, {"n": {"k": "1", "l": "m"}})

    def test_cookie(self) -> None:
        """Without its quotes; an empty one is missing."""
        one = rule({}, {"value": "none"}, cookie="c")
        for value, expected in (("a=b; c=yes", "yes"), ('c="q"', "q"), ("c=", "none")):
            self.assertEqual(self.apply(one, cookie=value), {"k": expected})
        self.assertEqual(self.apply(one), {"k": "none"})

    def test_remove(self) -> None:
        """The header goes no further; later rules miss it."""
        again = rule(None, {"value": "gone", "key": "l"})
        found = self.apply(rule({}, remove=True), again, x="1")
        self.assertEqual(found, {"k": "1", "l": "gone"})
        self.assertNotIn(b"x", self.headers)
        self.apply(rule(None, {"value": "v"}, remove=True), x="1")
        self.assertNotIn(b"x", self.headers)

    def test_rewrite(self) -> None:
        """Every match is replaced; nothing left is nothing to add."""
        rewrite = {"pattern": {"regex": "^/(a+)/(.*)$"}, "substitution": "\\2-\\1"}
        rewritten = rule({"regex_value_rewrite": rewrite})
        self.assertEqual(self.apply(rewritten, x="/aa/bb"), {"k": "bb-aa"})
        self.assertEqual(self.apply(rewritten, x="zz"), {"k": "zz"})
        away = rule({"regex_value_rewrite": {"pattern": {"regex": "a"}, "substitution": ""}})
        self.assertEqual(self.apply(away, x="aa"), {})
        self.assertEqual(self.count("regex_substitution_failed"), 1)
        self.apply(away, x="")
        self.assertEqual(self.count("regex_substitution_failed"), 0)

    def test_types(self) -> None:
        """What is nothing of its type is left out."""
        self.assertEqual(self.apply(rule({"type": "NUMBER"}), x="12.5"), {"k": 12.5})
        self.assertEqual(self.apply(rule({"type": "NUMBER"}), x="abc"), {})
        both = {"type": "PROTOBUF_VALUE", "encode": "BASE64"}
        self.assertEqual(self.apply(rule(both), x="GgNhYmM="), {"k": "abc"})
        self.assertEqual(self.count("request_metadata_added"), 1)
        self.assertEqual(self.apply(rule(both), x="/w=="), {})
        self.assertEqual(self.count("request_metadata_added"), 0)

    def test_base64(self) -> None:
        """What is none is left out and counted."""
        encoded = rule({"encode": "BASE64"})
        self.assertEqual(self.apply(encoded, x="aGVsbG8"), {"k": "hello"})
        self.assertEqual(self.apply(encoded, x="!"), {})
        self.assertEqual(self.count("base64_decode_failed"), 1)

    def test_tooLong(self) -> None:
        """8 KiB are too much."""
        self.assertEqual(self.apply(rule({}), x="a" * 8191), {"k": "a" * 8191})
        self.assertEqual(self.apply(rule({}), x="a" * 8192), {})
        self.assertEqual(self.count("header_value_too_long"), 1)

    def test_counted(self) -> None:
        """Each rule that is looked at."""
        self.apply(rule({}), rule({"key": "l"}), rule(None, {"value": "v"}), x="1")
        self.assertEqual(self.count("request_rules_processed"), 3)
        self.assertEqual(self.count("request_metadata_added"), 2)
