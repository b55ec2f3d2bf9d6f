"""Tests for router.config."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.extensions.filters.http.router.support import ROUTER, Routing
from tests.extensions.support import configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.filters.http.router.config import RouterFactory
from twisted_envoy.interfaces.http import IHTTPFilterFactory


class ConfigTests(SynchronousTestCase):
    """What the config says is what the settings say."""

    def settings(self, config=None, runtime=None):
        routing = Routing(config, runtime)
        self.runtime = routing.runtime
        return routing.make().settings

    def test_interface(self):
        verifyObject(IHTTPFilterFactory, RouterFactory())

    def test_defaults(self):
        settings = self.settings()

        self.assertTrue(settings.dynamicStats)
        self.assertFalse(settings.suppressesHeaders)
        self.assertEqual(settings.logs, ())

    def test_everyFieldIsRead(self):
        content = {
            "dynamic_stats": False,
            "start_child_span": True,
            "upstream_log_options": {
                "flush_upstream_log_on_upstream_stream": True,
                "upstream_log_flush_interval": "2s",
            },
            "suppress_envoy_headers": True,
            "strict_check_headers": ["x-envoy-retry-on"],
            "respect_expected_rq_timeout": True,
            "reject_connect_request_early_data": True,
        }
        config = configOf(ROUTER, content)
        routing = Routing()
        settings = RouterFactory().build(config, routing)().settings

        self.assertEqual(unreadFields(config), [])
        self.assertFalse(settings.dynamicStats)
        self.assertTrue(settings.suppressesHeaders)
        self.assertTrue(settings.respectsExpected)
        self.assertTrue(settings.rejectsEarlyData)
        self.assertTrue(settings.logsOnStart)
        self.assertEqual(settings.logInterval, 2.0)
        self.assertEqual(settings.strictHeaders, (b"x-envoy-retry-on",))

    def test_upstreamFiltersAreReported(self):
        config = configOf(ROUTER, {"upstream_http_filters": [{"name": "a"}]})
        RouterFactory().build(config, Routing())

        self.assertIn("upstream_http_filters", " ".join(unreadFields(config)))

    def test_runtimeKeysAreAskedFor(self):
        self.settings(
            runtime={
                "upstream.maintenance_mode.origin": 1,
                "upstream.use_retry": 1,
                "upstream.base_retry_backoff_ms": 1,
                "other": 1,
            }
        )

        self.assertEqual(self.runtime.unasked(), ["other"])

    def test_noRouteConfig(self):
        with self.assertRaises(ConfigError) as caught:
            RouterFactory().buildRoute(configOf(ROUTER), Routing())

        self.assertIn("doesn't support virtual host or route specific", str(caught.exception))
