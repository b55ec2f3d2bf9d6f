"""The PROXY protocol in a bootstrap: on sockets and behind a hop, and what chains match."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import (
    bootstrap,
    cluster,
    directResponse,
    echo,
    listener,
    logTo,
    tcpProxy,
    typed,
)
from tests.codec.test_proxy_protocol_reader import BODY4, binary, tlv
from twisted_envoy.errors import ConfigError
from twisted_envoy.testing import MemoryEnvoy

LINE = b"PROXY TCP4 1.2.3.4 10.0.0.1 1111 80\r\n"
LOG = (
    "%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% "
    "%DYNAMIC_METADATA(envoy.filters.listener.proxy_protocol)% "
    "%FILTER_STATE(envoy.network.proxy_protocol.tlv:FIELD:k)%"
)


def proxyProtocol(**fields: Any) -> dict[str, Any]:
    """The filter."""
    kind = "filters.listener.proxy_protocol.v3.ProxyProtocol"
    return typed("envoy.filters.listener.proxy_protocol", kind, **fields)


def serving(filters: list[dict[str, Any]] | None = None, **fields: Any) -> MemoryEnvoy:
    """`in` on 127.0.0.1:9000; `inner` is the same behind the hop `outer`, on port 9001."""
    given = {
        "listener_filters": [proxyProtocol(**fields)],
        "access_log": logTo("/log", LOG),
    }
    chains = [
        {
            "filter_chain_match": {
                "destination_port": 80,
                "prefix_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}],
                "source_prefix_ranges": [{"address_prefix": "1.2.3.0", "prefix_len": 24}],
            },
            "filters": filters or [echo()],
        }
    ]
    rest = {"filters": [directResponse("other")]}
    return MemoryEnvoy(
        bootstrap(
            [
                listener(
                    "in", "127.0.0.1:9000", filter_chains=chains, default_filter_chain=rest, **given
                ),
                listener("outer", "127.0.0.1:9001", tcpProxy("inner")),
                listener(
                    "inner", "internal:", filter_chains=chains, default_filter_chain=rest, **given
                ),
            ],
            [cluster("inner", "internal:inner")],
        )
    )


class ProxyProtocolFactoryTests(SynchronousTestCase):
    """A running server."""

    def said(self, envoy: MemoryEnvoy, data: bytes, port: int = 9000) -> bytes:
        """What comes back, before the connection is closed."""
        client = envoy.connect(f"127.0.0.1:{port}")
        for at in range(len(data)):
            client.write(data[at : at + 1])
            envoy.settle()
        client.loseConnection()
        envoy.settle()
        return client.received

    def test_chains(self) -> None:
        """Chains match the addresses of the header, on a socket and behind a hop, byte by byte."""
        envoy = serving()
        for port in (9000, 9001):
            self.assertEqual(self.said(envoy, LINE + b"hi", port), b"hi")
        self.assertEqual(envoy.lines("/log"), ["1.2.3.4:1111 10.0.0.1:80 - -"] * 2)
        self.assertEqual(self.said(envoy, LINE.replace(b"1.2.3.4", b"1.2.4.4")), b"other")
        self.assertEqual(envoy.stat("proxy_proto.versions.v1.found"), 3)

    def test_rules(self) -> None:
        """Extensions in metadata, or in filter state."""
        rules = [{"tlv_type": 2, "on_tlv_present": {"key": "k"}}, {"tlv_type": 9}]
        data = binary(0x21, 0x11, BODY4 + tlv(2, b"host"))
        for location, expected in (
            ("DYNAMIC_METADATA", '{"k":"host"} -'),
            ("FILTER_STATE", "- host"),
        ):
            envoy = serving(rules=rules, tlv_location=location)
            self.said(envoy, data)
            self.assertEqual(envoy.lines("/log"), [f"1.2.3.4:1111 10.0.0.1:80 {expected}"])

    def test_prefix(self) -> None:
        """Stats with a name of the filter's own."""
        envoy = serving(stat_prefix="mine")
        self.said(envoy, b"no header at all")
        self.assertEqual(envoy.stat("proxy_proto.mine.not_found_disallowed"), 1)
        self.assertEqual(envoy.stat("downstream_cx_proxy_proto_error"), 1)

    def test_noVersions(self) -> None:
        """In Envoy's words."""
        problem = self.assertRaises(ConfigError, serving, disallowed_versions=["V1", "V2"])
        self.assertIn(
            "Proxy Protocol filter is misconfigured: all proxy protocol versions are disallowed.",
            str(problem),
        )
