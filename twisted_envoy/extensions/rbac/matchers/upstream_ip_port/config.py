"""
The factory of upstream_ip_port.

Envoy: extensions.rbac.matchers.upstream_ip_port.v3.UpstreamIpPortMatcher
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zope.interface import implementer

from twisted_envoy.extensions.common.dynamic_forward_proxy.names import UPSTREAM_ADDRESS
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.cidr import CIDR, ipKey, parseCIDR
from twisted_envoy.state.addresses import portOf
from twisted_envoy.state.stream_info import StreamInfo

_NOTHING = (
    "Invalid UpstreamIpPortMatcher configuration - missing `upstream_ip` and/or "
    "`upstream_port_range`"
)


@implementer(IExtensionFactory)
class UpstreamIpPortMatcherFactory:
    """Builds the question whether an upstream address is in a range, and its port in another."""

    typeURL = "envoy.extensions.rbac.matchers.upstream_ip_port.v3.UpstreamIpPortMatcher"
    category = "rbac.matchers"

    def build(self, config: Any, context: Any) -> Callable[[StreamInfo], bool]:
        """
        Read an UpstreamIpPortMatcher; without an address in filter state it matches nothing.

        Raises:
            ConfigError: neither range is there, or the prefix is no address.
        """
        prefix, ports = config.upstream_ip, config.upstream_port_range
        if prefix is None and ports is None:
            raise config.error(_NOTHING)
        cidr = None if prefix is None else _readCIDR(prefix)
        first, last = (0, 65535) if ports is None else (ports.start, ports.end)

        def matches(info: StreamInfo) -> bool:
            found = getattr(info.filterState.get(UPSTREAM_ADDRESS), "address", None)
            key = ipKey(found)
            if key is None or not (cidr is None or cidr.contains(key)):
                return False
            port = portOf(found)
            return port is not None and first <= port <= last

        return matches


def _readCIDR(view: Any) -> CIDR:
    try:
        return parseCIDR(view.address_prefix, view.prefix_len)
    except ValueError as error:
        raise view.error(str(error), "address_prefix") from None
