"""
What `typed_dns_resolver_config` asks for.

Envoy: extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.interfaces.upstream import IHostResolver

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_PACKAGE = "envoy.extensions.network.dns_resolver."
_CARES = f"{_PACKAGE}cares.v3.CaresDnsResolverConfig"
_GETADDRINFO = f"{_PACKAGE}getaddrinfo.v3.GetAddrInfoDnsResolverConfig"
_PORT = 53


def readResolver(holder: View | None, context: Any) -> IHostResolver:
    """
    The resolver: servers that are named, or the system's; what cannot be obeyed stays unread.

    Args:
        holder: a TypedExtensionConfig, None for the system's.
    """
    system: IHostResolver = context.resolver
    if holder is None or holder.typed_config is None:
        return system
    kind = holder.typed_config.typeName
    if kind not in (_CARES, _GETADDRINFO):
        return system
    holder.moot("name", "only the type counts")
    config = holder.typed_config.open()
    servers = [] if kind == _GETADDRINFO else [_server(one) for one in config.resolvers]
    if not servers:
        return system
    from twisted_envoy.upstream.resolve_by_dns import DNSServers  # which takes its time to load

    return DNSServers(servers, context.reactor)


def _server(address: View) -> tuple[str, int]:
    if address.which("address") != "socket_address":
        raise address.error("a DNS server has an IP address")
    where = address.socket_address
    where.moot("protocol", "UDP first, TCP for long answers")
    return where.address, where.port_value or _PORT
