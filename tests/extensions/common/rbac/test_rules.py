"""Permissions and principals; what they answer is what real Envoy answered."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.rbac.support import ANY, header, permits, ranged, requestOf, speaks
from tests.network.matching.support import named
from twisted_envoy.errors import ConfigError, UnsupportedExtension
from twisted_envoy.extensions.common.filter_state.objects import makeAddress
from twisted_envoy.state.filter_state import StringObject
from twisted_envoy.state.stream_info import StreamInfo

NOT_ANY = {"not_rule": ANY}
TEMPLATE = "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"


class Peer:
    """A client's certificate."""

    subject = "CN=me"

    def names(self, kind: str) -> list[str]:
        return {"URI": ["spiffe://a"], "DNS": ["d.test"], "IP_ADDRESS": ["10.0.0.1"]}[kind]


class TLS:
    """What is known of a connection's TLS."""

    peer: Peer | None = None


class TogetherTests(SynchronousTestCase):
    def test_permissions(self) -> None:
        """And, or, not."""
        info = requestOf()
        for rules, every, some in (
            ([ANY], True, True),
            ([ANY, NOT_ANY], False, True),
            ([NOT_ANY, ANY], False, True),
            ([ANY, ANY], True, True),
            ([NOT_ANY, NOT_ANY], False, False),
        ):
            self.assertIs(permits({"and_rules": {"rules": rules}}, info), every)
            self.assertIs(permits({"or_rules": {"rules": rules}}, info), some)

    def test_principals(self) -> None:
        """The same of those who ask."""
        info = requestOf()
        ids = [ANY, {"not_id": ANY}]
        self.assertIs(speaks({"and_ids": {"ids": ids}}, info), False)
        self.assertIs(speaks({"or_ids": {"ids": ids}}, info), True)


class DestinationTests(SynchronousTestCase):
    def test_addresses(self) -> None:
        """10.0.0.2:80; what is no IP address is in no range and has no port."""
        info = requestOf()
        other = StreamInfo(0.0, UNIXAddress("/s"))
        for rule, good in (
            ({"destination_ip": ranged("10.0.0.0/24")}, True),
            ({"destination_ip": ranged("10.0.1.0/24")}, False),
            ({"destination_ip": ranged("::/0")}, False),
            ({"destination_port": 80}, True),
            ({"destination_port": 81}, False),
            ({"destination_port_range": {"start": 80, "end": 81}}, True),
            ({"destination_port_range": {"start": 79, "end": 80}}, False),
        ):
            self.assertIs(permits(rule, info), good)
            self.assertIs(permits(rule, other), False)

    def test_ports(self) -> None:
        """What is no range is refused in Envoy's words."""
        for start, end, problem in (
            (5, 5, "range start 5 cannot be greater or equal than range end 5"),
            (-5, 70000, "range start -5 is out of bounds"),
            (0, 65537, "range end 65537 is out of bounds"),
        ):
            with self.assertRaises(ConfigError) as caught:
                permits({"destination_port_range": {"start": start, "end": end}}, requestOf())
            self.assertEqual(caught.exception.problem, problem)

    def test_wrongAddress(self) -> None:
        """In Envoy's words."""
        with self.assertRaises(ConfigError) as caught:
            permits({"destination_ip": ranged("1.2.3/8")}, requestOf())
        self.assertEqual(
            caught.exception.problem, "Failed to create CIDR range: malformed IP address: 1.2.3"
        )

    def test_serverName(self) -> None:
        """As the client asked for it; empty for none."""
        info = requestOf()
        self.assertTrue(permits({"requested_server_name": {"exact": ""}}, info))
        info.requestedServerName = "a.test"
        self.assertTrue(permits({"requested_server_name": {"suffix": ".test"}}, info))


