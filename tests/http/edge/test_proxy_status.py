"""Tests for twisted_envoy.http.edge.proxy_status; what is expected is what Envoy 1.40 did."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.edge.support import connectionFrom
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.proxy_status import ProxyStatus
from twisted_envoy.state.request_info import RequestInfo

RESET = "upstream_reset_before_response_started"


def told(raised, text, status=200, given=None, **settings):
    """The header, and the status that the response and the request's info have after it."""
    info = RequestInfo(connectionFrom(), 0.0)
    for flag in raised:
        info.raiseFlag(flag)
    info.responseCodeDetails = text
    info.connectionTerminationDetails = settings.pop("ended", "")
    info.responseCode = status
    headers = HeaderMap(((b":status", b"%d" % status),))
    if given:
        headers.add(b"proxy-status", given)
    usual = {"details": True, "termination": True, "flags": True, "recommends": False}
    ProxyStatus("envoy", **{**usual, **settings}).tell(headers, info)
    made = headers.joined(b"proxy-status")
    return made and made.decode(), int(headers[b":status"]), info.responseCode


class ProxyStatusTests(SynchronousTestCase):
    """The header."""

    def test_table(self) -> None:
        """Flags, and what they are called."""
        for flags, details, error in (
            ("NR", "route_not_found", "destination_not_found"),
            ("UPE", RESET + "{protocol_error}", "http_protocol_error"),
            ("UT", "response_timeout", "http_response_timeout"),
            ("NC", "cluster_not_found", "destination_unavailable"),
            ("FI", "fault_filter_abort", "http_request_error"),
            ("SI", "stream_idle_timeout", "http_response_timeout"),
            ("UC", RESET + "{connection_termination}", "connection_terminated"),
            ("URX,UC", RESET + "{connection_termination}", "connection_terminated"),
            ("URX", "via_upstream", "destination_unavailable"),
            ("RL", "local_rate_limited", "connection_limit_reached"),
            ("UO", RESET + "{overflow}", "connection_limit_reached"),
        ):
            expected = f'envoy; error={error}; details="{details}; {flags}"'
            self.assertEqual(told(flags.split(","), details)[0], expected)

    def test_nothingToTell(self) -> None:
        """No flag, or one about the client."""
        self.assertIsNone(told((), "direct_response")[0])
        self.assertIsNone(told(("DPE",), "http1.codec_error")[0])

    def test_removed(self) -> None:
        """What the config leaves out."""
        for settings, expected in (
            ({"details": False}, "envoy; error=destination_not_found"),
            ({"flags": False}, 'envoy; error=destination_not_found; details="d; e"'),
            ({"termination": False}, 'envoy; error=destination_not_found; details="d; NR"'),
        ):
            self.assertEqual(told(("NR",), "d", ended="e", **settings)[0], expected)
        self.assertEqual(told(("NR",), "", flags=False)[0], "envoy; error=destination_not_found")

    def test_joinsTheUpstreams(self) -> None:
        """A proxy behind us may have said something."""
        made = told(("NR",), "d", given=b"origin; x=y")[0]
        self.assertEqual(made, 'origin; x=y, envoy; error=destination_not_found; details="d; NR"')

    def test_recommended(self) -> None:
        """set_recommended_response_code."""
        for flag, status, expected in (
            *(("NR", 404, 500), ("SI", 408, 504), ("RL", 429, 503), ("UC", 503, 502)),
            *(("FI", 418, 418),),
        ):
            made = told((flag,), "d", status=status, recommends=True)
            self.assertEqual(made[1:], (expected, expected), flag)
            self.assertEqual(told((flag,), "d", status=status)[1:], (status, status))
