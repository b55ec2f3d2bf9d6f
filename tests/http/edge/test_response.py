"""Tests for twisted_envoy.http.edge.response; what is expected is what Envoy 1.40 did."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.edge.support import Sent, makeEdge, requestOf
from twisted_envoy.codec.headers import HeaderMap

EPOCH = b"Thu, 01 Jan 1970 00:00:00 GMT"


def respond(edge, *fields, request=None, status=b"200"):
    """The response's headers, after the edge."""
    sent = Sent(edge, requestOf() if request is None else request)
    headers = HeaderMap(((b":status", status), *fields))
    edge.prepareResponse(headers, sent.info, sent.headers)
    return headers


class ResponseTests(SynchronousTestCase):
    """prepareResponse."""

    def test_added(self) -> None:
        """date, then server."""
        self.assertEqual(
            list(respond(makeEdge(), (b"content-length", b"2")).pairs())[1:],
            [(b"content-length", b"2"), (b"date", EPOCH), (b"server", b"envoy")],
        )

    def test_hops(self) -> None:
        """Gone; what connection named stays, and te."""
        fields = (
            *((b"connection", b"x-foo, keep-alive"), (b"x-foo", b"1"), (b"keep-alive", b"1")),
            *((b"proxy-connection", b"a"), (b"upgrade", b"q"), (b"server", b"s")),
            *((b"te", b"gzip"), (b"transfer-encoding", b"chunked"), (b"date", b"then")),
        )
        self.assertEqual(
            list(respond(makeEdge(), *fields).pairs())[1:],
            [(b"x-foo", b"1"), (b"server", b"envoy"), (b"te", b"gzip"), (b"date", b"then")],
        )

    def test_upgrade(self) -> None:
        """An upgrade that was asked for keeps its headers."""
        asked = requestOf((b"connection", b"upgrade"), (b"upgrade", b"websocket"))
        fields = ((b"connection", b"Upgrade"), (b"upgrade", b"websocket"), (b"keep-alive", b"3"))
        told = respond(makeEdge(), *fields, request=asked, status=b"101")
        unasked = respond(makeEdge(), *fields, status=b"101")

        self.assertEqual(list(told)[1:3], [b"connection", b"upgrade"])
        self.assertEqual(list(unasked)[1:], [b"date", b"server"])

    def test_server(self) -> None:
        """server_header_transformation, server_name."""
        for fields, given, expected in (
            ({}, b"origin", b"envoy"),
            ({"server_name": "sn"}, b"origin", b"sn"),
            ({"server_header_transformation": "APPEND_IF_ABSENT"}, b"origin", b"origin"),
            ({"server_header_transformation": "APPEND_IF_ABSENT"}, None, b"envoy"),
            ({"server_header_transformation": "PASS_THROUGH"}, b"origin", b"origin"),
            ({"server_header_transformation": "PASS_THROUGH"}, None, None),
        ):
            headers = respond(makeEdge(**fields), *([] if given is None else [(b"server", given)]))
            self.assertEqual(headers.get(b"server"), expected, fields)

    def test_requestID(self) -> None:
        """The request's, if it has one."""
        edge = makeEdge(always_set_request_id_in_response=True, generate_request_id=False)
        fields = ((b"x-request-id", b"up"),)
        told = respond(edge, *fields, request=requestOf((b"x-request-id", b"abc")))

        self.assertEqual(told[b"x-request-id"], b"abc")
        self.assertEqual(respond(edge, *fields)[b"x-request-id"], b"up")

    def test_forcedTrace(self) -> None:
        """An internal request that wants a trace learns its id."""
        edge = makeEdge(internal_address_config={"cidr_ranges": [{"address_prefix": "10.0.0.1"}]})
        request = requestOf(
            (b"x-forwarded-for", b"10.0.0.1"),
            (b"x-envoy-force-trace", b"1"),
            (b"x-request-id", b"abc"),
        )

        self.assertEqual(respond(edge, request=request).get(b"x-request-id"), b"abc")

    def test_via(self) -> None:
        """Joins what is there; after everything else."""
        edge = makeEdge(via="v1")

        self.assertEqual(list(respond(edge))[-1], b"via")
        self.assertEqual(respond(edge, (b"via", b"1.1 zz"))[b"via"], b"1.1 zz, v1")

    def test_withoutRequest(self) -> None:
        """Answers to what could not be read."""
        edge = makeEdge(always_set_request_id_in_response=True)
        headers = HeaderMap(((b":status", b"400"), (b"connection", b"x")))
        edge.prepareResponse(headers, Sent(edge, requestOf()).info, None)

        self.assertEqual(list(headers), [b":status", b"date", b"server"])

    def test_proxyStatus(self) -> None:
        """When something went wrong here."""
        edge = makeEdge(proxy_status_config={"literal_proxy_name": "lp"})
        sent = Sent(edge, requestOf())
        sent.info.raiseFlag("NR")
        headers = HeaderMap(((b":status", b"404"),))
        edge.prepareResponse(headers, sent.info, sent.headers)

        self.assertEqual(headers[b"proxy-status"], b'lp; error=destination_not_found; details="NR"')
        self.assertNotIn(b"proxy-status", respond(edge))
