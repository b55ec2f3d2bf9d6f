"""The RBAC filter in a connection manager; its answers, logs and stats are real Envoy's."""

from __future__ import annotations

from typing import Any

from tests.extensions.common.rbac.support import header, policy
from tests.extensions.filters.http.support import FilterCase, named, typed

TYPE = "envoy.extensions.filters.http.rbac.v3.RBAC"
ROUTE = "envoy.extensions.filters.http.rbac.v3.RBACPerRoute"
LOG = (
    "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %RESPONSE_FLAGS% "
    "%DYNAMIC_METADATA(envoy.filters.http.rbac)%"
)
DENIED = "rbac_access_denied_matched_policy"


def rules(action: str, **policies: Any) -> dict[str, Any]:
    return {"action": action, "policies": policies}


def ask(value: str) -> dict[str, Any]:
    return policy(header("x", value))


class RBACTests(FilterCase):
    def test_enforced(self) -> None:
        """403 with a body, details and metadata; no flag."""
        self.start(named("rbac", TYPE, rules=rules("ALLOW", **{"my policy": ask("1")})), log=LOG)

        denied = self.get("/")
        allowed = self.get("/", "x: 1")

        self.assertTrue(denied.startswith(b"HTTP/1.1 403 Forbidden"), denied)
        self.assertTrue(denied.endswith(b"RBAC: access denied"), denied)
        self.assertTrue(allowed.startswith(b"HTTP/1.1 200 OK"), allowed)
        policyField = '"enforced_effective_policy_id":"my policy"'
        self.assertEqual(
            self.log(),
            [
                f'403 {DENIED}[none] - {{"enforced_engine_result":"denied"}}',
                f'200 via_upstream - {{{policyField},"enforced_engine_result":"allowed"}}',
            ],
        )
        self.assertEqual(self.envoy.stat("http.web.rbac.allowed"), 1)
        self.assertEqual(self.envoy.stat("http.web.rbac.denied"), 1)
        self.assertEqual(len(self.origin.connections), 1)

    def test_deniedByName(self) -> None:
        """The policy's name is in the details, its blanks made underscores."""
        self.start(named("rbac", TYPE, rules=rules("DENY", **{"my policy": ask("1")})))
        self.get("/", "x: 1")
        self.assertEqual(self.log(), [f"403 {DENIED}[my_policy] -"])

    def test_grpc(self) -> None:
        """PERMISSION_DENIED."""
        self.start(named("rbac", TYPE, rules=rules("DENY", p=policy())))
        answer = self.get("/", "content-type: application/grpc")
        self.assertIn(b"grpc-status: 7\r\n", answer)
        self.assertIn(b"grpc-message: RBAC: access denied\r\n", answer)

    def test_shadow(self) -> None:
        """Is counted and noted, and nothing else."""
        self.start(
            named(
                "rbac",
                TYPE,
                shadow_rules=rules("DENY", p=ask("1")),
                shadow_rules_stat_prefix="s_",
                track_per_rule_stats=True,
            ),
            log=LOG,
        )
        self.get("/", "x: 1")
        self.get("/")
        self.assertEqual(
            self.log(),
            [
                '200 via_upstream - {"s_shadow_effective_policy_id":"p",'
                '"s_shadow_engine_result":"denied"}',
                '200 via_upstream - {"s_shadow_engine_result":"allowed"}',
            ],
        )
        self.assertEqual(self.envoy.stat("http.web.rbac.s_.shadow_denied"), 1)
        self.assertEqual(self.envoy.stat("http.web.rbac.s_.shadow_allowed"), 1)
        self.assertEqual(self.envoy.stat("http.web.rbac.s_.policy.p.shadow_denied"), 1)
        self.assertEqual(self.envoy.stat("http.web.rbac.allowed"), 0)

    def test_ofRoutes(self) -> None:
        """The most specific takes the place of the filter's; it is counted there."""
        other = {
            "rules": rules("DENY", r=ask("1")),
            "rules_stat_prefix": "rr_",
            "track_per_rule_stats": True,
        }
        self.start(
            named("rbac", TYPE, rules=rules("DENY", q=policy())),
            route={"rbac": typed(ROUTE)},
            virtualHost={"rbac": typed(ROUTE, rbac=other)},
            log=LOG,
        )
        self.get("/r")
        self.get("/")
        self.get("/", "x: 1")
        self.assertEqual(
            self.log(),
            [
                "200 via_upstream - -",
                '200 via_upstream - {"rr_enforced_engine_result":"allowed"}',
                f'403 {DENIED}[r] - {{"rr_enforced_effective_policy_id":"r",'
                '"rr_enforced_engine_result":"denied"}',
            ],
        )
        self.assertEqual(self.envoy.stat("http.web.rbac.allowed"), 1)
        self.assertEqual(self.envoy.stat("http.web.rbac.denied"), 1)
        self.assertEqual(self.envoy.stat("http.web.rbac.policy.r.denied"), 1)

    def test_prefixOfRoutes(self) -> None:
        """A route's rules without a prefix have the filter's in the metadata."""
        other = {"rules": rules("LOG", r=policy()), "shadow_rules": rules("LOG")}
        self.start(
            named("rbac", TYPE, rules_stat_prefix="e_", shadow_rules_stat_prefix="s_"),
            route={"rbac": typed(ROUTE, rbac=other)},
            log="%DYNAMIC_METADATA(envoy.filters.http.rbac)%",
        )
        self.get("/r")
        self.assertEqual(
            self.log(),
            [
                '{"e_enforced_effective_policy_id":"r","e_enforced_engine_result":"allowed",'
                '"s_shadow_engine_result":"allowed"}'
            ],
        )
