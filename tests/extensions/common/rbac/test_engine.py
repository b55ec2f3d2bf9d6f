"""What decides; the answers are real Envoy's."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.rbac.support import Context, header, policy, requestOf
from tests.http.routes.support import viewOfYAML
from tests.network.matching.support import connectionInput, mapOf, named
from tests.network.matching.support import header as headerInput
from twisted_envoy.config.unread import unread
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.rbac.engine import (
    Verdict,
    buildEngine,
    deniedDetails,
    note,
)

FILTER = "envoy.extensions.filters.http.rbac.v3.RBAC"
WHERE = "requirement violation while creating RBAC match tree: INVALID_ARGUMENT: "


def viewOf(**fields: Any) -> Any:
    return viewOfYAML(json.dumps(fields), FILTER)


def engineOf(shadow: bool = False, hasHeaders: bool = True, **fields: Any) -> Any:
    view = viewOf(**fields)
    engine = buildEngine(view, Context(), shadow, hasHeaders)
    assert not list(unread(view)), [field.path for field in unread(view)]
    return engine


def rules(action: str, **policies: Any) -> dict[str, Any]:
    return {"action": action, "policies": policies}


def act(name: str, action: str = "ALLOW") -> dict[str, Any]:
    return {"action": named("a", "envoy.config.rbac.v3.Action", name=name, action=action)}


ONE = policy(header("x", "1"))


class RulesTests(SynchronousTestCase):
    def test_actions(self) -> None:
        """Who is matched and who is not."""
        for action, matched, other in (
            ("ALLOW", True, False),
            ("DENY", False, True),
            ("LOG", True, True),
        ):
            decide = engineOf(rules=rules(action, p=ONE))
            self.assertEqual(decide(requestOf(x="1")), Verdict(matched, "p"))
            self.assertEqual(decide(requestOf()), Verdict(other, ""))

    def test_order(self) -> None:
        """Policies are asked in the order of their names."""
        decide = engineOf(rules=rules("ALLOW", b=ONE, a=ONE, B=policy(header("x", "2"))))
        self.assertEqual(decide(requestOf(x="1")).policy, "a")
        self.assertEqual(decide(requestOf(x="2")).policy, "B")

    def test_bothSides(self) -> None:
        """One of the permissions and one of the principals."""
        both = {
            "permissions": [header("x", "1"), header("x", "2")],
            "principals": [header("y", "1"), header("y", "2")],
        }
        decide = engineOf(rules=rules("ALLOW", p=both))
        self.assertTrue(decide(requestOf(x="2", y="1")).allowed)
        self.assertFalse(decide(requestOf(x="2", y="3")).allowed)
        self.assertFalse(decide(requestOf(x="3", y="1")).allowed)

    def test_nothing(self) -> None:
        """Without rules nothing decides; without policies nobody is allowed."""
        self.assertIsNone(engineOf())
        self.assertEqual(engineOf(rules={})(requestOf()), Verdict(False, ""))

    def test_hint(self) -> None:
        """LOG leaves a hint for access logs; shadow rules leave none."""
        info = requestOf(x="1")
        info.dynamicMetadata["envoy.common"] = {"other": 1}
        engineOf(rules=rules("LOG", p=ONE))(info)
        self.assertEqual(
            info.dynamicMetadata["envoy.common"], {"other": 1, "access_log_hint": True}
        )
        info = requestOf()
        engineOf(rules=rules("LOG", p=ONE))(info)
        self.assertEqual(info.dynamicMetadata["envoy.common"], {"access_log_hint": False})
        info = requestOf(x="1")
        engineOf(True, shadow_rules=rules("LOG", p=ONE))(info)
        engineOf(rules=rules("DENY", p=ONE))(info)
        self.assertEqual(info.dynamicMetadata, {})

    def test_unsupported(self) -> None:
        """Conditions are reported; audit logs are not written by Envoy's filters either."""
        condition = {"const_expr": {"bool_value": True}}
        view = viewOf(rules={"policies": {"p": {**ONE, "condition": condition}}})
        buildEngine(view, Context(), False, True)
        self.assertTrue(any("condition" in field.path for field in unread(view)))
        view = viewOf(rules={"audit_logging_options": {"audit_condition": "ON_DENY"}})
        buildEngine(view, Context(), False, True)
        self.assertFalse(any("audit_logging_options" in field.path for field in unread(view)))


