"""original_dst in a bootstrap: what came along with an internal hop is restored."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import (
    bootstrap,
    cluster,
    directResponse,
    listener,
    logTo,
    setFilterState,
    tcpProxy,
    typed,
)
from twisted_envoy.testing import MemoryEnvoy

NAME = "envoy.filters.listener.original_dst"
FILTER = typed("dst", "filters.listener.original_dst.v3.OriginalDst")
LINE = "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_DIRECT_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS%"


def hop(*states: dict[str, Any], local: str | None = "10.1.1.1:80") -> str:
    """A TCP listener whose connections go through the internal listener `inner`."""
    upstream = typed(
        "internal",
        "transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
        passthrough_metadata=[{"kind": {"host": {}}, "name": NAME}],
        transport_socket=typed("raw", "transport_sockets.raw_buffer.v3.RawBuffer"),
    )
    clusters = cluster("hop", "internal:inner", transport_socket=upstream)
    endpoint = clusters["load_assignment"]["endpoints"][0]["lb_endpoints"][0]
    if local is not None:
        endpoint["metadata"] = {"filter_metadata": {NAME: {"local": local}}}
    match = {
        "destination_port": 80,
        "prefix_ranges": [{"address_prefix": "10.1.0.0", "prefix_len": 16}],
    }
    inner = listener(
        "inner",
        "internal:",
        listener_filters=[FILTER],
        filter_chains=[{"filter_chain_match": match, "filters": [directResponse("restored")]}],
        default_filter_chain={"filters": [directResponse("plain")]},
        access_log=logTo("/log", LINE),
    )
    return bootstrap(
        [listener("outer", "127.0.0.1:9000", *states, tcpProxy("hop")), inner], [clusters]
    )


class OriginalDstFactoryTests(SynchronousTestCase):
    """A running server."""

    def answer(self, text: str) -> tuple[bytes, str]:
        """What a client gets, and what the internal listener logs."""
        envoy = MemoryEnvoy(text)
        client = envoy.connect("127.0.0.1:9000")
        envoy.settle()
        client.loseConnection()
        envoy.settle()
        (line,) = envoy.lines("/log")
        return client.received, line

    def test_metadata(self) -> None:
        """The host's metadata is the local address, which filter chains match."""
        received, line = self.answer(hop())
        self.assertEqual(received, b"restored")
        self.assertEqual(line, "10.1.1.1:80 envoy://inner/ envoy://internal_client_address/")

    def test_filterState(self) -> None:
        """Shared objects are both addresses where there is no metadata."""
        states = [
            setFilterState(f"{NAME}.{key}_ip", value, "ONCE", factory_key=f"{NAME}.{key}_ip")
            for key, value in (("local", "10.1.2.2:80"), ("remote", "10.9.9.9:5"))
        ]
        received, line = self.answer(hop(*states, local=None))
        self.assertEqual(received, b"restored")
        self.assertEqual(line, "10.1.2.2:80 envoy://inner/ 10.9.9.9:5")

    def test_unreadable(self) -> None:
        """What cannot be read leaves the address of the hop."""
        received, line = self.answer(hop(local="nowhere"))
        self.assertEqual(received, b"plain")
        self.assertTrue(line.startswith("envoy://inner/ envoy://inner/ "), line)
