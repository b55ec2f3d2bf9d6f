"""Tests of twisted_envoy.config.rule_tests."""

from typing import Any

from google.protobuf import duration_pb2
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config import rule_tests
from twisted_envoy.config.bootstrap import envoyPlans


def rules(**kinds: Any) -> Any:
    """Make a validate.FieldRules."""
    return envoyPlans().schema.messageClass("validate.FieldRules")(**kinds)


def field(message: str, name: str) -> Any:
    plan = envoyPlans().find(message)
    assert plan is not None
    return plan.descriptor.fields_by_name[name]


class KindTests(SynchronousTestCase):
    """Each kind of rule: one value that keeps it, one that breaks it, and the words."""

    def check(self, tests: Any, good: Any, bad: Any, words: str) -> None:
        found = list(tests)
        self.assertEqual([test(good, good) for test in found], [""] * len(found))
        self.assertIn(words, [test(bad, bad) for test in found])

    def scalar(self, kind: str, rule: dict[str, Any], good: Any, bad: Any, words: str) -> None:
        made = rules(**{kind: rule})
        node = field("envoy.config.core.v3.Node", "id")
        self.check(rule_tests.scalarTests(node, made, kind), good, bad, words)

    def test_ranges(self) -> None:
        """All shapes of ranges, as their words have them."""
        for rule, good, bad, words in (
            ({"lt": 5}, 4, 5, "value must be less than 5"),
            ({"lte": 5}, 5, 6, "value must be less than or equal to 5"),
            ({"gt": 5}, 6, 5, "value must be greater than 5"),
            ({"gte": 5}, 5, 4, "value must be greater than or equal to 5"),
            ({"gte": 1, "lte": 5}, 5, 6, "value must be inside range [1, 5]"),
            ({"gt": 1, "lt": 5}, 2, 1, "value must be inside range (1, 5)"),
            ({"gte": 1, "lt": 5}, 1, 5, "value must be inside range [1, 5)"),
            ({"gt": 1, "lte": 5}, 5, 0, "value must be inside range (1, 5]"),
            ({"lte": 1, "gte": 5}, 5, 3, "value must be outside range (1, 5)"),
            ({"lt": 1, "gt": 5}, 0, 5, "value must be outside range [1, 5]"),
        ):
            for kind in ("uint32", "int64", "uint64", "int32"):
                self.scalar(kind, rule, good, bad, words)

    def test_floats(self) -> None:
        """Floats print without a fraction when they have none; NaN breaks no range."""
        self.scalar("double", {"gte": 0, "lte": 1}, 0.5, 1.5, "value must be inside range [0, 1]")
        self.scalar("float", {"gt": 0.5}, 1, 0.5, "value must be greater than 0.5")
        self.scalar("double", {"lt": 5}, float("nan"), 5, "value must be less than 5")

    def test_constants(self) -> None:
        """const, in and not_in."""
        self.scalar("bool", {"const": True}, True, False, "value must equal true")
        self.scalar("uint32", {"const": 7}, 7, 8, "value must equal 7")
        self.scalar("string", {"in": ["a", "b"]}, "a", "c", "value must be in list [a b]")
        self.scalar("string", {"not_in": ["a"]}, "b", "a", "value must not be in list [a]")
        self.scalar("uint32", {"in": [1, 2]}, 1, 3, "value must be in list [1 2]")

    def test_lengths(self) -> None:
        """Characters and bytes."""
        for rule, good, bad, words in (
            ({"len": 2}, "éé", "é", "value length must be 2 characters"),
            ({"min_len": 2}, "ab", "a", "value length must be at least 2 characters"),
            ({"max_len": 2}, "éé", "abc", "value length must be at most 2 characters"),
            (
                {"min_len": 1, "max_len": 2},
                "a",
                "abc",
                "value must have between 1 and 2 characters inclusive",
            ),
            ({"min_len": 2, "max_len": 2}, "ab", "a", "value length must be 2 characters"),
            ({"max_bytes": 2}, "é", "éa", "value length must be at most 2 bytes"),
            ({"min_bytes": 2}, "é", "a", "value length must be at least 2 bytes"),
            ({"len_bytes": 2}, "é", "a", "value length must be 2 bytes"),
        ):
            self.scalar("string", rule, good, bad, words)
        self.scalar("bytes", {"min_len": 1}, b"a", b"", "value length must be at least 1 bytes")
        self.scalar(
            "bytes",
            {"min_len": 0, "max_len": 1},
            b"",
            b"ab",
            "value length must be between 0 and 1 bytes, inclusive",
        )

    def test_affixes(self) -> None:
        """prefix, suffix and contains."""
        self.scalar("string", {"prefix": "%"}, "%a", "a", 'value does not have prefix "%"')
        self.scalar("string", {"suffix": "%"}, "a%", "a", 'value does not have suffix "%"')
        self.scalar("string", {"contains": "b"}, "abc", "a", 'value does not contain substring "b"')

    def test_patterns(self) -> None:
        """RE2 patterns as they stand; `$` is the very end."""
        words = 'value does not match regex pattern "^[^?#]+[^?#/]$"'
        self.scalar("string", {"pattern": "^[^?#]+[^?#/]$"}, "/a", "/a/", words)
        words = 'value does not match regex pattern "^[a-z]*$"'
        self.scalar("string", {"pattern": "^[a-z]*$"}, "a", "a\n", words)

    def test_headers(self) -> None:
        """Header names and values, strict and not."""
        for rule, good, bad, pattern in (
            ({"well_known_regex": 1, "strict": False}, "a b", "a\n", r"^[^\x00\n\r]*$"),
            ({"well_known_regex": 2, "strict": False}, "", "a\0", r"^[^\x00\n\r]*$"),
            ({"well_known_regex": 1}, ":a-b", "a b", "^:?[0-9a-zA-Z!#$%&'*+-.^_|~`]+$"),
            ({"well_known_regex": 2}, "a\tb", "a\x7f", r"^[^\x00-\b\n-\x1f\x7f]*$"),
        ):
            words = f'value does not match regex pattern "{pattern}"'
            self.scalar("string", rule, good, bad, words)

    def test_ignoreEmpty(self) -> None:
        """Empty values may be exempt."""
        rule = {"ignore_empty": True, "min_len": 2}
        self.scalar("string", rule, "", "a", "value length must be at least 2 characters")
        self.scalar(
            "uint32",
            {"ignore_empty": True, "gte": 5},
            0,
            4,
            "value must be greater than or equal to 5",
        )

    def test_enums(self) -> None:
        """Defined values, and those not wanted, by name."""
        enum = field("envoy.config.core.v3.HealthCheck.HttpHealthCheck", "method")
        made = rules(enum={"defined_only": True, "not_in": [6]})
        tests = rule_tests.scalarTests(enum, made, "enum")
        self.check(tests, 1, 99, "value must be one of the defined enum values")
        self.check(tests, 1, 6, "value must not be in list [CONNECT]")

    def test_durations(self) -> None:
        """Ranges and constants of durations, in Go's way to write them."""
        short, long = duration_pb2.Duration(nanos=1), duration_pb2.Duration(seconds=600)
        second = duration_pb2.Duration(seconds=1)
        tests = list(rule_tests.durationTests(rules(duration={"gte": {"nanos": 1000000}}).duration))
        self.check(tests, second, short, "value must be greater than or equal to 1ms")
        made = rules(duration={"gt": {}, "lt": {"seconds": 300}}).duration
        self.check(
            rule_tests.durationTests(made), second, long, "value must be inside range (0s, 5m0s)"
        )
        made = rules(duration={"const": {"seconds": 1}}).duration
        self.check(rule_tests.durationTests(made), second, long, "value must equal 1s")

    def test_anys(self) -> None:
        """Type URLs."""

        class Holder:
            def __init__(self, type_url: str) -> None:
                self.type_url = type_url

        made = rules(any={"in": ["a/b"], "not_in": ["a/c"]}).any
        tests = list(rule_tests.anyTests(made))
        self.check(tests, Holder("a/b"), Holder("a/c"), "type URL must be in list [a/b]")
        self.check(tests, Holder("a/b"), Holder("a/c"), "type URL must not be in list [a/c]")

    def test_lists(self) -> None:
        """Numbers of elements, equal ones, and each."""
        node = field("envoy.config.core.v3.Node", "client_features")
        for rule, good, bad, words in (
            ({"min_items": 2}, [1, 2], [1], "value must contain at least 2 item(s)"),
            ({"max_items": 1}, [1], [1, 2], "value must contain no more than 1 item(s)"),
            ({"min_items": 1, "max_items": 1}, [1], [], "value must contain exactly 1 item(s)"),
            (
                {"min_items": 1, "max_items": 2},
                [1],
                [],
                "value must contain between 1 and 2 item(s), inclusive",
            ),
            (
                {"min_items": 2, "ignore_empty": True},
                [],
                [1],
                "value must contain at least 2 item(s)",
            ),
            ({"unique": True}, [1, 2], [1, 1], "repeated value must contain unique items\0[1]"),
        ):
            whole, each = rule_tests.listTests(node, rules(repeated=rule))
            self.check(whole, good, bad, words)
            self.assertEqual(each, [])
        for items, count in (
            ({"string": {"min_len": 1}}, 1),
            ({"duration": {"gt": {}}}, 1),
            ({"any": {"in": ["a"]}}, 1),
            ({"message": {"skip": True}}, 0),
        ):
            _, each = rule_tests.listTests(node, rules(repeated={"items": items}))
            self.assertEqual(len(each), count)

    def test_maps(self) -> None:
        """Numbers of pairs, keys and values."""
        holder = field("envoy.config.core.v3.Metadata", "filter_metadata")
        made = rules(map={"min_pairs": 1, "keys": {"string": {"min_len": 1}}})
        whole, keys, values = rule_tests.mapTests(holder, made)
        self.check(whole, {"a": 1}, {}, "value must contain at least 1 pair(s)")
        self.check(keys, "a", "", "value length must be at least 1 characters")
        self.assertEqual(values, [])
        made = rules(map={"max_pairs": 1, "ignore_empty": True})
        whole, _, _ = rule_tests.mapTests(holder, made)
        self.check(whole, {}, {"a": 1, "b": 2}, "value must contain no more than 1 pair(s)")


