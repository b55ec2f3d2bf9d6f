"""Tests for twisted_envoy.http.edge.request; what is expected is what Envoy 1.40 did."""

from __future__ import annotations

import re

from twisted.internet.address import IPv4Address
from twisted.trial.unittest import SynchronousTestCase

from tests.http.edge.support import (
    LOOPBACK_CIDR,
    PORT,
    UUID,
    EdgeContext,
    Sent,
    connectionFrom,
    makeEdge,
    managerConfig,
    requestOf,
)
from twisted_envoy.http.edge import Edge, EdgeFacts
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.state.addresses import addressText
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo

XFF = b"x-forwarded-for"
CONTROLS = (
    *(b"retriable-status-codes", b"retriable-header-names", b"retry-on", b"retry-grpc-on"),
    *(b"max-retries", b"upstream-alt-stat-name", b"upstream-rq-timeout-ms", b"ip-tags"),
    *(b"upstream-rq-per-try-timeout-ms", b"upstream-rq-timeout-alt-response", b"original-url"),
    *(b"expected-rq-timeout-ms", b"force-trace", b"hedge-on-per-try-timeout"),
    *(b"upstream-stream-duration-ms",),
)
FRONT = (
    *(b"decorator-operation", b"downstream-service-cluster", b"downstream-service-node"),
    *(b"original-path", b"original-host"),
)
FREE = (b"attempt-count", b"canary", b"original-dst-host", b"degraded", b"is-timeout-retry")


def envoyHeaders(names):
    """x-envoy-NAME: 1"""
    return [(b"x-envoy-" + name, b"1") for name in names]


class PlainTests(SynchronousTestCase):
    """The default config."""

    def test_plainGet(self) -> None:
        """Three headers are added, at the end."""
        sent = Sent(makeEdge(), requestOf((b"user-agent", b"ua"), (b"accept", b"*/*")))

        self.assertIsNone(sent.refusal)
        self.assertEqual(
            sent.names(), [b"user-agent", b"accept", b"x-forwarded-proto", b"x-request-id"]
        )
        self.assertEqual(sent.headers[b"x-forwarded-proto"], b"http")
        self.assertEqual(sent.headers[b":scheme"], b"http")
        self.assertTrue(re.match(UUID, sent.headers[b"x-request-id"]))
        self.assertEqual(addressText(sent.info.remoteAddress), "127.0.0.1:999")

    def test_overTLS(self) -> None:
        """The scheme follows."""
        sent = Sent(makeEdge(), requestOf(), isTLS=True)

        self.assertEqual(sent.headers[b"x-forwarded-proto"], b"https")
        self.assertEqual(sent.headers[b":scheme"], b"https")

    def test_hops(self) -> None:
        """What belongs to the connection is removed."""
        fields = (
            *((b"connection", b"keep-alive, X-Foo, close-ish"), (b"x-foo", b"1")),
            *((b"keep-alive", b"5"), (b"proxy-connection", b"x"), (b"te", b"gzip, trailers")),
            *((b"upgrade", b"foo"), (b"referer", b"not a url"), (b"transfer-encoding", b"chunked")),
            *((b"x-forwarded-client-cert", b"a"), (b"x-envoy-internal", b"true")),
        )
        sent = Sent(makeEdge(), requestOf(*fields))

        self.assertEqual(sent.names(), [b"te", b"x-forwarded-proto", b"x-request-id"])
        self.assertEqual(sent.headers[b"te"], b"trailers")

    def test_upgradeIsKept(self) -> None:
        """With both of its headers."""
        fields = ((b"connection", b"Upgrade, x-foo"), (b"upgrade", b"websocket"), (b"x-foo", b"1"))
        sent = Sent(makeEdge(), requestOf(*fields))

        self.assertEqual(sent.names()[:2], [b"connection", b"upgrade"])
        self.assertNotIn(b"x-foo", sent.headers)

    def test_referer(self) -> None:
        """A URL stays; several are one text."""
        for values, kept in (
            ([b"http://a.b/c?x"], True),
            ([b"http://a.b/c", b"http://b/"], True),
            ([b"http://"], False),
        ):
            headers = requestOf(*((b"referer", value) for value in values))
            self.assertIs(b"referer" in Sent(makeEdge(), headers).headers, kept, values)

    def test_forwardedProto(self) -> None:
        """It is kept, and makes the scheme when it is one."""
        for value, scheme in (
            *((b"https", b"https"), (b"HTTPS", b"https"), (b"junk", b"http"), (b"", b"http")),
        ):
            sent = Sent(makeEdge(), requestOf((b"x-forwarded-proto", value)))
            self.assertEqual(sent.headers[b"x-forwarded-proto"], value)
            self.assertEqual(sent.headers[b":scheme"], scheme)

    def test_schemeOfTheRequestStays(self) -> None:
        """HTTP/2 and absolute URLs have one."""
        headers = requestOf((b":scheme", b"https"))

        self.assertEqual(Sent(makeEdge(), headers).headers[b":scheme"], b"https")

    def test_requestIDIsKept(self) -> None:
        """Unless it is empty; several are left alone."""
        given = requestOf((b"x-request-id", b"a"), (b"x-request-id", b"b"))
        empty = requestOf((b"x-request-id", b""))

        self.assertEqual(Sent(makeEdge(), given).value(b"x-request-id"), b"a,b")
        self.assertTrue(re.match(UUID, Sent(makeEdge(), empty).headers[b"x-request-id"]))

    def test_noRequestID(self) -> None:
        """generate_request_id off."""
        edge = makeEdge(generate_request_id=False)

        self.assertNotIn(b"x-request-id", Sent(edge, requestOf()).headers)