class MatcherTests(SynchronousTestCase):
    tree = mapOf("exact", headerInput("x"), a=act("al"), b=act("de", "DENY"), c=act("lo", "LOG"))

    def test_actions(self) -> None:
        """Where the tree leads; nowhere is a denial."""
        decide = engineOf(matcher=self.tree)
        for value, verdict, hint in (
            ("a", Verdict(True, "al"), {"access_log_hint": False}),
            ("b", Verdict(False, "de"), {"access_log_hint": False}),
            ("c", Verdict(True, "lo"), {"access_log_hint": True}),
            ("d", Verdict(False, ""), None),
        ):
            info = requestOf(x=value)
            self.assertEqual(decide(info), verdict)
            self.assertEqual(info.dynamicMetadata.get("envoy.common"), hint)

    def test_noHint(self) -> None:
        """Without an action LOG, and of shadow matchers."""
        info = requestOf(x="a")
        engineOf(matcher=mapOf("exact", headerInput("x"), a=act("al")))(info)
        engineOf(True, shadow_matcher=self.tree)(info)
        self.assertEqual(info.dynamicMetadata, {})

    def test_beforeRules(self) -> None:
        """The matcher decides; that the rules are ignored is said."""
        for shadow, word in ((False, ""), (True, "shadow ")):
            prefix = word.strip() and "shadow_"
            fields = {f"{prefix}matcher": self.tree, f"{prefix}rules": rules("DENY", p=policy())}
            view = viewOf(**fields)
            decide = buildEngine(view, Context(), shadow, True)
            assert decide is not None
            self.assertEqual(decide(requestOf(x="a")), Verdict(True, "al"))
            self.assertEqual(list(unread(view)), [])
            (warning,) = view._record.source.warnings
            self.assertEqual(
                warning.problem, f"RBAC {word}rules are ignored when {word}matcher is configured"
            )

    def test_inputs(self) -> None:
        """What may be looked at, in Envoy's words."""
        source = mapOf("exact", connectionInput("SourceTypeInput"), x=act("a"))
        url = "type.googleapis.com/"
        package = f"{url}envoy.extensions.matching.common_inputs.network.v3."
        for tree, hasHeaders, problem in (
            (source, True, f"RBAC HTTP filter cannot match on '{package}SourceTypeInput'"),
            (source, False, f"RBAC network filter cannot match '{package}SourceTypeInput'"),
            (
                self.tree,
                False,
                "RBAC network filter cannot match "
                f"'{url}envoy.type.matcher.v3.HttpRequestHeaderMatchInput'",
            ),
        ):
            with self.assertRaises(ConfigError) as caught:
                engineOf(hasHeaders=hasHeaders, matcher=tree)
            self.assertEqual(caught.exception.problem, WHERE + problem)


class DetailsTests(SynchronousTestCase):
    def test_names(self) -> None:
        """Blanks become underscores; `none` without a policy."""
        self.assertEqual(deniedDetails(""), "rbac_access_denied_matched_policy[none]")
        self.assertEqual(deniedDetails("a  b c"), "rbac_access_denied_matched_policy[a__b_c]")

    def test_note(self) -> None:
        """What was there stays; nobody else's dict changes."""
        info = requestOf()
        before = {"a": 1}
        info.dynamicMetadata["n"] = before
        note(info, "n", {"b": 2})
        note(info, "m", {"c": 3})
        self.assertEqual(info.dynamicMetadata, {"n": {"a": 1, "b": 2}, "m": {"c": 3}})
        self.assertEqual(before, {"a": 1})
