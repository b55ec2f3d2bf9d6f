"""A proxy whose upstream connections begin with headers."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import bootstrap, cluster, listener, tcpProxy, typed
from tests.extensions.filters.listener.proxy_protocol.test_config import proxyProtocol

RAW = typed("raw", "transport_sockets.raw_buffer.v3.RawBuffer")
ORIGIN = "127.0.0.1:10000"


def sending(inner: dict[str, Any] = RAW, **fields: Any) -> dict[str, Any]:
    """The transport socket; `config` as its proto has it."""
    kind = "transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport"
    return typed("pp", kind, transport_socket=inner, **fields)


def proxied(socket: dict[str, Any], *filters: dict[str, Any], **fields: Any) -> str:
    """
    `told` on 9000 believes what its clients tell it, `own` on 9001 has nobody to tell it; both
    proxy to the cluster `origin`, or have other filters.
    """
    filters = filters or (tcpProxy(),)
    believing = [proxyProtocol(pass_through_tlvs={})]
    return bootstrap(
        [
            listener("told", "127.0.0.1:9000", *filters, listener_filters=believing),
            listener("own", "127.0.0.1:9001", *filters),
        ],
        [cluster("origin", ORIGIN, transport_socket=socket, **fields)],
    )
