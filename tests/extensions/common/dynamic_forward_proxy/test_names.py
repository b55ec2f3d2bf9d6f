"""Where a dynamic forward proxy shall go."""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.common.dynamic_forward_proxy.names import (
    DYNAMIC_HOST,
    DYNAMIC_PORT,
    UPSTREAM_ADDRESS,
    HostPort,
    dynamicPort,
    saveAddress,
    splitHost,
    wantedHost,
)
from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.state.filter_state import StringObject
from twisted_envoy.state.stream_info import StreamInfo


class SplitHostTests(SynchronousTestCase):
    """An authority."""

    def test_split(self) -> None:
        """Into name and port; what is no port belongs to the name."""
        for text, expected in (
            ("a.test", ("a.test", 80)),
            ("a.test:8080", ("a.test", 8080)),
            ("10.0.0.1:1", ("10.0.0.1", 1)),
            ("[::1]:443", ("::1", 443)),
            ("[::1]", ("::1", 80)),
            ("::1", ("::1", 80)),
            ("a:b", ("a:b", 80)),
            ("a:0", ("a", 0)),
            ("a:65536", ("a:65536", 80)),
        ):
            self.assertEqual(splitHost(text, 80), expected)

    def test_text(self) -> None:
        """An IPv6 address is in brackets."""
        self.assertEqual(str(HostPort("::1", 1)), "[::1]:1")
        self.assertEqual(str(HostPort("a", 1)), "a:1")


class WantedHostTests(SynchronousTestCase):
    """Of a connection or a request."""

    def test_order(self) -> None:
        """Filter state, then the authority, then the server name."""
        info = StreamInfo(0.0)
        headers = HeaderMap([(b":authority", b"b.test:8080")])
        self.assertIsNone(wantedHost(LoadBalancerContext(streamInfo=info), 80))
        self.assertIsNone(wantedHost(LoadBalancerContext(), 80))
        info.requestedServerName = "c.test"
        self.assertEqual(wantedHost(LoadBalancerContext(streamInfo=info), 443), ("c.test", 443))
        context = LoadBalancerContext(streamInfo=info, headers=headers)
        self.assertEqual(wantedHost(context, 80), ("b.test", 8080))
        info.filterState.set(DYNAMIC_HOST, StringObject("a.test"))
        info.filterState.set(DYNAMIC_PORT, StringObject("99"))
        self.assertEqual(wantedHost(context, 80), ("a.test", 99))

    def test_port(self) -> None:
        """What cannot be one is none."""
        for text in ("0", "65536", "x", ""):
            info = StreamInfo(0.0)
            info.filterState.set(DYNAMIC_PORT, StringObject(text))
            self.assertEqual(dynamicPort(info, 7), 7)

    def test_saved(self) -> None:
        """An address, which prints as nothing."""
        info = StreamInfo(0.0)
        saveAddress(info, IPv4Address("TCP", "1.2.3.4", 5))
        saved = info.filterState.get(UPSTREAM_ADDRESS)
        assert saved is not None
        self.assertEqual((saved.plainText(), saved.typed(), saved.field("ip")), (None,) * 3)
        self.assertIsNone(saved.hashKey())
