"""Tests for twisted_envoy.http.routes.table."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import Context, match, request, routes, tableOf, viewOfYAML
from twisted_envoy.config.unread import unread
from twisted_envoy.errors import ConfigError
from twisted_envoy.http.routes.table import buildRouteTable

HOST = """
- name: {name}
  domains: [{domains}]
  routes: [{{match: {{prefix: /}}, route: {{cluster: a}}}}]"""


def hosts(config: str = "", **domains: str) -> str:
    each = "".join(HOST.format(name=name, domains=text) for name, text in domains.items())
    return f"name: r\n{config}\nvirtual_hosts:{each}"


class DomainTests(SynchronousTestCase):
    """Which virtual host a request belongs to."""

    def hostOf(self, yaml: str, host: str) -> str | None:
        entry = match(tableOf(yaml), request(host=host))
        return None if entry is None else entry.virtualHost.name

    def test_precedence(self) -> None:
        """Exact, longest suffix, longest prefix, then `*`; case does not matter."""
        yaml = hosts(
            exact="a.foo.com",
            suffix="'*.foo.com'",
            longer="'*-bar.foo.com'",
            prefix="'www.*'",
            longerPrefix="'www.foo.*'",
            all="'*'",
        )
        for host, name in {
            "a.foo.com": "exact",
            "A.FOO.com": "exact",
            "b.foo.com": "suffix",
            "x-bar.foo.com": "longer",
            "www.foo.com": "suffix",
            "www.foo.org": "longerPrefix",
            "www.x.org": "prefix",
            ".foo.com": "all",
            "a.foo.com:80": "all",
            "x": "all",
        }.items():
            self.assertEqual(self.hostOf(yaml, host), name, host)

    def test_nothing(self) -> None:
        """Without a `*`, another host has no route."""
        self.assertIsNone(self.hostOf(hosts(a="a"), "b"))

    def test_ignorePort(self) -> None:
        """ignore_port_in_host_matching takes the port away first."""
        yaml = hosts("ignore_port_in_host_matching: true", a="a", six="'[::1]'", all="'*'")
        self.assertEqual(self.hostOf(yaml, "a:80"), "a")
        self.assertEqual(self.hostOf(yaml, "[::1]:80"), "six")
        self.assertEqual(self.hostOf(yaml, "a:x"), "a")
        self.assertEqual(self.hostOf(yaml, "[::1]"), "six")

    def test_vhostHeader(self) -> None:
        """vhost_header names the header that decides instead."""
        table = tableOf(hosts("vhost_header: X-Host", a="a", all="b"))
        entry = match(table, request(host="b", x_host="a"))
        assert entry is not None
        self.assertEqual(entry.virtualHost.name, "a")

    def test_errors(self) -> None:
        """In Envoy's words."""
        star = self.assertRaises(ConfigError, tableOf, hosts(a="'*'", b="'*'"))
        twice = self.assertRaises(ConfigError, tableOf, hosts(a="a.com", b="A.com"))
        self.assertEqual(star.problem, "Only a single wildcard domain is permitted in route r")
        self.assertEqual(
            twice.problem,
            "Only unique values for domains are permitted. Duplicate entry of domain a.com in "
            "route r",
        )
        self.assertEqual(str(twice.position), "test.yaml:8:3")


class FieldTests(SynchronousTestCase):
    """What else a route configuration says."""

    def test_internalOnlyHeaders(self) -> None:
        """internal_only_headers are told to who removes them."""
        table = tableOf(hosts("internal_only_headers: [X-Secret]", a="a"))
        self.assertEqual(table.internalOnlyHeaders, (b"x-secret",))
        self.assertEqual(table.name, "r")
        self.assertEqual([host.name for host in table.virtualHosts], ["a"])

    def test_withoutHost(self) -> None:
        """A request without a host has the virtual host of `*`, if that is the only one."""
        headers = request()
        headers.remove(b":authority")
        self.assertIsNone(match(tableOf(hosts(a="a", all="'*'")), headers))
        self.assertIsNotNone(match(tableOf(hosts(all="'*'")), headers))

    def test_notObeyed(self) -> None:
        """What is not there is left for the report of unsupported fields."""
        action = (
            "{cluster: a, hedge_policy: {}, retry_policy: {retry_on: 5xx, "
            "retry_options_predicates: [{name: x, typed_config: "
            "{'@type': type.googleapis.com/google.protobuf.Struct}}]}}"
        )
        view = viewOfYAML(routes(f"{{match: {{prefix: /}}, route: {action}}}"))
        buildRouteTable(view, Context())
        where = "virtual_hosts[0].routes[0]"
        self.assertEqual(
            sorted(field.path for field in unread(view)),
            [
                f"{where}.route.hedge_policy",
                f"{where}.route.retry_policy.retry_options_predicates",
            ],
        )
