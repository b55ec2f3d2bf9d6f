"""From `config.listener.v3.Listener` to a Listener."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IAddress

from twisted_envoy.access_log.logger import buildAccessLogs
from twisted_envoy.errors import UnsupportedField
from twisted_envoy.interfaces.network import IListenerFilter
from twisted_envoy.interfaces.sockets import ListenOptions
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.network.chain_match import FilterChainIndex
from twisted_envoy.network.chain_match_rules import isUnimplemented
from twisted_envoy.network.filter_chain import FilterChain
from twisted_envoy.network.limits import ConnectionLimit
from twisted_envoy.network.listener import Listener, ListenerInfo, ListenerSettings
from twisted_envoy.network.listener_stats import ListenerStats
from twisted_envoy.server.build_address import buildAddress
from twisted_envoy.server.build_cluster import metadataOf
from twisted_envoy.server.build_options import keepaliveOptions, socketOptions
from twisted_envoy.server.context import FactoryContext
from twisted_envoy.state.addresses import addressText

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_BUFFER = 1024 * 1024
_FILTERS_TIMEOUT = 15.0
_TCP_FASTOPEN = 23


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

    def build(self, config: View) -> tuple[Listener, ListenOptions]:
        """
        Build one listener; nothing is bound yet.

        Raises:
            ConfigError: in Envoy's words.
        """
        name: str = config.name or str(uuid.uuid4())
        internal = config.which("listener_specifier") == "internal_listener"
        if internal:
            addresses = self._internalAddress(config)
        else:
            addresses = _socketAddresses(config, name)
        text = addressText(addresses[0])
        info = ListenerInfo(name, metadataOf(config.metadata), config.traffic_direction)
        statPrefix = config.stat_prefix or _statPrefix(addresses[0], internal)
        scope = self._context.stats.scope(f"listener.{statPrefix}.")
        context = self._context.within(scope, info)
        options = ListenOptions() if internal else _listenOptions(config)
        chains = _chains(config, text, context)
        makers: list[Callable[[], IListenerFilter]] = []
        for filterConfig in config.listener_filters:
            maker: Any = context.build(filterConfig, "filters.listener")
            makers.append(maker)
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
            bufferLimit=_BUFFER if limit is None else limit,
            accessLogs=buildAccessLogs(config.access_log, context),
            limit=self._limit(name),
            globalLimit=self._globalOf(config),
        )
        config.moot("drain_type", "draining ends no TCP connection")
        listener = Listener(settings, config, ListenerStats(scope), context.reactor, self._nextID)
        return listener, options

    def _limit(self, name: str) -> ConnectionLimit:
        key = f"envoy.resource_limits.listener.{name}.connection_limit"
        return ConnectionLimit(self._context.runtime.integer(key))

    def _globalOf(self, config: View) -> ConnectionLimit | None:
        ignored = config.ignore_global_conn_limit or config.bypass_overload_manager
        return None if ignored else self._globalLimit

    def _internalAddress(self, config: View) -> tuple[IAddress, ...]:
        name: str = config.name
        config.internal_listener  # noqa: B018  there is nothing in it
        if config.has("enable_mptcp") and config.enable_mptcp:
            raise config.error(
                f"listener {name}: enable_mptcp can only be used with IP addresses", "enable_mptcp"
            )
        for field in ("address", "additional_addresses"):
            if config.has(field):
                raise config.error(
                    f"error adding listener '{name}': address should not be used when an internal "
                    "listener config is provided",
                    field,
                )
        if not self._internalAllowed:
            raise config.error(
                f"error adding listener named '{name}': InternalListener bootstrap extension is "
                "mandatory"
            )
        if config.socket_options:
            raise config.error(
                f"error adding listener named '{name}': does not support socket option",
                "socket_options",
            )
        _refuseSocketFeatures(config, name)
        if not name:
            config.warn("an internal listener without a name cannot be connected to")
        for field in ("use_original_dst", "udp_listener_config", "bind_to_port"):
            config.moot(field, "Envoy ignores it on an internal listener")
        config.moot(
            "max_connections_to_accept_per_socket_event", "there is no socket to accept from"
        )
        return (InternalAddress(name),)


def _refuseSocketFeatures(config: View, name: str) -> None:
    present = (
        "enable_reuse_port",
        "reuse_port",
        "tcp_fast_open_queue_length",
        "tcp_backlog_size",
        "connection_balance_config",
    )
    offending = [field for field in present if config.has(field)]
    offending += [field for field in ("freebind", "transparent") if getattr(config, field)]
    if offending:
        raise config.error(
            f"error adding listener named '{name}': has unsupported tcp listener feature",
            offending[0],
        )


def _socketAddresses(config: View, name: str) -> tuple[IAddress, ...]:
    given = config.address
    if given is None:
        raise config.error(f"error adding listener named '{name}': address is necessary")
    if given.which("address") == "envoy_internal_address":
        raise given.error(
            f"error adding listener named '{name}': use internal_listener field instead of address "
            "for internal listeners"
        )
    socketConfig = given.message.socket_address
    if given.which("address") == "socket_address" and socketConfig.protocol == 1:
        where = f"{socketConfig.address}:{socketConfig.port_value}"
        count = len(config.filter_chains)
        if count:
            raise given.error(
                f"error adding listener '{where}': {count} filter chain(s) specified for "
                "connection-less UDP listener."
            )
    found = [buildAddress(given)]
    for additional in config.additional_addresses:
        found.append(buildAddress(additional.address))
    return tuple(found)


def _statPrefix(address: IAddress, internal: bool) -> str:
    if isinstance(address, InternalAddress):
        return f"envoy_internal_{address.name}"
    return addressText(address).replace(":", "_")


def _listenOptions(config: View) -> ListenOptions:
    address: Any = config.message.address  # type: ignore[attr-defined]
    options = list(socketOptions(config.socket_options))
    if config.tcp_keepalive is not None:
        options += keepaliveOptions(config.tcp_keepalive)
    queue = config.tcp_fast_open_queue_length
    if queue is not None:
        options.append((socket.IPPROTO_TCP, _TCP_FASTOPEN, queue))
    reuse = config.enable_reuse_port
    config.moot("reuse_port", "Envoy reads enable_reuse_port only")
    backlog = config.tcp_backlog_size
    batch = config.max_connections_to_accept_per_socket_event
    if config.connection_balance_config is not None:
        _balance(config.connection_balance_config)
    _bindToPort(config)
    ipv4Compat = address.WhichOneof("address") == "socket_address" and (
        config.address.socket_address.ipv4_compat
    )
    mode = config.address.pipe.mode if address.WhichOneof("address") == "pipe" else 0
    return ListenOptions(
        backlog=_systemBacklog() if backlog is None else backlog,
        reusePort=reuse is not False,
        freebind=bool(config.freebind),
        transparent=bool(config.transparent),
        ipv4Compat=bool(ipv4Compat),
        pipeMode=mode,
        acceptBatch=64 if batch is None else batch,
        options=tuple(options),
    )


def _balance(config: View) -> None:
    if config.which("balance_type") == "exact_balance":
        config.moot("exact_balance", "one worker has all connections")


def _bindToPort(config: View) -> None:
    old = config.deprecated_v1
    bind = config.bind_to_port
    unbound = bind is False or (old is not None and old.bind_to_port is False)
    if unbound:
        raise UnsupportedField(
            config.path,
            "a listener that is not bound is not implemented by twisted_envoy",
            config.position("bind_to_port"),
        )


def _systemBacklog() -> int:
    """As Envoy: what the system allows."""
    try:
        with open("/proc/sys/net/core/somaxconn", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return socket.SOMAXCONN


def _chains(config: View, text: str, context: FactoryContext) -> FilterChainIndex[FilterChain]:
    default = config.default_filter_chain
    where = f"error adding listener '{text}': "
    if not config.filter_chains and default is None:
        raise config.error(f"{where}no filter chains specified")
    chains = (_chain(chain, where, context) for chain in config.filter_chains)
    fallback = None if default is None else _chain(default, where, context)
    return FilterChainIndex(chains, fallback, where, config)


def _chain(config: View, where: str, context: FactoryContext) -> FilterChain:
    match = config.filter_chain_match
    if isUnimplemented(match):
        raise match.error(f"{where}filter chain '{config.name}' contains unimplemented fields")
    makers: list[Callable[[], Any]] = []
    if config.transport_socket is not None:
        socketFactory: Any = context.build(config.transport_socket, "transport_sockets")
        maker = socketFactory.linkMaker()
        if maker is not None:
            makers.append(maker)
    elif config.has("transport_socket_connect_timeout"):
        config.moot("transport_socket_connect_timeout", "there is no handshake to wait for")
    config.moot("metadata", "only logs and inputs that are not implemented look at it")
    makers += _filters(config.filters, context)
    return FilterChain(config.name, match, tuple(makers))


def _filters(configs: tuple[View, ...], context: FactoryContext) -> list[Callable[[], Any]]:
    makers: list[Callable[[], Any]] = []
    last = len(configs) - 1
    for index, config in enumerate(configs):
        factory, inner = context.extensions.open(config, "filters.network")
        maker = factory.build(inner, context)
        kind = _filterType(factory.typeURL)
        if factory.terminal and index != last:
            raise config.error(
                f"Error: terminal filter named {config.name} of type {kind} must be the last "
                "filter in a network filter chain."
            )
        if not factory.terminal and index == last:
            raise config.error(
                f"Error: non-terminal filter named {config.name} of type {kind} is the last filter "
                "in a network filter chain."
            )
        makers.append(maker)
    return makers


def _filterType(typeURL: str) -> str:
    """`envoy.filters.network.echo` of `envoy.extensions.filters.network.echo.v3.Echo`."""
    package = typeURL.rpartition(".")[0]
    head, _, version = package.rpartition(".")
    if version.startswith("v"):
        package = head
    return package.replace("envoy.extensions.", "envoy.", 1)
