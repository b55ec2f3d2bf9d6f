"""The server's limit of downstream connections."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, echo, listener
from twisted_envoy.errors import ConfigError
from twisted_envoy.testing import MemoryEnvoy

NAME = "envoy.resource_monitors.global_downstream_max_connections"
KIND = (
    "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3."
    "DownstreamConnectionsConfig"
)


def limited(most, **fields):
    """Two listeners and one limit."""
    monitor = {
        "name": NAME,
        "typed_config": {"@type": KIND, "max_active_downstream_connections": most},
    }
    return bootstrap(
        [listener("a", "127.0.0.1:1", echo()), listener("b", "127.0.0.1:2", echo(), **fields)],
        overload_manager={"resource_monitors": [monitor]},
    )


class DownstreamConnectionsTests(SynchronousTestCase):
    """One limit for all listeners."""

    def test_shared(self):
        """Connections of every listener count together."""
        envoy = MemoryEnvoy(limited(2))
        first = envoy.connect("a")
        self.assertFalse(envoy.connect("b").ended)
        self.assertTrue(envoy.connect("b").ended)
        self.assertEqual(envoy.stat("listener.127.0.0.1_2.downstream_global_cx_overflow"), 1)
        monitor = "overload.envoy.resource_monitors.global_downstream_max_connections"
        self.assertEqual(envoy.stat(f"{monitor}.failed_updates"), 1)
        self.assertEqual(envoy.stat(f"{monitor}.pressure"), 0)
        first.abortConnection()
        envoy.settle()
        self.assertFalse(envoy.connect("b").ended)

    def test_ignored(self):
        """A listener may stand outside of it."""
        for field in ("ignore_global_conn_limit", "bypass_overload_manager"):
            envoy = MemoryEnvoy(limited(1, **{field: True}))
            envoy.connect("a")
            self.assertTrue(envoy.connect("a").ended)
            self.assertFalse(envoy.connect("b").ended)

    def test_rule(self):
        """0 is refused by Envoy's rule."""
        with self.assertRaisesRegex(ConfigError, "MaxActiveDownstreamConnections"):
            MemoryEnvoy(limited(0))
