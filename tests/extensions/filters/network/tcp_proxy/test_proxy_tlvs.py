"""TLVs that a TCP proxy adds, as observed on Envoy 1.40."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import tcpProxy
from tests.codec.test_proxy_protocol_reader import BODY4, binary, tlv
from tests.extensions.transport_sockets.proxy_protocol.support import ORIGIN, proxied, sending
from tests.server.refusing import RefusalTestCase
from twisted_envoy.codec.proxy_protocol_reader import ProxyHeader, readHeader
from twisted_envoy.testing import MemoryEnvoy

TOLD = binary(0x21, 0x11, BODY4 + tlv(2, b"a") + tlv(2, b"b") + tlv(3, b"c"))
FORMAT = {"text_format_source": {"inline_string": "%DOWNSTREAM_LOCAL_ADDRESS%"}}
ADDED = [{"type": 2, "value": "aGk="}, {"type": 9, "format_string": FORMAT}]


class ProxyTLVTests(RefusalTestCase):
    """What an origin hears."""

    def header(self, listener: str, data: bytes = b"", **fields: Any) -> ProxyHeader:
        """Of a client of `told` or `own`."""
        proxy = tcpProxy(proxy_protocol_tlvs=ADDED, **fields)
        socket = sending(config={"version": "V2", "pass_through_tlvs": {}})
        envoy = MemoryEnvoy(proxied(socket, proxy))
        origin = envoy.listen(ORIGIN)
        envoy.connect(listener).write(data)
        envoy.settle()
        found = readHeader(origin.connections[0].received, 2)
        assert found is not None
        return found

    def test_notTold(self) -> None:
        """The config's, with the connection's own addresses."""
        for policy in (
            *("ADD_IF_ABSENT", "OVERWRITE_BY_TYPE_IF_EXISTS_OR_ADD"),
            "APPEND_IF_EXISTS_OR_ADD",
        ):
            found = self.header("own", proxy_protocol_tlv_merge_policy=policy)
            self.assertEqual(found.tlvs, ((2, b"hi"), (9, b"127.0.0.1:9001")))
            self.assertEqual(getattr(found.target, "port", None), 9001)

    def test_told(self) -> None:
        """By the policy."""
        own = ((2, b"a"), (2, b"b"), (3, b"c"))
        added = ((2, b"hi"), (9, b"10.0.0.1:80"))
        for policy, expected in (
            ("ADD_IF_ABSENT", own),
            ("OVERWRITE_BY_TYPE_IF_EXISTS_OR_ADD", (*added, own[2])),
            ("APPEND_IF_EXISTS_OR_ADD", (*own, *added)),
        ):
            found = self.header("told", TOLD, proxy_protocol_tlv_merge_policy=policy)
            self.assertEqual(found.tlvs, expected, policy)
            self.assertEqual(getattr(found.source, "host", None), "1.2.3.4")

    def test_neither(self) -> None:
        """Without a value or a format, in Envoy's words."""
        self.assertRefused(
            proxied(sending(), tcpProxy(proxy_protocol_tlvs=[{"type": 1}])),
            "Invalid TLV configuration: one of 'value' or 'format_string' must be set.",
        )
