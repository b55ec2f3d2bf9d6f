"""The transport socket in a bootstrap."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import typed
from tests.codec.test_proxy_protocol_reader import BODY4, binary, tlv
from tests.extensions.transport_sockets.proxy_protocol.support import ORIGIN, proxied, sending
from tests.server.refusing import RefusalTestCase
from twisted_envoy.codec.proxy_protocol_reader import ProxyHeader, readHeader
from twisted_envoy.testing import MemoryEnvoy

STAT = "cluster.origin.upstream.proxyprotocol.v2_tlvs_exceed_max_length"
TOLD = binary(0x21, 0x11, BODY4 + tlv(2, b"host") + tlv(0xEA, b"id"))


class UpstreamProxyProtocolFactoryTests(RefusalTestCase):
    """What an origin hears."""

    def heard(self, config: dict[str, Any] | None, data: bytes = TOLD, **fields: Any) -> bytes:
        """Of a client that tells something."""
        socket = sending() if config is None else sending(config=config)
        self.envoy = MemoryEnvoy(proxied(socket, **fields))
        origin = self.envoy.listen(ORIGIN)
        client = self.envoy.connect("told")
        client.write(data)
        self.envoy.settle()
        received: bytes = origin.connections[0].received
        return received

    def header(self, config: dict[str, Any], **fields: Any) -> ProxyHeader:
        """A header of version 2."""
        found = readHeader(self.heard({"version": "V2", **config}, **fields), 2)
        assert found is not None
        return found

    def test_default(self) -> None:
        """Version 1; at once, not with the first bytes."""
        self.assertEqual(self.heard(None), b"PROXY TCP4 1.2.3.4 10.0.0.1 1111 80\r\n")
        self.assertEqual(
            self.envoy.stats(r"upstream_cx_total"), {"cluster.origin.upstream_cx_total": 1}
        )

    def test_passThrough(self) -> None:
        """All TLVs, some, or none."""
        for config, expected in (
            ({}, ()),
            ({"pass_through_tlvs": {}}, ((2, b"host"), (0xEA, b"id"))),
            ({"pass_through_tlvs": {"match_type": "INCLUDE", "tlv_type": [2]}}, ((2, b"host"),)),
        ):
            self.assertEqual(self.header(config).tlvs, expected)
        self.assertEqual(self.envoy.stat(STAT), 0)

    def test_ofTheHost(self) -> None:
        """TLVs in the host's metadata come first."""
        url = "type.googleapis.com/envoy.config.core.v3.PerHostConfig"
        own = {"@type": url, "added_tlvs": [{"type": 0xF1, "value": "aG9zdA=="}]}
        metadata = {"typed_filter_metadata": {"envoy.transport_sockets.proxy_protocol": own}}
        address = {"socket_address": {"address": "127.0.0.1", "port_value": 10000}}
        endpoint = {"endpoint": {"address": address}, "metadata": metadata}
        assignment = {"cluster_name": "origin", "endpoints": [{"lb_endpoints": [endpoint]}]}
        found = self.header(
            {"added_tlvs": [{"type": 0xF0, "value": "aGk="}, {"type": 0xF1, "value": "aGk="}]},
            load_assignment=assignment,
        )
        self.assertEqual(found.tlvs, ((0xF1, b"host"), (0xF0, b"hi")))

    def test_refused(self) -> None:
        """What Envoy refuses."""
        self.assertRefused(
            proxied(sending(config={"version": "V2", "added_tlvs": [{"type": 1}]})),
            "Invalid TLV configuration: one of 'value' or 'format_string' must be set.",
        )

    def test_notForUpstream(self) -> None:
        """The nested socket is one for upstreams."""
        nested = typed(
            "down", "transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context={}
        )
        self.refused(proxied(sending(nested)))
