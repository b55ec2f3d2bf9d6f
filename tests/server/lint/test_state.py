"""Tests for twisted_envoy.server.lint.state."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, echo, listener, setFilterState, tcpProxy, typed
from tests.extensions.common.test_hop_switches import manager, passing
from tests.server.lint.support import at, linted, problems

HOP = listener("hop", "internal:", echo())
SHARED = setFilterState("k", "%DOWNSTREAM_REMOTE_PORT%", "ONCE")


def requestState(factory: str, text: str = "%REQ(a)%") -> dict[str, Any]:
    """The HTTP filter."""
    value = {
        "object_key": "k",
        "factory_key": factory,
        "format_string": {"text_format_source": {"inline_string": text}},
        "shared_with_upstream": "ONCE",
    }
    return typed("state", "filters.http.set_filter_state.v3.Config", on_request_headers=[value])


class StoppedStateTests(SynchronousTestCase):
    """State that is shared, and dropped at the hop."""

    def test_withoutSocket(self) -> None:
        """The hop's cluster has no internal_upstream."""
        text = bootstrap(
            [listener("in", "127.0.0.1:9000", SHARED, tcpProxy("hop")), HOP],
            [cluster("hop", "internal:hop")],
        )
        (problem,) = linted(text)
        self.assertIn("'k' is shared with upstream connections, but cluster 'hop'", problem.problem)
        self.assertTrue(at(text, problem).startswith('"shared_with_upstream"'))

    def test_requests(self) -> None:
        """The same set by an HTTP filter, for a cluster that a route names."""
        http = manager("hop", "x", "http", requestState("envoy.string"))
        text = bootstrap(
            [listener("in", "127.0.0.1:9000", http), HOP], [cluster("hop", "internal:hop")]
        )
        self.assertEqual(len(linted(text)), 1)

    def test_right(self) -> None:
        """With the socket, without a hop, not shared, or for Envoy itself."""
        plain, socket = cluster("hop", "internal:hop"), passing()
        for before, hop in (
            (SHARED, cluster("hop", "internal:hop", transport_socket=socket)),
            (SHARED, cluster("hop", "127.0.0.1:1")),
            (setFilterState("k", "v"), plain),
            (setFilterState("envoy.network.upstream_server_name", "v", "ONCE"), plain),
            (setFilterState("envoy.tcp_proxy.cluster", "other"), plain),
        ):
            listeners = [listener("in", "127.0.0.1:9000", before, tcpProxy("hop")), HOP]
            self.assertEqual(problems(bootstrap(listeners, [hop])), [])

    def test_weighted(self) -> None:
        """One of several clusters passes it: that may be what is meant."""
        weighted = {"clusters": [{"name": "hop", "weight": 1}, {"name": "other", "weight": 1}]}
        listeners = [
            listener("in", "127.0.0.1:9000", SHARED, tcpProxy(None, weighted_clusters=weighted)),
            HOP,
        ]
        other = cluster("other", "internal:hop", transport_socket=passing())
        self.assertEqual(
            problems(bootstrap(listeners, [cluster("hop", "internal:hop"), other])), []
        )
        missing, stopped = problems(bootstrap(listeners, [cluster("hop", "internal:hop")]))
        self.assertIn("there is no cluster 'other'", missing + stopped)


class StaleStateTests(SynchronousTestCase):
    """State of requests that a pooled connection keeps."""

    def text(self, *filters: Any, network: Any = (), hop: Any = None, **fields: Any) -> str:
        http = manager("hop", "x", "http", *filters)
        hop = hop or cluster("hop", "internal:hop", transport_socket=passing())
        listeners = [listener("in", "127.0.0.1:9000", *network, http), HOP]
        return bootstrap(listeners, [hop], **fields)

    def test_string(self) -> None:
        """A plain string of a request."""
        text = self.text(requestState("envoy.string"))
        (problem,) = linted(text)
        self.assertIn("'k' is no hashable object", problem.problem)
        self.assertTrue(at(text, problem).startswith('"factory_key"'))

    def test_ofConnection(self) -> None:
        """A plain string of a connection: the requests of others share its upstream's."""
        self.assertEqual(len(problems(self.text(network=[SHARED]))), 1)

    def test_right(self) -> None:
        """Hashable, always the same, or one request a connection."""
        once = cluster(
            "hop", "internal:hop", transport_socket=passing(), max_requests_per_connection=1
        )
        self.assertEqual(problems(self.text(requestState("envoy.hashable_string"))), [])
        self.assertEqual(problems(self.text(requestState("envoy.string", "constant"))), [])
        self.assertEqual(problems(self.text(requestState("envoy.string"), hop=once)), [])
        kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        options = {
            "@type": f"type.googleapis.com/{kind}",
            "explicit_http_config": {"http_protocol_options": {}},
            "common_http_protocol_options": {"max_requests_per_connection": 1},
        }
        again = cluster(
            "hop",
            "internal:hop",
            transport_socket=passing(),
            typed_extension_protocol_options={kind: options},
        )
        self.assertEqual(problems(self.text(requestState("envoy.string"), hop=again)), [])

    def test_isolated(self) -> None:
        """With our switch it is right."""
        layer = {"twisted_envoy.http.isolate_shared_state": True}
        layers = {"layers": [{"name": "l", "static_layer": layer}]}
        text = self.text(requestState("envoy.string"), layered_runtime=layers)
        self.assertEqual(problems(text), [])
