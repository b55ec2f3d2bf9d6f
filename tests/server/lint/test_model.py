"""Tests for twisted_envoy.server.lint.model."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, echo, listener, setFilterState, tcpProxy, typed
from twisted_envoy.config.bootstrap import loadBootstrap
from twisted_envoy.config.extensions import Extensions
from twisted_envoy.server.lint.model import Model, Target, readModel


def modelOf(text: str) -> Model:
    """The model of a bootstrap."""
    return readModel(loadBootstrap((), text, Extensions().findType)[0])


class ModelTests(SynchronousTestCase):
    def test_nothing(self) -> None:
        """A bootstrap without static resources."""
        model = modelOf("admin: {}")
        self.assertEqual((model.listeners, model.clusters), ({}, {}))

    def test_chains(self) -> None:
        """The default chain is one of them; a filter without a config is left out."""
        proxy = tcpProxy(None, weighted_clusters={"clusters": [{"name": "a", "weight": 1}]})
        default = {"filters": [setFilterState("k", "v", "ONCE"), proxy, {"name": "bare"}]}
        model = modelOf(
            bootstrap([listener("l", "internal:", echo(), default_filter_chain=default)])
        )
        first, second = (chain for _, chain in model.chains())
        self.assertEqual(first.targets, [])
        self.assertEqual(second.targets, [Target("a", False)])
        self.assertEqual([(one.key, one.shared) for one in second.values], [("k", "ONCE")])

    def test_routes(self) -> None:
        """Clusters of routes; those of terminated CONNECT requests are not pooled."""
        ends = {"upgrade_type": "CONNECT", "connect_config": {}}
        weighted = {"clusters": [{"name": "w", "weight": 1}, {"cluster_header": "x", "weight": 1}]}
        routes = [
            {
                "match": {"connect_matcher": {}},
                "route": {"cluster": "c", "upgrade_configs": [ends]},
            },
            {"match": {"prefix": "/w"}, "route": {"weighted_clusters": weighted}},
            {"match": {"prefix": "/h"}, "route": {"cluster_header": "x"}},
            {"match": {"prefix": "/"}, "direct_response": {"status": 200}},
        ]
        manager = typed(
            "hcm",
            "filters.network.http_connection_manager.v3.HttpConnectionManager",
            stat_prefix="http",
            route_config={"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": routes}]},
        )
        model = modelOf(bootstrap([listener("l", "internal:", manager)]))
        ((_, chain),) = model.chains()
        self.assertEqual(chain.targets, [Target("c", False), Target("w", True)])

    def test_clusters(self) -> None:
        """Where they lead, and what they pass."""
        raw = typed("raw", "transport_sockets.raw_buffer.v3.RawBuffer")
        kind = "transport_sockets.internal_upstream.v3.InternalUpstreamTransport"
        source = {"kind": {"host": {}}, "name": "ns"}
        socket = typed("iu", kind, transport_socket=raw, passthrough_metadata=[source])
        model = modelOf(
            bootstrap(
                [],
                [
                    cluster("a", "internal:l", "127.0.0.1:1", transport_socket=socket),
                    cluster("b", "internal:l", transport_socket=raw),
                ],
            )
        )
        a, b = model.clusters["a"], model.clusters["b"]
        self.assertEqual(([name for name, _ in a.leadsTo], a.passes), (["l"], {"ns"}))
        self.assertIsNone(b.passes)
        self.assertEqual(model.before("l"), [a, b])
        self.assertEqual(model.before("other"), [])
