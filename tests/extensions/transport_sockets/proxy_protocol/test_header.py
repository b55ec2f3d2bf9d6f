"""What headers say, as observed on Envoy 1.40."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.test_proxy_protocol_reader import FOUR
from twisted_envoy.codec.proxy_protocol import LOCAL_HEADER
from twisted_envoy.codec.proxy_protocol_reader import readHeader
from twisted_envoy.extensions.transport_sockets.proxy_protocol.header import (
    HeaderSettings,
    headerOf,
)
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.state.addresses import addressText
from twisted_envoy.state.proxy_protocol import ProxyProtocolState
from twisted_envoy.stats.metrics import Counter

OWN = (IPv4Address("TCP", "127.0.0.1", 5), IPv4Address("TCP", "127.0.0.2", 6))
TLVS = ((2, b"host"), (3, b"sum"), (2, b"more"))


class HeaderOfTests(SynchronousTestCase):
    """Of one connection to a host."""

    def setUp(self) -> None:
        self.exceeded = Counter("exceeded")
        self.transport = SimpleNamespace(getHost=lambda: OWN[0], getPeer=lambda: OWN[1])

    def header(self, told: ProxyProtocolState | None, own: Any = (), **fields: Any) -> bytes:
        """The header for a host with TLVs of its own."""
        given = {"version": "V2", "passes": lambda kind: True, "added": (), **fields}
        settings = HeaderSettings(exceeded=self.exceeded, seconds=lambda: 1.0, **given)
        host: Any = SimpleNamespace(addedTLVs=own, address=OWN[1], hostname="")
        return headerOf(settings, host, told, self.transport)

    def tlvs(self, *args: Any, **fields: Any) -> list[tuple[int, bytes]]:
        """Those of a header of version 2."""
        found = readHeader(self.header(*args, **fields), 2)
        assert found is not None
        return list(found.tlvs)

    def test_text(self) -> None:
        """Who is behind it, or the connection's own addresses."""
        told = ProxyProtocolState(*FOUR, TLVS)
        self.assertEqual(
            self.header(told, version="V1"), b"PROXY TCP4 1.2.3.4 10.0.0.1 1111 80\r\n"
        )
        self.assertEqual(self.header(None, version="V1"), b"PROXY TCP4 127.0.0.1 127.0.0.2 5 6\r\n")

    def test_nobody(self) -> None:
        """LOCAL."""
        self.assertEqual(self.header(None), LOCAL_HEADER)
        self.assertEqual(self.exceeded.value, 0)

    def test_noAddresses(self) -> None:
        """Behind a hop without any: version 1 says so, version 2 is left out and counted."""
        told = ProxyProtocolState(InternalAddress("hop"), FOUR[1])
        self.assertEqual(self.header(told, version="V1"), b"PROXY UNKNOWN\r\n")
        self.assertEqual(self.exceeded.value, 0)
        self.assertEqual(self.header(told), b"")
        self.assertEqual(self.exceeded.value, 1)

    def test_passedOn(self) -> None:
        """Those that may."""
        told = ProxyProtocolState(*FOUR, TLVS)
        self.assertEqual(self.tlvs(told), list(TLVS))
        self.assertEqual(self.tlvs(told, passes={3}.__contains__), [TLVS[1]])

    def test_order(self) -> None:
        """The host's, the config's of other types, those passed on of other types."""
        told = ProxyProtocolState(*FOUR, TLVS)
        added = ((0xF0, b"config"), (2, b"config"), (0xF1, b"config"))
        own = ((0xF1, b"host"), (0xF1, b"again"))
        self.assertEqual(self.tlvs(told, own, added=added), [*own, *added[:2], TLVS[1]])

    def test_formatted(self) -> None:
        """Formats see the upstream connection."""

        def format(context: Any) -> str:
            info = context.streamInfo
            ends = (info.localAddress, info.remoteAddress, info.upstream.host.address)
            return " ".join(map(addressText, ends))

        told = ProxyProtocolState(*FOUR)
        self.assertEqual(
            self.tlvs(told, added=((1, format),)), [(1, b"127.0.0.1:5 127.0.0.2:6 127.0.0.2:6")]
        )

    def test_tooLong(self) -> None:
        """What has no room is left out, and counted."""
        told = ProxyProtocolState(*FOUR, ((9, b"x" * 65530), *TLVS))
        self.assertEqual(self.tlvs(told), list(TLVS))
        self.assertEqual(self.exceeded.value, 1)
