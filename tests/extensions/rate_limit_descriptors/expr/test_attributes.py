"""Attributes of requests by their names in CEL."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import Context, action, request, requestInfo
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.rate_limit_descriptors.expr.attributes import buildAttribute
from twisted_envoy.state.request_info import RequestInfo

_HEADERS = request("/a?b=c?d", "h.test:1", x_a="1", referer="r", user_agent="u", x_request_id="id")
_VALUES = {
    "request.method": b"GET",
    " request . method\n": b"GET",
    "request['method']": b"GET",
    "request.path": b"/a?b=c?d",
    "request.url_path": b"/a",
    "request.query": b"b=c?d",
    "request.host": b"h.test:1",
    "request.scheme": b"http",
    "request.referer": b"r",
    "request.useragent": b"u",
    "request.id": b"id",
    "request.protocol": b"HTTP/2",
    "request.headers['X-A']": b"1",
    'request.headers[ "x-a" ]': b"1",
    "request.headers.referer": b"r",
    "request.headers['host']": b"h.test:1",
    "request.headers['x-b']": None,
    "source.address": b"10.0.0.1:1234",
    "source.port": b"1234",
    "destination.address": b"10.0.0.2:80",
    "destination.port": b"80",
    "connection.requested_server_name": b"",
}
_UNKNOWN = (
    *("request", "request.nope", "nope.a", "request.method.a", "request.headers", "'lit'", "1"),
    *("request.headers['a']['b']", "request.method + 'x'", "request.", "request['method'", "x"),
    *("(request.method)", "request.headers['a\\n']", "request.headers.in", "request.headers[a]"),
)


def value(text: str, headers: HeaderMap = _HEADERS, info: RequestInfo | None = None) -> object:
    """What an attribute is."""
    info = requestInfo() if info is None else info
    info.protocol = "HTTP/2"
    made = buildAttribute(text, Context())
    assert made is not None, text
    return made(headers, info)


class AttributeTests(SynchronousTestCase):
    def test_values(self) -> None:
        """Of a request."""
        for text, wanted in _VALUES.items():
            self.assertEqual(value(text), wanted, text)

    def test_several(self) -> None:
        """Values of one header are one."""
        two = HeaderMap(((b"x-a", b"1"), (b"x-a", b"2")))
        self.assertEqual(value("request.headers['x-a']", two), b"1,2")

    def test_route(self) -> None:
        """Names of it, of its virtual host and of a cluster that there is."""
        texts = ("xds.route_name", "xds.virtual_host_name", "xds.cluster_name")
        self.assertEqual([value(text) for text in texts], [None] * 3)
        info = requestInfo()
        info.route = action("")
        self.assertEqual([value(text, info=info) for text in texts], [b"", b"all", b"a"])
        info.route.clusterName = lambda headers: "nobody"
        self.assertIsNone(value("xds.cluster_name", info=info))

    def test_noPort(self) -> None:
        """What is no IP address has none."""
        info = requestInfo()
        info.connection.remoteAddress = UNIXAddress("/x")
        self.assertIsNone(value("source.port", info=info))

    def test_unknown(self) -> None:
        """Everything else."""
        for text in _UNKNOWN:
            self.assertIsNone(buildAttribute(text, Context()), text)

    @given(st.text(alphabet="reqst.hd[]'\"\\ax_ \n()1", max_size=30))
    def test_anyText(self, text: str) -> None:
        """Is an attribute, or is not."""
        made = buildAttribute(text, Context())
        if made is not None:
            made(_HEADERS, requestInfo())
