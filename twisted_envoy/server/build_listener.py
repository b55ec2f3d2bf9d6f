"""From `config.listener.v3.Listener` to a Listener."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from sys import maxsize
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IAddress

from twisted_envoy.access_log.logger import buildAccessLogs
from twisted_envoy.config.extensions import buildFilter, openFilter
from twisted_envoy.interfaces.network import IListenerFilter
from twisted_envoy.interfaces.sockets import ListenOptions
from twisted_envoy.interfaces.transport_sockets import IDownstreamTransportSocketFactory
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.network.chain_match import FilterChainIndex
from twisted_envoy.network.chain_match_rules import isUnimplemented
from twisted_envoy.network.filter_chain import FilterChain
from twisted_envoy.network.limits import ConnectionLimit
from twisted_envoy.network.listener import Listener, ListenerInfo, ListenerSettings
from twisted_envoy.network.listener_filter_predicate import UnlessDisabled, compilePredicate
from twisted_envoy.network.listener_stats import ListenerStats
from twisted_envoy.server.build_hosts import metadataOf
from twisted_envoy.server.build_listener_address import (
    checkBalance,
    checkInternal,
    checkMPTCP,
    checkUDP,
    listenerAddresses,
    listenOptions,
    mootIfFalse,
)
from twisted_envoy.server.context import FactoryContext
from twisted_envoy.state.addresses import addressText

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.network.chain_tree import FilterChainTree

_BUFFER = 1024 * 1024
_FILTERS_TIMEOUT = 15.0
_ORIGINAL_DST = "envoy.extensions.filters.listener.original_dst.v3.OriginalDst"
_OWN_PIPES = "twisted_envoy.internal.buffer_of_listener"
_SMALLEST_PIPE = 1024
_LARGEST_PIPE = 8192 * 1024


class ListenerBuilder:
    """
    Builds the listeners of one server.

    Args:
        internalAllowed: the bootstrap extension for internal listeners is there.
        globalLimit: of all connections, None when there is none.
        nextID: gives each connection its number.
    """

    def __init__(
        self,
        context: FactoryContext,
        internalAllowed: bool,
        globalLimit: ConnectionLimit | None,
        nextID: Callable[[], int],
    ) -> None:
        self._context = context
        self._internalAllowed = internalAllowed
        self._globalLimit = globalLimit
        self._nextID = nextID

    def build(self, config: View) -> tuple[Listener, tuple[ListenOptions, ...]]:
        """
        Build one listener; nothing is bound yet.

        Returns:
            The listener, and how each of its addresses is bound: nothing when none is to be.

        Raises:
            ConfigError: in Envoy's words.
        """
        name: str = config.name or str(uuid.uuid4())
        internal = config.which("listener_specifier") == "internal_listener"
        _refuseAPI(config, internal)
        addresses = listenerAddresses(config, name)
        text = ",".join(addressText(address) for address in addresses)
        info = ListenerInfo(
            name, metadataOf(config.metadata), config.traffic_direction, config.drain_type
        )
        statPrefix = config.stat_prefix or _statPrefix(addresses[0])
        scope = self._context.stats.scope(f"listener.{statPrefix}.")
        context = self._context.within(scope, info)
        accessLogs = buildAccessLogs(config.access_log, context)
        checkMPTCP(config, addresses, name)
        makers = [_listenerFilter(one, context) for one in config.listener_filters]
        handsOff = not internal and bool(config.use_original_dst)
        if handsOff:
            makers.append(context.extensions.factory(_ORIGINAL_DST).build(None, context))
        checkUDP(config, text)
        chains = _chains(config, text, context)
        checkInternal(config, name, self._internalAllowed)
        options = listenOptions(config)
        checkBalance(config)
        timeout = config.listener_filters_timeout
        limit = config.per_connection_buffer_limit_bytes
        settings = ListenerSettings(
            info=info,
            addresses=addresses,
            isInternal=internal,
            statPrefix=statPrefix,
            chains=chains,
            filterMakers=tuple(makers),
            filtersTimeout=_FILTERS_TIMEOUT if timeout is None else timeout,
            continueOnTimeout=config.continue_on_listener_filters_timeout,
            bufferLimit=_BUFFER if limit is None else limit or maxsize,  # 0 is no limit
            pipeSize=self._pipeSize(limit) if internal else None,
            accessLogs=accessLogs,
            limit=self._limit(name),
            globalLimit=self._globalOf(config, internal),
            handsOff=handsOff,
        )
        listener = Listener(settings, config, ListenerStats(scope), context.reactor, self._nextID)
        return listener, options

    def _limit(self, name: str) -> ConnectionLimit:
        key = f"envoy.resource_limits.listener.{name}.connection_limit"
        limit = ConnectionLimit()
        self._context.runtime.follow(key, limit.change)
        return limit

    def _pipeSize(self, limit: int | None) -> int | None:
        """What an internal listener's own limit makes of its pipes, where the switch says so."""
        if not self._context.runtime.boolean(_OWN_PIPES, False) or limit is None:
            return None
        return min(max(limit, _SMALLEST_PIPE), _LARGEST_PIPE)

    def _globalOf(self, config: View, internal: bool) -> ConnectionLimit | None:
        """Internal connections count for the runtime's limit, but not for the monitor's."""
        ignored = (config.ignore_global_conn_limit, config.bypass_overload_manager)
        limit = self._globalLimit
        if any(ignored) or (internal and limit is not None and limit.refusals is not None):
            return None
        return limit


