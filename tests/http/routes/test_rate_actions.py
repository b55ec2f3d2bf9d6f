"""Tests for twisted_envoy.http.routes.rate_actions; tests/parity compares all of it with Envoy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.address import IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import Context, action, request, requestInfo, viewOfYAML
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.errors import ConfigError
from twisted_envoy.http.routes.rate_actions import NO_ENTRY, Entry, buildAction
from twisted_envoy.state.request_info import RequestInfo

FORMATS = "envoy.reloadable_features.enable_formatter_for_ratelimit_action_descriptor_value"


def built(yaml: str, formats: bool = False) -> Any:
    """An action."""
    context = Context(runtime={FORMATS: formats})
    context.node = SimpleNamespace(cluster="here")  # type: ignore[attr-defined]
    view = viewOfYAML(yaml, "envoy.config.route.v3.RateLimit.Action")
    return buildAction(view, context)


def entry(
    yaml: str,
    headers: HeaderMap | None = None,
    info: RequestInfo | None = None,
    formats: bool = False,
) -> Entry | None:
    """What an action makes of a request."""
    headers = request() if headers is None else headers
    info = requestInfo() if info is None else info
    info.requestHeaders = headers
    found: Entry | None = built(yaml, formats)(headers, info)
    return found


class ClusterTests(SynchronousTestCase):
    def test_source(self) -> None:
        """That of the node."""
        self.assertEqual(entry("source_cluster: {}"), ("source_cluster", b"here"))

    def test_destination(self) -> None:
        """That of the route; without a route there is no descriptor."""
        info = requestInfo()
        self.assertIsNone(entry("destination_cluster: {}", info=info))
        info.route = action("")
        self.assertEqual(entry("destination_cluster: {}", info=info), ("destination_cluster", b"a"))


class RequestTests(SynchronousTestCase):
    def test_header(self) -> None:
        """Its first value; absent, the descriptor goes or the entry does."""
        yaml = "request_headers: {header_name: X-A, descriptor_key: k}"
        two = HeaderMap(((b"x-a", b"1"), (b"x-a", b"2")))
        self.assertEqual(entry(yaml, two), ("k", b"1"))
        self.assertIsNone(entry(yaml))
        skipping = "request_headers: {header_name: x-a, descriptor_key: k, skip_if_absent: true}"
        self.assertEqual(entry(skipping), NO_ENTRY)

    def test_query(self) -> None:
        """Its first value, decoded."""
        yaml = "query_parameters: {query_parameter_name: 'a b', descriptor_key: k%s}"
        self.assertEqual(entry(yaml % "", request("/?a%20b=c%2Bd&a b=2")), ("k", b"c+d"))
        self.assertIsNone(entry(yaml % ""))
        self.assertEqual(entry(yaml % ", skip_if_absent: true"), NO_ENTRY)

    def test_address(self) -> None:
        """Its text, whole or masked; only of IP."""
        masked = "masked_remote_address: {v4_prefix_mask_len: 6, v6_prefix_mask_len: 33}"
        self.assertEqual(entry("remote_address: {}"), ("remote_address", b"10.0.0.1"))
        self.assertEqual(entry(masked), ("masked_remote_address", b"8.0.0.0/6"))
        whole = ("masked_remote_address", b"10.0.0.1/32")
        self.assertEqual(entry("masked_remote_address: {}"), whole)
        info = requestInfo()
        info.connection.remoteAddress = IPv6Address("TCP", "2001:db8:ffff::1", 1)
        self.assertEqual(entry(masked, info=info), ("masked_remote_address", b"2001:db8:8000::/33"))
        info.connection.remoteAddress = UNIXAddress("/x")
        for yaml in ("remote_address: {}", masked):
            self.assertIsNone(entry(yaml, info=info))

    def test_addressMatch(self) -> None:
        """Within ranges, or not; what is no IP address is in neither."""
        yaml = "remote_address_match: {descriptor_value: '%s', address_matcher: {%s}, %s}"
        ten = "ranges: [{address_prefix: 10.0.0.0, prefix_len: 8}]"
        found = ("remote_address_match", b"v")
        self.assertEqual(entry(yaml % ("v", ten, "")), found)
        self.assertIsNone(entry(yaml % ("v", ten + ", invert_match: true", "")))
        self.assertIsNone(entry(yaml % ("v", "", "")))
        info = requestInfo()
        info.connection.remoteAddress = UNIXAddress("/x")
        self.assertIsNone(entry(yaml % ("v", "invert_match: true", ""), info=info))
        formatted = yaml % ("%REQ(x-a)%", ten, "descriptor_key: k, default_value: d")
        self.assertEqual(entry(formatted, request(x_a="1")), ("k", b"1"))
        self.assertEqual(entry(formatted), ("k", b"d"))
        self.assertIsNone(entry(yaml % ("%REQ(x-a)%", ten, "")))


class ValueTests(SynchronousTestCase):
    def test_generic(self) -> None:
        """A value, taken for a format only where the runtime says so."""
        yaml = "generic_key: {descriptor_value: 'a%REQ(x-a)%'}"
        asked = request(x_a="1")
        self.assertEqual(entry(yaml, asked), ("generic_key", b"a%REQ(x-a)%"))
        self.assertEqual(entry(yaml, asked, formats=True), ("generic_key", b"a1"))
        empty = "generic_key: {descriptor_value: '%REQ(x-b)%', descriptor_key: k}"
        self.assertIsNone(entry(empty, asked, formats=True))
        default = "generic_key: {descriptor_value: '%REQ(x-b)%', default_value: d}"
        self.assertEqual(entry(default, asked, formats=True), ("generic_key", b"d"))

    def test_headers(self) -> None:
        """When all match, or not all."""
        matchers = "headers: [{name: a, string_match: {exact: '1'}}, {name: b}]"
        yaml = f"header_value_match: {{descriptor_value: v, {matchers}}}"
        other = (
            f"header_value_match: {{descriptor_value: v, descriptor_key: k, expect_match: false, "
            f"{matchers}}}"
        )
        self.assertEqual(entry(yaml, request(a="1", b="")), ("header_match", b"v"))
        self.assertIsNone(entry(yaml, request(a="1")))
        self.assertIsNone(entry(other, request(a="1", b="")))
        self.assertEqual(entry(other, request(a="1")), ("k", b"v"))

    def test_queries(self) -> None:
        """When all match, decoded."""
        matchers = "query_parameters: [{name: q, string_match: {exact: 'a b'}}, {name: r}]"
        yaml = f"query_parameter_value_match: {{descriptor_value: v, {matchers}%s}}"
        self.assertEqual(entry(yaml % "", request("/?r&q=a%20b")), ("query_match", b"v"))
        self.assertIsNone(entry(yaml % "", request("/?q=a%20b")))
        other = yaml % ", expect_match: false, descriptor_key: k"
        self.assertEqual(entry(other, request("/")), ("k", b"v"))

    def test_wrongFormat(self) -> None:
        """Only where it is one."""
        yaml = "generic_key: {descriptor_value: '%NOPE%'}"
        built(yaml)
        error = self.assertRaises(ConfigError, built, yaml, True)
        self.assertEqual(error.problem, "Not supported field in StreamInfo: NOPE")


class MetadataTests(SynchronousTestCase):
    yaml = "metadata: {descriptor_key: k, metadata_key: {key: ns, path: [%s]}, %s}"

    def test_dynamic(self) -> None:
        """A text at a path; else the default, or no entry, or no descriptor."""
        info = requestInfo()
        info.dynamicMetadata = {"ns": {"a": {"text": "v", "number": 1, "empty": ""}}}
        for name, value in {"text": b"v", "number": None, "empty": None, "x": None}.items():
            yaml = self.yaml % (f"{{key: a}}, {{key: {name}}}", "default_value: d")
            self.assertEqual(entry(yaml, info=info), ("k", value or b"d"))
        self.assertIsNone(entry(self.yaml % ("{key: x}", ""), info=info))
        skipping = self.yaml % ("{key: x}", "skip_if_absent: true")
        self.assertEqual(entry(skipping, info=info), NO_ENTRY)
        self.assertEqual(entry(skipping), NO_ENTRY)

    def test_oldForm(self) -> None:
        """Of dynamic metadata alone."""
        view = SimpleNamespace(
            which=lambda oneof: "dynamic_metadata",
            dynamic_metadata=SimpleNamespace(
                descriptor_key="k",
                metadata_key=SimpleNamespace(key="ns", path_=[SimpleNamespace(key="a")]),
                default_value="",
            ),
        )
        info = requestInfo()
        made = buildAction(view, Context())
        self.assertIsNone(made(request(), info))
        info.dynamicMetadata = {"ns": {"a": "v"}}
        self.assertEqual(made(request(), info), ("k", b"v"))

    def test_others(self) -> None:
        """Of the route, its cluster and a host that is not chosen yet."""
        info = requestInfo()
        route = self.yaml % ("{key: a}", "source: ROUTE_ENTRY")
        self.assertIsNone(entry(route, info=info))
        info.route = action("")
        info.route.metadata = {"ns": {"a": "of route"}}
        self.assertEqual(entry(route, info=info), ("k", b"of route"))
        place = self.yaml % ("{key: a}", "source: CLUSTER_LOCALITY_ENTRY")
        self.assertIsNone(entry(place, info=info))

    def test_cluster(self) -> None:
        """That the route leads to."""
        context = Context()
        context.clusters["a"] = SimpleNamespace(metadata={"ns": {"a": "of cluster"}})
        yaml = self.yaml % ("{key: a}", "source: CLUSTER_ENTRY")
        made = buildAction(viewOfYAML(yaml, "envoy.config.route.v3.RateLimit.Action"), context)
        info = requestInfo()
        self.assertIsNone(made(request(), info))
        info.route = action("")
        self.assertEqual(made(request(), info), ("k", b"of cluster"))
        context.clusters.clear()
        self.assertIsNone(made(request(), info))


class ExtensionTests(SynchronousTestCase):
    yaml = "extension: {name: k, typed_config: {'@type': type.googleapis.com/%s, %s}}"

    def test_input(self) -> None:
        """What it sees; no descriptor where that is nothing, no entry where it is empty."""
        kind = "envoy.type.matcher.v3.HttpRequestHeaderMatchInput"
        yaml = self.yaml % (kind, "header_name: x-a")
        self.assertEqual(entry(yaml, request(x_a="1")), ("k", b"1"))
        self.assertEqual(entry(yaml, request(x_a="")), NO_ENTRY)
        self.assertIsNone(entry(yaml))

    def test_ownKind(self) -> None:
        """An action of its own; one that nobody knows is refused."""
        kind = "envoy.extensions.rate_limit_descriptors.%s.v3.Descriptor"
        yaml = self.yaml % (kind % "expr", "descriptor_key: d, text: request.method")
        self.assertEqual(entry(yaml), ("d", b"GET"))
        unknown = self.yaml % (kind % "jwt_claim", "descriptor_key: d, claim_name: c")
        error = self.assertRaises(ConfigError, built, unknown)
        self.assertIn("not implemented by twisted_envoy", error.problem)

    def test_unknown(self) -> None:
        """Refused in Envoy's words."""
        error = self.assertRaises(ConfigError, built, self.yaml % ("google.protobuf.Struct", ""))
        self.assertIn("Didn't find a registered implementation for 'k'", error.problem)