class FieldTests(SynchronousTestCase):
    """Rules on fields that may be unset."""

    def test_requiredAndWrapped(self) -> None:
        """A wrapper's rules hold only when it is set; required ones must be."""
        cluster = envoyPlans().schema.messageClass("envoy.config.core.v3.HealthCheck")
        threshold = field("envoy.config.core.v3.HealthCheck", "unhealthy_threshold")
        message = cluster()
        alone = rule_tests.testsOf(threshold, rules(message={"required": True}))
        self.assertEqual(alone[0](message, message.unhealthy_threshold), "value is required")
        tests = rule_tests.testsOf(threshold, rules(message={"required": True}, uint32={"gte": 1}))
        self.assertEqual(
            tests[0](message, message.unhealthy_threshold),
            "value is required and must not be nil.",
        )
        message.unhealthy_threshold.value = 0
        found = [test(message, message.unhealthy_threshold) for test in tests]
        self.assertEqual(found, ["", "value must be greater than or equal to 1"])

    def test_requiredDurations(self) -> None:
        """Durations and Anys say themselves whether they are required."""
        timeout = field("envoy.config.core.v3.HealthCheck", "timeout")
        message = envoyPlans().schema.messageClass("envoy.config.core.v3.HealthCheck")()
        tests = rule_tests.testsOf(timeout, rules(duration={"required": True, "gt": {}}))
        self.assertEqual(
            [test(message, message.timeout) for test in tests], ["value is required", ""]
        )
        config = field("envoy.config.core.v3.TypedExtensionConfig", "typed_config")
        holder = envoyPlans().schema.messageClass("envoy.config.core.v3.TypedExtensionConfig")()
        tests = rule_tests.testsOf(config, rules(any={"required": True, "in": ["a"]}))
        self.assertEqual(
            [test(holder, holder.typed_config) for test in tests], ["value is required", ""]
        )


class ShowingTests(SynchronousTestCase):
    """How durations are written."""

    def test_likeGo(self) -> None:
        """Every unit."""
        for nanos, shown in (
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (20_000_000, "20ms"),
            (1_000_000_000, "1s"),
            (1_500_000_000, "1.5s"),
            (300_000_000_000, "5m0s"),
            (4_294_967_296_000_000_000, "1193046h28m16s"),
            (-5_000_000_000, "-5s"),
        ):
            self.assertEqual(rule_tests.showDuration(nanos), shown)