class RefusalTests(SynchronousTestCase):
    """What is answered at once."""

    def refused(self, headers, **kwargs):
        """status, body, details, close, flag."""
        refusal = Sent(makeEdge(), headers, **kwargs).refusal
        assert refusal is not None
        return refusal.status, refusal.body, refusal.details, refusal.close, refusal.flag

    def test_table(self) -> None:
        """As Envoy answers."""
        for headers, expected in (
            (requestOf(host=None), (400, b"", "missing_host_header", False, "")),
            (requestOf(path=b"/a#b"), (400, b"", "path_normalization_failed", False, "")),
            (
                requestOf(path=b"*", method=b"OPTIONS"),
                (404, b"", "absolute_path_rejected", False, ""),
            ),
            (requestOf(path=b"a"), (404, b"", "absolute_path_rejected", False, "")),
            (requestOf(path=b""), (404, b"", "missing_path_rejected", False, "")),
            (requestOf(path=None), (404, b"", "missing_path_rejected", False, "")),
            (
                requestOf(path=b"", method=b"CONNECT"),
                (404, b"", "missing_path_rejected", False, ""),
            ),
            (
                requestOf((b"connection", b"x-forwarded-for")),
                (400, b"Bad Request", "http1.connection_header_rejected", True, "DPE"),
            ),
            (
                requestOf((b"connection", b"host")),
                (400, b"", "missing_host_header", False, ""),
            ),
        ):
            self.assertEqual(self.refused(headers), expected)

    def test_oldProtocol(self) -> None:
        """HTTP/1.0 needs accept_http_10."""
        expected = (426, b"Upgrade Required", "low_version", True, "DPE")
        self.assertEqual(self.refused(requestOf(host=None), protocol="HTTP/1.0"), expected)

        edge = makeEdge(EdgeFacts(acceptsHTTP10=True))
        self.assertIsNone(Sent(edge, requestOf(), protocol="HTTP/1.0").refusal)

    def test_connectHasNoPath(self) -> None:
        """And needs none."""
        sent = Sent(makeEdge(), requestOf(path=None, method=b"CONNECT", host=b"h:1"))

        self.assertIsNone(sent.refusal)