def _listenerFilter(config: View, context: FactoryContext) -> Callable[[], IListenerFilter]:
    maker: Any = context.build(config, "filters.listener")
    disabled = config.filter_disabled
    if disabled is None:
        return maker  # type: ignore[no-any-return]
    predicate = compilePredicate(disabled)
    return lambda: UnlessDisabled(maker(), predicate)


def _refuseAPI(config: View, internal: bool) -> None:
    if config.api_listener is None:
        return
    named = f"error adding listener named '{config.name}': "
    if internal:
        raise config.error(f"{named}api_listener and internal_listener cannot be both set")
    raise config.error(f"{named}missing the API listener extension", "api_listener")


def _statPrefix(address: IAddress) -> str:
    if isinstance(address, InternalAddress):
        return f"envoy_internal_{address.name}"
    return addressText(address).replace(":", "_")


def _chains(
    config: View, text: str, context: FactoryContext
) -> FilterChainIndex[FilterChain] | FilterChainTree:
    default = config.default_filter_chain
    where = f"error adding listener '{text}': "
    if default is not None:
        default.moot("filter_chain_match", "the default chain has what no other chain wants")
    if not config.filter_chains and default is None:
        raise config.error(f"{where}no filter chains specified")
    if config.filter_chain_matcher is not None:
        return _chainTree(config, where, context)
    chains = (_chain(chain, where, context) for chain in config.filter_chains)
    fallback = None if default is None else _chain(default, where, context, True)
    return FilterChainIndex(chains, fallback, where, config)


def _chainTree(config: View, where: str, context: FactoryContext) -> FilterChainTree:
    from twisted_envoy.network.chain_tree import FilterChainTree, buildChainMatcher, chainsByName

    match = buildChainMatcher(config.filter_chain_matcher, context)
    views = config.filter_chains
    named = chainsByName(((view, _chain(view, where, context)) for view in views), where)
    default = config.default_filter_chain
    return FilterChainTree(
        match, named, None if default is None else _chain(default, where, context, True)
    )


def _chain(
    config: View, where: str, context: FactoryContext, isDefault: bool = False
) -> FilterChain:
    match = config.filter_chain_match
    if not isDefault and isUnimplemented(match):
        raise match.error(f"{where}filter chain '{config.name}' contains unimplemented fields")
    wrap = None
    timeout = 0.0
    if config.transport_socket is not None:
        wrap = _transportSocket(config.transport_socket, context).wrapper()
    if wrap is not None:
        timeout = config.transport_socket_connect_timeout or 0.0
    elif config.has("transport_socket_connect_timeout"):
        config.moot("transport_socket_connect_timeout", "there is no handshake to wait for")
    mootIfFalse(config, "use_proxy_proto")
    metadata = metadataOf(config.metadata)
    makers = tuple(_filters(config.filters, context))
    return FilterChain(config.name, match, makers, wrap, timeout, metadata)


def _transportSocket(config: View, context: FactoryContext) -> Any:
    made = context.build(config, "transport_sockets")
    if not IDownstreamTransportSocketFactory.providedBy(made):
        kind = config.typed_config.typeName
        raise config.error(
            f"Didn't find a registered implementation for '{config.name}' with type URL: '{kind}'"
        )
    return made


def _filters(configs: tuple[View, ...], context: FactoryContext) -> list[Callable[[], Any]]:
    makers: list[Callable[[], Any]] = []
    last = len(configs) - 1
    for index, config in enumerate(configs):
        factory, inner = openFilter(config, context, "network", index == last)
        makers.append(buildFilter(factory, inner, context, config))
    return makers
