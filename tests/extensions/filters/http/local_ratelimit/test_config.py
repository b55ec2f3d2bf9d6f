"""The local_ratelimit filter's factory."""

from __future__ import annotations

from functools import partial
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.local_ratelimit.test_filter import BUCKET, limit
from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.filters.http.local_ratelimit import factories
from twisted_envoy.extensions.filters.http.local_ratelimit.filter import Limit, LocalRateLimit
from twisted_envoy.interfaces.http import IHTTPFilterFactory


def rule(*values: str, **fields: Any) -> dict[str, Any]:
    """A descriptor."""
    entries = [{"key": f"k{at}", "value": value} for at, value in enumerate(values)]
    return {"entries": entries, "token_bucket": BUCKET, **fields}


class FactoryTests(SynchronousTestCase):
    def build(self, **fields: Any) -> Limit:
        """The config of a filter of which every field is read."""
        (factory,) = factories
        config = configOf(factory.typeURL, limit(**fields))
        made = factory.build(config, Context())
        self.assertEqual(unreadFields(config), [])
        assert isinstance(made, partial)
        found: Limit = made.args[0]
        return found

    def test_everyFieldIsRead(self) -> None:
        """With descriptors or without."""
        (factory,) = factories
        self.assertTrue(IHTTPFilterFactory.providedBy(factory))
        added = [{"header": {"key": "a", "value": "b"}}]
        config = configOf(
            factory.typeURL,
            limit(
                status={"code": "Forbidden"},
                request_headers_to_add_when_not_enforced=added,
                response_headers_to_add=added,
                stage=1,
                vh_rate_limits="INCLUDE",
                always_consume_default_token_bucket=True,
                local_rate_limit_per_downstream_connection=True,
                enable_x_ratelimit_headers="DRAFT_VERSION_03",
                enable_retry_after_header=True,
                rate_limited_as_resource_exhausted=True,
                descriptors=[rule("a", shadow_mode=True)],
                max_dynamic_descriptors=3,
                rate_limits=[{"actions": [{"remote_address": {}}]}],
            ),
        )
        self.assertIsInstance(factory.build(config, Context())(), LocalRateLimit)
        self.assertEqual(unreadFields(config), [])

    def test_descriptors(self) -> None:
        """Those with an empty value stand for many."""
        found = self.build(descriptors=[rule("a", "b", shadow_mode=True), rule("a", "")], stage=3)
        (exact,), (wild,) = found.settings.exact, found.settings.wild
        self.assertEqual(exact.entries, (("k0", b"a"), ("k1", b"b")))
        self.assertEqual((exact.isShadow, wild.isShadow), (True, False))
        self.assertEqual(exact.makeBucket().most, 2)
        self.assertEqual((found.stage, found.describes, found.own), (3, True, None))
        self.assertEqual((found.settings.most, found.settings.alwaysDefault), (20, True))

    def test_defaultBucket(self) -> None:
        """One of no tokens refuses all; one that fills too fast is none."""
        found = self.build(token_bucket={"max_tokens": 0, "fill_interval": "0.01s"})
        self.assertIsNone(found.settings.makeDefault)
        self.assertTrue(found.settings.refusesRest)
        found = self.build(token_bucket={**BUCKET, "fill_interval": "0.0009s"})
        self.assertIsNone(found.settings.makeDefault)
        self.assertFalse(found.settings.refusesRest)

    def test_refused(self) -> None:
        """Envoy's words."""
        (factory,) = factories
        short = {**BUCKET, "fill_interval": "0.0499s"}
        each = {"local_rate_limit_per_downstream_connection": True, "local_cluster_rate_limit": {}}
        cases: list[tuple[dict[str, Any], str]] = [
            (
                {"descriptors": [rule("a", token_bucket=short)]},
                "local rate limit descriptor token bucket fill timer must be >= 50ms",
            ),
            (
                {"descriptors": [rule("a", ""), rule("a", "")]},
                "duplicate descriptor in the local rate descriptor: k0=a, k1=",
            ),
            (
                each,
                "local_cluster_rate_limit is set and local_rate_limit_per_downstream_connection is "
                "set to true",
            ),
        ]
        for fields, problem in cases:
            config = configOf(factory.typeURL, limit(**fields))
            error = self.assertRaises(ConfigError, factory.build, config, Context())
            self.assertEqual(error.problem, problem)
        self.build(descriptors=[rule("a", token_bucket={**short, "max_tokens": 0})])

    def test_localCluster(self) -> None:
        """Its share is not obeyed."""
        (factory,) = factories
        config = configOf(factory.typeURL, limit(local_cluster_rate_limit={}))
        factory.build(config, Context())
        self.assertEqual(unreadFields(config), ["local_cluster_rate_limit"])

    def test_errors(self) -> None:
        """Envoy's words."""
        (factory,) = factories
        fast = configOf(
            factory.typeURL, limit(token_bucket={"max_tokens": 1, "fill_interval": "0.04s"})
        )
        error = self.assertRaises(ConfigError, factory.build, fast, Context())
        self.assertEqual(error.problem, "local rate limit token bucket fill timer must be >= 50ms")
        bare = configOf(factory.typeURL, {"stat_prefix": "a"})
        factory.build(bare, Context())
        error = self.assertRaises(ConfigError, factory.buildRoute, bare, Context())
        self.assertEqual(
            error.problem, "local rate limit token bucket must be set for per filter configs"
        )