class PathTests(SynchronousTestCase):
    """Normalization as configured; the details are test_path's."""

    ACTION = "path_with_escaped_slashes_action"

    def pathOf(self, path, **fields):
        """The path that goes on, or the refusal's status and location."""
        sent = Sent(makeEdge(**fields), requestOf(path=path))
        if sent.refusal is None:
            return sent.headers[b":path"]
        return sent.refusal.status, dict(sent.refusal.headers).get(b"location")

    def test_order(self) -> None:
        """Slashes are unescaped, the path is normalized, slashes are merged; never the query."""
        path = b"/up//x/./y/../z%2Fq%5c?a//b/../%2f"
        both = {"normalize_path": True, "merge_slashes": True}
        for fields, expected in (
            ({}, path),
            ({"normalize_path": True}, b"/up//x/z%2Fq%5c?a//b/../%2f"),
            ({"merge_slashes": True}, b"/up/x/./y/../z%2Fq%5c?a//b/../%2f"),
            (both, b"/up/x/z%2Fq%5c?a//b/../%2f"),
            ({self.ACTION: "UNESCAPE_AND_FORWARD"}, b"/up//x/./y/../z/q\\?a//b/../%2f"),
            ({**both, self.ACTION: "UNESCAPE_AND_FORWARD"}, b"/up/x/z/q/?a//b/../%2f"),
            ({**both, self.ACTION: "KEEP_UNCHANGED"}, b"/up/x/z%2Fq%5c?a//b/../%2f"),
            (
                {**both, self.ACTION: "UNESCAPE_AND_REDIRECT"},
                (307, b"/up/x/z/q/?a//b/../%2f"),
            ),
            ({**both, self.ACTION: "REJECT_REQUEST"}, (400, None)),
        ):
            self.assertEqual(self.pathOf(path, **fields), expected, fields)

    def test_onlyEscapedSlashesCount(self) -> None:
        """What else is normalized needs no redirect."""
        for action in ("UNESCAPE_AND_REDIRECT", "REJECT_REQUEST"):
            fields = {"normalize_path": True, self.ACTION: action}
            self.assertEqual(self.pathOf(b"/a/../b%41?%2F", **fields), b"/bA?%2F")

    def test_refused(self) -> None:
        """A NUL."""
        self.assertEqual(self.pathOf(b"/%00", normalize_path=True), (400, None))
        self.assertEqual(self.pathOf(b"/%00"), b"/%00")

    def test_gRPCIsNotRedirected(self) -> None:
        """Its clients do not follow."""
        edge = makeEdge(**{self.ACTION: "UNESCAPE_AND_REDIRECT"})
        headers = requestOf((b"content-type", b"application/grpc"), path=b"/a%2fb")

        refusal = Sent(edge, headers).refusal

        assert refusal is not None
        self.assertEqual((refusal.status, refusal.headers), (400, ()))

    def test_counters(self) -> None:
        """Each kind has its own."""
        edge = makeEdge(normalize_path=True, **{self.ACTION: "UNESCAPE_AND_REDIRECT"})
        counters = [
            Sent(edge, requestOf(path=path)).refusal.counter for path in (b"/%2f", b"/%00", b"*")
        ]
        self.assertEqual(
            counters,
            [
                "downstream_rq_redirected_with_normalized_path",
                "downstream_rq_failed_path_normalization",
                "downstream_rq_non_relative_path",
            ],
        )

    def test_runtime(self) -> None:
        """Runtime keys decide where the config does not."""
        context = EdgeContext()
        context.runtime.values.update(
            {
                "http_connection_manager.normalize_path": 100,
                "http_connection_manager.path_with_escaped_slashes_action": 4,
            }
        )
        unsaid = makeEdge(context=context)
        said = makeEdge(context=context, normalize_path=False, **{self.ACTION: "KEEP_UNCHANGED"})

        self.assertEqual(Sent(unsaid, requestOf(path=b"/a/../b%2Fc")).headers[b":path"], b"/b/c")
        kept = b"/a/../b%2Fc"
        self.assertEqual(Sent(said, requestOf(path=kept)).headers[b":path"], kept)


