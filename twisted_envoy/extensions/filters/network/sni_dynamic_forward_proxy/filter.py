"""
Looks up where a TLS client wants to go before the connection goes on.

    no server name, no filter state that says it     it goes on
    the address is known, or cannot be found out     it goes on
    it is being looked up                            it waits
    too many names, or connections that wait         it is closed

Envoy: extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.python.failure import Failure

from twisted_envoy.extensions.common.dynamic_forward_proxy.cache import CacheFull, DNSCache
from twisted_envoy.extensions.common.dynamic_forward_proxy.host import CachedHost
from twisted_envoy.extensions.common.dynamic_forward_proxy.names import (
    DYNAMIC_PORT,
    HostPort,
    dynamicHost,
    dynamicPort,
    saveAddress,
)
from twisted_envoy.extensions.common.filter_state.objects import NumberObject
from twisted_envoy.network.link import Link


class SNIDynamicForwardProxy(Link):
    """
    One connection's; not on the path of its bytes.

    Args:
        port: where filter state says none.
        saves: the address is left in filter state.
    """

    __slots__ = ("_cache", "_cancel", "_port", "_saves")

    def __init__(self, cache: DNSCache, port: int, saves: bool) -> None:
        self._cache = cache
        self._port = port
        self._saves = saves
        self._cancel: Callable[[], None] | None = None

    def connectionMade(self) -> None:
        info = self.chain.streamInfo
        name = dynamicHost(info) or info.requestedServerName
        if not name:
            return
        cache = self._cache
        if not cache.mayAsk():
            self.abortConnection()
            return
        port = dynamicPort(info, self._port)
        info.filterState.set(DYNAMIC_PORT, NumberObject(port, typedAsText=False))
        try:
            host = cache.ask(HostPort(name, port))
        except CacheFull:
            self.abortConnection()
            return
        if host.isResolved:
            self._found(host)
            return
        cache.pending.take()
        self.hold()
        self._cancel = host.whenResolved(lambda: self._resolved(host))

    def connectionLost(self, reason: Failure) -> None:
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()
            self._cache.pending.give()

    def _resolved(self, host: CachedHost) -> None:
        self._cancel = None
        self._cache.pending.give()
        self._found(host)
        self.release()

    def _found(self, host: CachedHost) -> None:
        if self._saves and host.address is not None:
            saveAddress(self.chain.streamInfo, host.address)
