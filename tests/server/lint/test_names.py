"""Tests for twisted_envoy.server.lint.names."""

from __future__ import annotations

import json
from typing import Any

import yaml
from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, echo, listener, tcpProxy, typed
from tests.server.lint.support import at, linted, problems

PROXY = "filters.network.tcp_proxy.v3.TcpProxy"
XDS = "type.googleapis.com/xds.type.v3.TypedStruct"
CONNECT = {"match": {"connect_matcher": {}}, "route": {"cluster": "origin"}}
ANY = {"match": {"prefix": "/"}, "route": {"cluster": "origin"}}


def managed(domains: list[str], *routes: dict[str, Any], **table: Any) -> str:
    """A connection manager with one virtual host."""
    host = {"name": "v", "domains": domains, "routes": list(routes)}
    manager = typed(
        "hcm",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="http",
        route_config={"virtual_hosts": [host], **table},
        http_filters=[typed("router", "filters.http.router.v3.Router")],
    )
    return bootstrap(
        [listener("in", "127.0.0.1:9000", manager)], [cluster("origin", "127.0.0.1:1")]
    )


class MissingListenerTests(SynchronousTestCase):
    """Internal endpoints whose listener does not exist."""

    def test_missing(self) -> None:
        """Nobody has the name; the warning points at it."""
        text = bootstrap([], [cluster("c", "internal:nobody")])
        (problem,) = linted(text)
        self.assertIn("there is no internal listener 'nobody'", problem.problem)
        self.assertTrue(at(text, problem).startswith('"server_listener_name"'))
        self.assertIn("static_resources.clusters[0]", problem.path)

    def test_present(self) -> None:
        """An internal listener, in use as often as one likes."""
        listeners = [listener("hop", "internal:", echo())]
        clusters = [cluster("c", "internal:hop", "internal:hop/2")]
        self.assertEqual(linted(bootstrap(listeners, clusters)), [])

    def test_ofAnotherKind(self) -> None:
        """A listener on a socket is none that internal connections find."""
        listeners = [listener("hop", "127.0.0.1:9000", echo())]
        self.assertEqual(len(linted(bootstrap(listeners, [cluster("c", "internal:hop")]))), 1)


class MissingClusterTests(SynchronousTestCase):
    """TCP proxies whose cluster does not exist."""

    def test_missing(self) -> None:
        """The warning points at the name."""
        text = bootstrap([listener("in", "127.0.0.1:9000", tcpProxy("to_hopp"))], [])
        (problem,) = linted(text)
        self.assertIn("there is no cluster 'to_hopp'", problem.problem)
        self.assertTrue(at(text, problem).startswith('"cluster"'))

    def test_weighted(self) -> None:
        """Each of several clusters."""
        shares = [{"name": name, "weight": 1} for name in ("here", "gone")]
        proxy = typed("tcp", PROXY, stat_prefix="t", weighted_clusters={"clusters": shares})
        text = bootstrap(
            [listener("in", "127.0.0.1:9000", proxy)], [cluster("here", "127.0.0.1:1")]
        )
        (problem,) = linted(text)
        self.assertIn("there is no cluster 'gone'", problem.problem)
        self.assertTrue(at(text, problem).startswith('"name"'))

    def test_discovered(self) -> None:
        """Clusters that are discovered may come."""
        text = bootstrap([listener("in", "127.0.0.1:9000", tcpProxy("later"))], [])
        made = yaml.safe_load(text)
        source = {"path_config_source": {"path": "cds.yaml"}}
        made["dynamic_resources"] = {"cds_config": source}
        self.assertEqual(problems(json.dumps(made, indent=1)), [])

    def test_chosen(self) -> None:
        """Filter state and foreign filters may choose another cluster, before a hop too."""
        value = {
            "object_key": "envoy.tcp_proxy.cluster",
            "format_string": {"text_format_source": {"inline_string": "c"}},
            "shared_with_upstream": "TRANSITIVE",
        }
        state = typed(
            "state", "filters.network.set_filter_state.v3.Config", on_new_connection=[value]
        )
        sni = typed("sni", "filters.network.sni_cluster.v3.SniCluster")
        foreign = typed("own", "")
        foreign["typed_config"] = {"@type": XDS, "type_url": "h/example.Own"}
        for chooser in (state, sni, foreign):
            chosen = listener("in", "127.0.0.1:9000", chooser, tcpProxy("any"))
            hop = listener("hop", "internal:", tcpProxy("any"))
            self.assertEqual(problems(bootstrap([chosen, hop], [])), [])
            other = listener("other", "127.0.0.1:9001", tcpProxy("any"))
            self.assertEqual(len(problems(bootstrap([chosen, other], []))), 1)


class ConnectDomainTests(SynchronousTestCase):
    """Domains that no CONNECT request has."""

    def test_withoutPort(self) -> None:
        """The target of a CONNECT request always has one."""
        for domain in ("a.com", "*.a.com", "[::1]"):
            text = managed([domain], CONNECT)
            (problem,) = linted(text)
            self.assertIn(f"domain '{domain}' has no port", problem.problem)
            self.assertTrue(at(text, problem).startswith('"domains"'))

    def test_withPort(self) -> None:
        """One with a port, one that matches all, one that matches any end."""
        for domains in (["a.com:443"], ["*"], ["a.*"], ["[::1]:443"], ["a.com", "a.com:443"]):
            self.assertEqual(problems(managed(domains, CONNECT)), [])

    def test_someWithPort(self) -> None:
        """Where all routes are for CONNECT each domain needs one; else it may be for the others."""
        domains = ["b.com:443", "a.com", "*.c.com"]
        found = problems(managed(domains, CONNECT))
        self.assertEqual([each.split("'")[1] for each in found], ["a.com", "*.c.com"])
        self.assertEqual(problems(managed(domains, CONNECT, ANY)), [])

    def test_portsIgnored(self) -> None:
        """ignore_port_in_host_matching makes it right."""
        self.assertEqual(problems(managed(["a"], CONNECT, ignore_port_in_host_matching=True)), [])

    def test_otherRequests(self) -> None:
        """A domain of other requests is right, but no CONNECT route in it is ever found."""
        self.assertEqual(len(problems(managed(["a.com"], CONNECT, ANY))), 1)
        self.assertEqual(problems(managed(["a.com"], ANY)), [])