class HostTests(SynchronousTestCase):
    """Host normalization as configured; the details are test_host's."""

    def test_table(self) -> None:
        """The dot goes before the port does."""
        for fields, host, expected in (
            ({"strip_any_host_port": True}, b"h:1", b"h"),
            ({"strip_matching_host_port": True}, b"h:1", b"h:1"),
            ({"strip_matching_host_port": True}, b"h:%d" % PORT, b"h"),
            ({"strip_trailing_host_dot": True}, b"h.:1", b"h:1"),
            ({"strip_any_host_port": True, "strip_trailing_host_dot": True}, b"h.:1", b"h"),
        ):
            sent = Sent(makeEdge(**fields), requestOf(host=host))
            self.assertEqual(sent.headers[b":authority"], expected, fields)

    def test_noPortOfOurOwn(self) -> None:
        """A connection without ports matches none."""
        edge = makeEdge(strip_matching_host_port=True)
        info = StreamInfo(0.0, InternalAddress("x"), InternalAddress("y"))
        headers = requestOf(host=b"h:1")

        edge.prepareRequest(headers, RequestInfo(info, 0.0), info, False)

        self.assertEqual(headers[b":authority"], b"h:1")


class ForwardedForTests(SynchronousTestCase):
    """Without use_remote_address."""

    def test_addresses(self) -> None:
        """The last entry is the client; what cannot be read leaves our peer."""
        for values, expected in (
            ([b"1.2.3.4"], "1.2.3.4:0"),
            ([b"1.2.3.4, 5.6.7.8"], "5.6.7.8:0"),
            ([b"1.2.3.4", b"9.9.9.9"], "9.9.9.9:0"),
            ([b"2001:DB8::0:1"], "[2001:db8::1]:0"),
            ([b"1.2.3.4:80"], "127.0.0.1:999"),
            ([b"junk"], "127.0.0.1:999"),
            ([b"1.2.3.4,"], "127.0.0.1:999"),
            ([b"[::1]"], "127.0.0.1:999"),
            ([b""], "127.0.0.1:999"),
        ):
            sent = Sent(makeEdge(), requestOf(*((XFF, value) for value in values)))
            self.assertEqual(addressText(sent.info.remoteAddress), expected, values)
            self.assertEqual(sent.value(XFF), b",".join(values))

    def test_hops(self) -> None:
        """So many entries are our own."""
        edge = makeEdge(xff_num_trusted_hops=1)
        for value, expected in (
            (b"1.1.1.1,2.2.2.2, 3.3.3.3", "2.2.2.2:0"),
            (b"1.1.1.1", "127.0.0.1:999"),
            (b"1.1.1.1,junk, 3.3.3.3", "127.0.0.1:999"),
            (b"1.1.1.1,, 10.0.0.9,", "10.0.0.9:0"),
        ):
            sent = Sent(edge, requestOf((XFF, value)))
            self.assertEqual(addressText(sent.info.remoteAddress), expected, value)

    def test_internal(self) -> None:
        """One entry, of our own network."""
        edge = makeEdge(internal_address_config=LOOPBACK_CIDR)
        for value, expected in (
            (None, None),
            (b"1.2.3.4", None),
            (b"127.0.0.9", b"true"),
            (b"1.2.3.4, 127.0.0.9", None),
            (b"", None),
        ):
            sent = Sent(edge, requestOf(*([] if value is None else [(XFF, value)])))
            self.assertEqual(sent.value(b"x-envoy-internal"), expected, value)

    def test_nothingIsInternalByDefault(self) -> None:
        """Not even loopback."""
        sent = Sent(makeEdge(), requestOf((XFF, b"127.0.0.9")))

        self.assertNotIn(b"x-envoy-internal", sent.headers)

    def test_cleaned(self) -> None:
        """The router's controls are, what a front proxy says is not."""
        sent = Sent(makeEdge(), requestOf(*envoyHeaders((*CONTROLS, *FRONT, *FREE))))

        kept = [b"x-envoy-" + name for name in (*FRONT, *FREE)]
        self.assertEqual([name for name in sent.names() if name.startswith(b"x-envoy-")], kept)

    def test_internalIsNotCleaned(self) -> None:
        """It may say everything but that it is internal."""
        edge = makeEdge(internal_address_config=LOOPBACK_CIDR)
        headers = requestOf(
            (XFF, b"127.0.0.9"),
            (b"x-envoy-internal", b"no"),
            *envoyHeaders((*CONTROLS, *FRONT, *FREE)),
        )
        sent = Sent(edge, headers)

        self.assertEqual(sent.value(b"x-envoy-internal"), b"true")
        self.assertTrue(all(b"x-envoy-" + name in sent.headers for name in (*CONTROLS, *FRONT)))

    def test_internalOnlyHeaders(self) -> None:
        """A route configuration may name more of them."""
        edge = makeEdge(EdgeFacts(internalOnly=(b"x-mine",)))

        self.assertNotIn(b"x-mine", Sent(edge, requestOf((b"x-mine", b"1"))).headers)


