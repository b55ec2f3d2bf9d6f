"""What is known of carried requests; that it is what streams tell is in test_carrier."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http.records import ARGUMENTS, LEFT_OUT
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.router.record import ExchangeInfo
from twisted_envoy.formatter.operators import BUILT_IN
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo


class ExchangeInfoTests(SynchronousTestCase):
    """Of an exchange of attributes."""

    def setUp(self) -> None:
        self.headers = HeaderMap(((b":path", b"/"), (b"x-request-id", b"first")))
        route = SimpleNamespace(name="route")
        carrier = SimpleNamespace(
            plan=SimpleNamespace(name="origin", cluster=object()), route=route, protocol="HTTP/2"
        )
        self.template = SimpleNamespace(carrier=carrier, headers=self.headers, remoteAddress=None)
        self.exchange: Any = SimpleNamespace(
            template=self.template,
            pooled=SimpleNamespace(host=object(), connectionID=7, localAddress="here"),
            upstream=SimpleNamespace(wireBytes=5),
            lastActivity=1.0,
            value=b"",
        )

    def info(self) -> ExchangeInfo:
        """Its RequestInfo."""
        own = StreamInfo(0.5, remoteAddress="peer", connectionID=3)  # type: ignore[arg-type]
        info = ExchangeInfo(own, SimpleNamespace(wireBytes=9), self.exchange, 2.5)
        info.bytesSent = 4
        return info

    def test_times(self) -> None:
        """All of the request came at once, and all of the answer."""
        info = self.info()
        times = {name: getattr(info, name) for name in dir(RequestInfo) if name.endswith("Time")}
        late = {name for name, value in times.items() if value == 2.5}
        self.assertEqual({name for name, value in times.items() if value == 1.0} | late, set(times))
        self.assertIn("endTime", late)
        self.assertEqual(len(late), 6)

    def test_upstream(self) -> None:
        """The connection tells about itself, the streams about their bytes."""
        info = self.info()
        upstream = info.upstream
        self.assertIs(upstream, info.upstream)
        self.assertEqual((upstream.connectionID, upstream.localAddress), (7, "here"))
        self.assertEqual((upstream.clusterName, upstream.bytesReceived), ("origin", 4))
        self.assertEqual((info.upstreamWireBytesSent, info.wireBytesSent), (5, 9))
        self.assertEqual((info.protocol, info.routeName), ("HTTP/2", "route"))

    def test_ids(self) -> None:
        """A request has its own id; the headers of others stay."""
        self.assertIs(self.info().requestHeaders, self.headers)
        self.exchange.value = b"second"
        self.assertEqual(self.info().requestHeaders[b"x-request-id"], b"second")
        self.assertEqual(self.headers[b"x-request-id"], b"first")

    def test_address(self) -> None:
        """The client's address is the connection's, or what the edge has found out."""
        self.assertEqual(self.info().remoteAddress, "peer")
        self.template.remoteAddress = "other"
        self.assertEqual(self.info().remoteAddress, "other")

    def test_everyOperator(self) -> None:
        """The logs that carried requests are tried with have every operator."""
        self.assertEqual(LEFT_OUT - set(BUILT_IN), set())
        self.assertEqual(set(ARGUMENTS) - set(BUILT_IN), set())
