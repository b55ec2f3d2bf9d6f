"""The factory of the SNI dynamic forward proxy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.dynamic_forward_proxy.config import readDNSCache
from twisted_envoy.extensions.filters.network.sni_dynamic_forward_proxy.filter import (
    SNIDynamicForwardProxy,
)
from twisted_envoy.interfaces.network import INetworkFilterFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_PORT = 443


@implementer(INetworkFilterFactory)
class SNIDynamicForwardProxyFactory:
    """Builds the maker of SNIDynamicForwardProxy links."""

    typeURL = "envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig"
    category = "filters.network"
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], SNIDynamicForwardProxy]:
        cache = readDNSCache(config.dns_cache_config, context)
        port = config.port_value or _PORT
        return partial(SNIDynamicForwardProxy, cache, port, config.save_upstream_address)
