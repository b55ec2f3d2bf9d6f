"""Tests for `twisted_envoy.server.build_tracing`; texts as observed on Envoy 1.40."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.server.build_tracing import checkTracing

ZIPKIN = {
    "@type": "type.googleapis.com/envoy.config.trace.v3.ZipkinConfig",
    "collector_cluster": "nobody",
    "collector_endpoint": "/spans",
}
ECHO = {"@type": "type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo"}
HTTP = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3."
    "HttpConnectionManager",
    "stat_prefix": "x",
    "rds": {"config_source": {"ads": {}}},
}


class CheckTracingTests(SynchronousTestCase):
    """`tracing` of a bootstrap."""

    def unread(self, tracing: Any, filterConfig: Any = None) -> list[str]:
        """What is left unread of a bootstrap with one listener."""
        filters = [{"name": "f", "typed_config": filterConfig}] if filterConfig else []
        config: dict[str, Any] = {
            "static_resources": {"listeners": [{"filter_chains": [{"filters": filters}]}]}
        }
        if tracing is not None:
            config["tracing"] = tracing
        bootstrap = configOf("envoy.config.bootstrap.v3.Bootstrap", config)
        checkTracing(bootstrap)
        return [path for path in unreadFields(bootstrap) if path.startswith("tracing")]

    def test_nothingTraces(self) -> None:
        """Without an HTTP connection manager there is nothing to obey."""
        for tracing in (None, {}, {"http": {"name": "z", "typed_config": ZIPKIN}}):
            self.assertEqual(self.unread(tracing), [])
            self.assertEqual(self.unread(tracing, ECHO), [])

    def test_somethingTraces(self) -> None:
        """With one it is left to be reported."""
        tracing = {"http": {"name": "z", "typed_config": ZIPKIN}}
        self.assertEqual(self.unread(tracing, HTTP), ["tracing"])

    def test_noTracer(self) -> None:
        """A name alone, or a type of something else."""
        for more, url in (({}, ""), ({"typed_config": ECHO}, ECHO["@type"].partition("/")[2])):
            error = self.assertRaises(ConfigError, self.unread, {"http": {"name": "bogus", **more}})
            self.assertEqual(
                error.problem,
                f"Didn't find a registered implementation for 'bogus' with type URL: '{url}'",
            )
