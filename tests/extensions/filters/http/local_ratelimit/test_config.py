"""The local_ratelimit filter's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.local_ratelimit.test_filter import BUCKET, limit
from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.filters.http.local_ratelimit import factories
from twisted_envoy.extensions.filters.http.local_ratelimit.filter import LocalRateLimit
from twisted_envoy.interfaces.http import IHTTPFilterFactory


class FactoryTests(SynchronousTestCase):
    def test_everyFieldIsRead(self) -> None:
        """Those that are about descriptors change nothing without any."""
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
            ),
        )
        self.assertIsInstance(factory.build(config, Context())(), LocalRateLimit)
        self.assertEqual(unreadFields(config), [])

    def test_descriptors(self) -> None:
        """They are reported."""
        (factory,) = factories
        descriptor = {"entries": [{"key": "a", "value": "b"}], "token_bucket": BUCKET}
        config = configOf(factory.typeURL, limit(descriptors=[descriptor], stage=1))
        factory.build(config, Context())
        self.assertIn("stage", unreadFields(config))
        self.assertTrue(any(path.startswith("descriptors") for path in unreadFields(config)))

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