class RemoteAddressTests(SynchronousTestCase):
    """use_remote_address."""

    def setUp(self) -> None:
        self.patchAddress("192.0.2.2")

    def patchAddress(self, address) -> None:
        """This machine has that address."""
        from twisted_envoy.http.edge import edge

        self.patch(edge, "localAddress", lambda: address)

    def test_appended(self) -> None:
        """Our peer, or this machine for 127.0.0.1; with a bare comma."""
        edge = makeEdge(use_remote_address=True)
        for peer, given, expected in (
            ("127.0.0.1", None, b"192.0.2.2"),
            ("127.0.0.1", b"1.2.3.4, 5.6.7.8", b"1.2.3.4, 5.6.7.8,192.0.2.2"),
            ("127.0.0.1", b"", b"192.0.2.2"),
            ("127.0.0.2", b"1.2.3.4", b"1.2.3.4,127.0.0.2"),
        ):
            sent = Sent(edge, requestOf(*([] if given is None else [(XFF, given)])), peer)
            self.assertEqual(sent.value(XFF), expected)
            self.assertEqual(sent.value(b"x-envoy-external-address"), peer.encode())
            self.assertEqual(addressText(sent.info.remoteAddress), f"{peer}:999")

    def test_order(self) -> None:
        """As Envoy adds them."""
        edge = makeEdge(use_remote_address=True, append_x_forwarded_port=True)
        self.assertEqual(
            Sent(edge, requestOf()).names(),
            [
                *(XFF, b"x-forwarded-proto", b"x-forwarded-port"),
                *(b"x-envoy-external-address", b"x-request-id"),
            ],
        )

    def test_notBelieved(self) -> None:
        """Neither the protocol, nor the id, nor what a front proxy says."""
        headers = requestOf(
            (b"x-forwarded-proto", b"https"),
            (b"x-request-id", b"abc"),
            (b"x-envoy-external-address", b"6.6.6.6"),
            *envoyHeaders((*CONTROLS, *FRONT, *FREE)),
        )
        sent = Sent(makeEdge(use_remote_address=True), headers)

        self.assertEqual(sent.value(b"x-forwarded-proto"), b"http")
        self.assertTrue(re.match(UUID, sent.headers[b"x-request-id"]))
        left = [name for name in sent.names() if name.startswith(b"x-envoy-")]
        free = [b"x-envoy-" + name for name in FREE]
        self.assertEqual(left, [b"x-envoy-external-address", *free])
        self.assertEqual(sent.value(b"x-envoy-external-address"), b"127.0.0.1")

    def test_internal(self) -> None:
        """Our peer is of our own network, and brings no x-forwarded-for."""
        edge = makeEdge(use_remote_address=True, internal_address_config=LOOPBACK_CIDR)
        inner = Sent(edge, requestOf((b"x-request-id", b"abc"), *envoyHeaders(CONTROLS)))
        outer = Sent(edge, requestOf((XFF, b"127.0.0.9")))

        self.assertEqual(inner.value(b"x-envoy-internal"), b"true")
        self.assertEqual(inner.value(b"x-request-id"), b"abc")
        self.assertNotIn(b"x-envoy-external-address", inner.headers)
        self.assertIn(b"x-envoy-retry-on", inner.headers)
        self.assertNotIn(b"x-envoy-internal", outer.headers)
        self.assertIn(b"x-envoy-external-address", outer.headers)

    def test_preserved(self) -> None:
        """An external id is kept; a UUID is marked as not traced."""
        edge = makeEdge(use_remote_address=True, preserve_external_request_id=True)
        for given, expected in (
            (b"abc", b"abc"),
            (
                b"0d2a7d64-66b1-9d39-a39e-a6c5dd6b1f3f",
                b"0d2a7d64-66b1-4d39-a39e-a6c5dd6b1f3f",
            ),
        ):
            sent = Sent(edge, requestOf((b"x-request-id", given)))
            self.assertEqual(sent.value(b"x-request-id"), expected)

    def test_skipAppend(self) -> None:
        """skip_xff_append."""
        edge = makeEdge(use_remote_address=True, skip_xff_append=True)

        self.assertNotIn(XFF, Sent(edge, requestOf()).headers)
        self.assertEqual(Sent(edge, requestOf((XFF, b"1.2.3.4"))).value(XFF), b"1.2.3.4")

    def test_hops(self) -> None:
        """Our own proxies in front are believed."""
        edge = makeEdge(use_remote_address=True, xff_num_trusted_hops=1)
        for given, expected in ((None, "127.0.0.1"), (b"1.2.3.4, 5.6.7.8", "5.6.7.8")):
            fields = [] if given is None else [(XFF, given)]
            sent = Sent(edge, requestOf((b"x-forwarded-proto", b"https"), *fields))
            self.assertEqual(sent.value(b"x-envoy-external-address"), expected.encode())
            self.assertEqual(sent.info.remoteAddress.host, expected)
            self.assertEqual(sent.value(b"x-forwarded-proto"), b"https")

    def test_noIPAddress(self) -> None:
        """An internal connection's peer is not written anywhere."""
        edge = makeEdge(use_remote_address=True)
        info = StreamInfo(0.0, InternalAddress("x"), InternalAddress("y"))
        headers = requestOf()

        edge.prepareRequest(headers, RequestInfo(info, 0.0), info, False)

        self.assertNotIn(XFF, headers)
        self.assertNotIn(b"x-envoy-external-address", headers)


