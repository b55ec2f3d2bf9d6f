"""Tests for twisted_envoy.server.lint.names."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, echo, listener, typed
from tests.server.lint.support import at, linted, problems

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

    def test_portsIgnored(self) -> None:
        """ignore_port_in_host_matching makes it right."""
        self.assertEqual(problems(managed(["a"], CONNECT, ignore_port_in_host_matching=True)), [])

    def test_otherRequests(self) -> None:
        """A domain of other requests is right, but no CONNECT route in it is ever found."""
        self.assertEqual(len(problems(managed(["a.com"], CONNECT, ANY))), 1)
        self.assertEqual(problems(managed(["a.com"], ANY)), [])
