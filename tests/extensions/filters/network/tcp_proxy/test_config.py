"""The config of a TCP proxy."""

from __future__ import annotations

from tests.bootstraps import bootstrap, listener, proxied, tcpProxy
from tests.server.refusing import RefusalTestCase
from twisted_envoy.testing import MemoryEnvoy


class ConfigTests(RefusalTestCase):
    """What it refuses and what it accepts."""

    def test_rules(self):
        """Envoy's rules, with the place."""
        for fields, problem, at in (
            (
                {"prefix": ""},
                "StatPrefix: value length must be at least 1 characters",
                '"stat_prefix"',
            ),
            ({"cluster": None}, 'field: "cluster_specifier", reason: is required', "{"),
            ({"max_connect_attempts": 0}, "MaxConnectAttempts", '"max_connect'),
            (
                {"max_downstream_connection_duration": "0s"},
                "MaxDownstreamConnectionDuration",
                '"max_d',
            ),
            ({"max_early_data_bytes": 2_000_000}, "MaxEarlyDataBytes", '"max_early'),
            (
                {"cluster": None, "weighted_clusters": {"clusters": []}},
                "value must contain at least 1 item(s)",
                '"clusters"',
            ),
            (
                {"cluster": None, "weighted_clusters": {"clusters": [{"name": "a", "weight": 0}]}},
                "Weight: value must be greater than or equal to 1",
                '"weight"',
            ),
            ({"hash_policy": [{"source_ip": {}}] * 2}, "no more than 1 item(s)", '"hash_policy"'),
        ):
            text = bootstrap([listener("A", "127.0.0.1:1", tcpProxy(**fields))])
            self.assertRefused(text, problem, at)

    def test_earlyData(self):
        """A mode that waits needs max_early_data_bytes, in Envoy's words."""
        for mode in ("ON_DOWNSTREAM_DATA", "ON_DOWNSTREAM_TLS_HANDSHAKE"):
            self.assertRefused(
                proxied(upstream_connect_mode=mode),
                "max_early_data_bytes must be set when upstream_connect_mode is not IMMEDIATE",
                '"upstream_connect_mode"',
            )
        MemoryEnvoy(proxied(upstream_connect_mode="IMMEDIATE"))

    def test_logOptions(self):
        """Old and new ways to say when to log, both at once."""
        for field, value in (
            ("access_log_flush_interval", "1s"),
            ("flush_access_log_on_connected", True),
        ):
            self.assertRefused(
                proxied(access_log_options={}, **{field: value}),
                f"Only one of {field} or access_log_options can be specified.",
            )

    def test_backoff(self):
        """A longest interval that is shorter than the first."""
        self.assertRefused(
            proxied(backoff_options={"base_interval": "2s", "max_interval": "1s"}),
            "max_backoff_interval must be greater or equal to base_backoff_interval",
        )
        MemoryEnvoy(proxied(backoff_options={"base_interval": "2s", "max_interval": "2s"}))

    def test_unimplemented(self):
        """What is not implemented is refused by name; what Envoy does not implement is not."""
        self.assertRefused(proxied(on_demand={}), "does not obey it", '"on_demand"')
        MemoryEnvoy(proxied(downstream_idle_timeout="1s", upstream_idle_timeout="1s"))

    def test_stats(self):
        """Two proxies with one prefix share their counters."""
        text = bootstrap(
            [
                listener(name, f"127.0.0.1:{number}", tcpProxy("none"))
                for number, name in enumerate(("a", "b"), 1)
            ]
        )
        envoy = MemoryEnvoy(text)
        envoy.connect("a")
        envoy.connect("b")
        self.assertEqual(envoy.stat("tcp.tcp.downstream_cx_no_route"), 2)
        self.assertEqual(envoy.stat("tcp.tcp.downstream_cx_tx_bytes_buffered"), 0)
        self.assertEqual(envoy.stat("tcp.tcp.downstream_cx_rx_bytes_buffered"), 0)