class PortTests(SynchronousTestCase):
    """append_x_forwarded_port."""

    def test_table(self) -> None:
        """Ours overwrites only what comes from an untrusted client."""
        ours = b"%d" % PORT
        for fields, given, expected in (
            ({}, None, ours),
            ({}, b"9", b"9"),
            ({"xff_num_trusted_hops": 1}, b"9", b"9"),
            ({"use_remote_address": True}, b"9", ours),
            ({"use_remote_address": True, "xff_num_trusted_hops": 1}, b"9", b"9"),
            ({"use_remote_address": True, "xff_num_trusted_hops": 1}, None, ours),
        ):
            edge = makeEdge(append_x_forwarded_port=True, **fields)
            headers = requestOf(*([] if given is None else [(b"x-forwarded-port", given)]))
            self.assertEqual(Sent(edge, headers).value(b"x-forwarded-port"), expected, fields)


class SchemeTests(SynchronousTestCase):
    """scheme_header_transformation, forward_proto_config."""

    def test_overwritten(self) -> None:
        """And x-forwarded-proto with it."""
        edge = makeEdge(scheme_header_transformation={"scheme_to_overwrite": "https"})
        sent = Sent(edge, requestOf((b":scheme", b"http"), (b"x-forwarded-proto", b"http")))

        self.assertEqual(sent.headers[b":scheme"], b"https")
        self.assertEqual(sent.headers[b"x-forwarded-proto"], b"https")

    def forwarded(self, port, restored=True, **fields):
        """x-forwarded-proto of a request to a port that a listener filter restored."""
        ports = {"https_destination_ports": [444], "http_destination_ports": [81]}
        edge = makeEdge(forward_proto_config=ports, **fields)
        connection = connectionFrom(port=port)
        if restored:
            connection.localAddress = IPv4Address("TCP", "8.8.8.8", port)
        headers = requestOf()
        edge.prepareRequest(headers, RequestInfo(connection, 0.0), connection, port == 81)
        return headers[b"x-forwarded-proto"]

    def test_ports(self) -> None:
        """The restored port says what was spoken there."""
        self.assertEqual(self.forwarded(444), b"https")
        self.assertEqual(self.forwarded(444, use_remote_address=True), b"https")
        self.assertEqual(self.forwarded(81), b"http")
        self.assertEqual(self.forwarded(445), b"http")

    def test_notRestored(self) -> None:
        """Our own port says nothing."""
        self.assertEqual(self.forwarded(444, restored=False), b"http")