class SourceTests(SynchronousTestCase):
    def test_addresses(self) -> None:
        """The socket's, the connection's and the request's."""
        info = requestOf()
        info.remoteAddress = IPv4Address("TCP", "192.0.2.1", 1)
        info.connection.remoteAddress = IPv4Address("TCP", "192.0.3.1", 1)
        for field, address in (
            ("direct_remote_ip", "10.0.0.1/32"),
            ("source_ip", "192.0.3.1/32"),
            ("remote_ip", "192.0.2.1/32"),
        ):
            for _, other in (("", "10.0.0.1/32"), ("", "192.0.3.1/32"), ("", "192.0.2.1/32")):
                self.assertIs(speaks({field: ranged(other)}, info), other == address)
        connection = StreamInfo(0.0, None, IPv4Address("TCP", "10.0.0.1", 1))
        self.assertTrue(speaks({"source_ip": ranged("10.0.0.1/32")}, connection))

    def test_withoutTLS(self) -> None:
        """Nobody is authenticated."""
        self.assertFalse(speaks({"authenticated": {}}, requestOf()))
        named = {"authenticated": {"principal_name": {"exact": "x"}}}
        self.assertFalse(speaks(named, requestOf()))

    def test_authenticated(self) -> None:
        """By a URI, a DNS name or the subject; without a name over any TLS connection."""
        info = requestOf()
        info.tls = TLS()
        self.assertTrue(speaks({"authenticated": {}}, info))
        for peer, good in ((Peer(), ("spiffe://a", "d.test", "CN=me")), (None, ("",))):
            info.tls.peer = peer
            for name in ("spiffe://a", "d.test", "CN=me", "10.0.0.1", ""):
                rule = {"authenticated": {"principal_name": {"exact": name}}}
                self.assertIs(speaks(rule, info), name in good)

    def test_filterState(self) -> None:
        """Its text, or its address."""
        info = requestOf()
        text = {"filter_state": {"key": "k", "string_match": {"prefix": "v"}}}
        address: dict[str, Any] = {"ranges": [ranged("192.0.2.0/24")]}
        inRange = {"filter_state": {"key": "k", "address_match": address}}
        outside = {"filter_state": {"key": "k", "address_match": {**address, "invert_match": True}}}
        for rule in (text, inRange, outside):
            self.assertFalse(speaks(rule, info))
        info.filterState.set("k", StringObject("value"))
        self.assertEqual(
            [speaks(rule, info) for rule in (text, inRange, outside)], [True, False, False]
        )
        info.filterState.set("k", makeAddress("192.0.2.1:7"))
        self.assertEqual(
            [speaks(rule, info) for rule in (text, inRange, outside)], [False, True, False]
        )
        info.filterState.set("k", makeAddress("192.0.3.1:7"))
        self.assertEqual([speaks(rule, info) for rule in (inRange, outside)], [False, True])


class RequestTests(SynchronousTestCase):
    def test_headers(self) -> None:
        """Of permissions and principals."""
        info = requestOf(x_a="1")
        for ask in (permits, speaks):
            self.assertTrue(ask(header("x-a", "1"), info))
            self.assertFalse(ask(header("x-a", "2"), info))

    def test_headersOfConnections(self) -> None:
        """There are none, and Envoy refuses to look for one."""
        with self.assertRaises(ConfigError) as caught:
            permits(header("x-a", "1"), StreamInfo(0.0), hasHeaders=False)
        problem = caught.exception.problem
        self.assertTrue(problem.startswith('Found header(name: "x-a"\n'), problem)
        self.assertTrue(problem.endswith("\n) rule,not supported by RBAC network filter"), problem)

    def test_paths(self) -> None:
        """Without the query; a connection has none."""
        template = {"uri_template": named("t", TEMPLATE, path_template="/a/{x}")}
        exact = {"url_path": {"path": {"exact": "/a/b"}}}
        for rule in (template, exact):
            info = requestOf()
            self.assertFalse(permits(rule, info))
            self.assertFalse(permits(rule, StreamInfo(0.0), hasHeaders=False))
            for path, good in ((b"/a/b", True), (b"/a/b?c", True), (b"/b", False)):
                info.requestHeaders.set(b":path", path)
                self.assertIs(permits(rule, info), good)
        self.assertTrue(speaks(exact, _withPath(b"/a/b#c")))


def _withPath(path: bytes) -> StreamInfo:
    info = requestOf()
    info.requestHeaders.set(b":path", path)
    return info


class ExtensionTests(SynchronousTestCase):
    def test_matcher(self) -> None:
        """By where the request will go; nobody knows that here."""
        matcher = "envoy.extensions.rbac.matchers.upstream_ip_port.v3.UpstreamIpPortMatcher"
        upstream = named("m", matcher, upstream_ip=ranged("1.2.3.4/32"))
        self.assertFalse(permits({"matcher": upstream}, requestOf()))
        self.assertTrue(permits({"not_rule": {"matcher": upstream}}, requestOf()))

    def test_unsupported(self) -> None:
        """Envoy's own are known to be missing; others nobody knows."""
        mutual = "envoy.extensions.rbac.principals.mtls_authenticated.v3.Config"
        with self.assertRaises(UnsupportedExtension):
            speaks(
                {"custom": named("m", mutual, any_validated_client_certificate=True)}, requestOf()
            )
        with self.assertRaises(ConfigError) as caught:
            permits({"matcher": named("m", "google.protobuf.Empty")}, requestOf())
        self.assertIn("Didn't find a registered implementation", caught.exception.problem)