class AddedTests(SynchronousTestCase):
    """via, add_user_agent."""

    FACTS = EdgeFacts(serviceCluster="sc", serviceNode="sn")

    def test_via(self) -> None:
        """Joins what is there, with a blank."""
        edge = makeEdge(via="v1")

        self.assertEqual(Sent(edge, requestOf()).value(b"via"), b"v1")
        self.assertEqual(Sent(edge, requestOf((b"via", b"1.0 a"))).value(b"via"), b"1.0 a, v1")

    def test_order(self) -> None:
        """As Envoy adds them."""
        edge = makeEdge(self.FACTS, via="v1", add_user_agent=True)
        self.assertEqual(
            Sent(edge, requestOf()).names(),
            [
                *(b"x-forwarded-proto", b"x-envoy-downstream-service-cluster", b"user-agent"),
                *(b"x-envoy-downstream-service-node", b"via", b"x-request-id"),
            ],
        )

    def test_userAgent(self) -> None:
        """A client's own stays, unless empty; the cluster is overwritten."""
        edge = makeEdge(self.FACTS, add_user_agent=True)
        cluster = (b"x-envoy-downstream-service-cluster", b"q")
        for given, expected in ((b"ua", b"ua"), (b"", b"sc")):
            sent = Sent(edge, requestOf((b"user-agent", given), cluster))
            self.assertEqual(sent.value(b"user-agent"), expected)
            self.assertEqual(sent.value(cluster[0]), b"sc")

    def test_nameless(self) -> None:
        """A server without names sends empty ones, as Envoy."""
        sent = Sent(makeEdge(add_user_agent=True), requestOf())

        self.assertEqual(sent.value(b"user-agent"), b"")
        self.assertNotIn(b"x-envoy-downstream-service-node", sent.headers)


class EarlyTests(SynchronousTestCase):
    """early_header_mutation_extensions."""

    def test_comesFirst(self) -> None:
        """What it adds is treated as if the client had sent it; what stops the list stops it."""
        edge = Edge(managerConfig(), EdgeContext())
        ran = []

        def first(headers, info):
            headers.set(XFF, b"5.5.5.5")
            headers.set(b"connection", b"x")
            return not ran and not ran.append("first")

        def second(headers, info):
            ran.append("second")
            return True

        requests = edge.prepareRequest.__self__
        requests._early = (first, second)
        requests._plain = None
        sent = Sent(edge, requestOf())
        Sent(edge, requestOf())

        self.assertEqual(addressText(sent.info.remoteAddress), "5.5.5.5:0")
        self.assertNotIn(b"connection", sent.headers)
        self.assertEqual(ran, ["first", "second"])
