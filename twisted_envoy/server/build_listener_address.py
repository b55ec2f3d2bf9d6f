"""
Where a listener listens, and how its sockets are made.

The checks stand in functions of their own because Envoy makes them at different times: addresses
first, what an internal listener may not have last.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from twisted_envoy.errors import UnsupportedField
from twisted_envoy.interfaces.sockets import ListenOptions
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.server.build_address import buildAddress, isUDP
from twisted_envoy.server.build_options import (
    BOUND,
    LISTENING,
    keepaliveOptions,
    socketOptions,
)
from twisted_envoy.state.addresses import addressText

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_TCP_FASTOPEN = 23


def listenerAddresses(config: View, name: str) -> tuple[IAddress, ...]:
    """
    Every address of a listener, its own first.

    Raises:
        ConfigError: none, malformed, or of different kinds of sockets.
    """
    if config.which("listener_specifier") == "internal_listener":
        config.internal_listener  # noqa: B018  there is nothing in it
        return (InternalAddress(config.name),)
    given = config.address
    if given is None:
        raise config.error(f"error adding listener named '{name}': address is necessary")
    found = [_listenAddress(given)]
    for additional in config.additional_addresses:
        if additional.address is None:
            raise additional.error(f"error adding listener named '{name}': address is necessary")
        if isUDP(additional.address) != isUDP(given):
            raise additional.error(
                f"listener {name}: has different socket type. The listener only support same "
                "socket type for all the addresses.",
                "address",
            )
        found.append(_listenAddress(additional.address))
    return tuple(found)


def _listenAddress(config: View) -> IAddress:
    address = buildAddress(config)
    if config.which("address") == "socket_address":
        if config.socket_address.ipv4_compat and not _mayBeCompatible(address):
            raise config.socket_address.error(
                "Only IPv6 address '::' or valid IPv4-mapped IPv6 address can set ipv4_compat: "
                f"{addressText(address)}",
                "ipv4_compat",
            )
    return address


def _mayBeCompatible(address: IAddress) -> bool:
    if not isinstance(address, IPv6Address):
        return False
    return address.host == "::" or address.host.startswith("::ffff:")


def checkMPTCP(config: View, addresses: tuple[IAddress, ...], name: str) -> None:
    """
    Multipath TCP is for IP addresses.

    Raises:
        ConfigError: it is asked for elsewhere.
    """
    areIP = all(isinstance(one, (IPv4Address, IPv6Address)) for one in addresses)
    mootIfFalse(config, "enable_mptcp")
    if not areIP and _isTrue(config, "enable_mptcp"):
        raise config.error(
            f"listener {name}: enable_mptcp can only be used with IP addresses", "enable_mptcp"
        )


def mootIfFalse(config: View, field: str) -> None:
    """Let pass a false of a field whose true is not implemented."""
    if config.has(field) and not _isTrue(config, field):
        config.moot(field, "false is the default")


def _isTrue(config: View, field: str) -> bool:
    """A bool or BoolValue, without marking it as read."""
    value: Any = getattr(config.message, field)
    return bool(getattr(value, "value", value))


def checkUDP(config: View, text: str) -> None:
    """
    A UDP listener has no filter chains, and is not implemented.

    Raises:
        ConfigError: in Envoy's words, if it has chains.
        UnsupportedField: otherwise.
    """
    given = config.address
    isInternal = config.which("listener_specifier") == "internal_listener"
    if isInternal or given is None or not isUDP(given):
        config.moot("udp_listener_config", "Envoy ignores it on a TCP listener")
        return
    count = len(config.filter_chains)
    message: Any = config.message
    quic = message.udp_listener_config.HasField("quic_options")
    if count and not quic:
        raise given.error(
            f"error adding listener '{text}': {count} filter chain(s) specified for "
            "connection-less UDP listener."
        )
    raise UnsupportedField(
        given.path,
        f"{'QUIC' if quic else 'UDP'} is not implemented by twisted_envoy",
        given.position("socket_address"),
    )


_EXTENSION = (
    "bootstrap_extensions: [{name: envoy.bootstrap.internal_listener, typed_config: {'@type': "
    "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener}}]"
)
"""What to write."""


def checkInternal(config: View, name: str, allowed: bool) -> None:
    """
    Refuse what an internal listener may not have, and what only one may.

    Args:
        allowed: the bootstrap extension for internal listeners is there.
    Raises:
        ConfigError: in Envoy's words.
    """
    named = f"error adding listener named '{name}': "
    if config.which("listener_specifier") != "internal_listener":
        for holder in (config, *config.additional_addresses):
            if holder.address is not None:
                if holder.address.which("address") == "envoy_internal_address":
                    raise holder.error(
                        f"{named}use internal_listener field instead of address for internal "
                        "listeners",
                        "address",
                    )
        return
    for field in ("address", "additional_addresses"):
        if config.has(field):
            raise config.error(
                f"error adding listener '{name}': address should not be used when an internal "
                "listener config is provided",
                field,
            )
    _refuseSocketFeatures(config, named)
    if config.socket_options:
        raise config.error(f"{named}does not support socket option", "socket_options")
    if not allowed:
        text = f"{named}InternalListener bootstrap extension is mandatory ({_EXTENSION})"
        raise config.error(text)
    if not config.name:
        config.warn("an internal listener without a name cannot be connected to")
    for field in (
        "use_original_dst",
        "bind_to_port",
        "reuse_port",
        "tcp_keepalive",
        "max_connections_to_accept_per_socket_event",
    ):
        config.moot(field, "Envoy ignores it on an internal listener")


def _refuseSocketFeatures(config: View, named: str) -> None:
    present = (
        "enable_reuse_port",
        "tcp_fast_open_queue_length",
        "tcp_backlog_size",
    )
    offending = [field for field in present if config.has(field)]
    balance = config.connection_balance_config
    if balance is not None and balance.which("balance_type") == "exact_balance":
        offending.append("connection_balance_config")
    offending += [field for field in ("freebind", "transparent") if getattr(config, field)]
    if offending:
        raise config.error(f"{named}has unsupported tcp listener feature", offending[0])


def listenOptions(config: View) -> tuple[ListenOptions, ...]:
    """
    How each address's socket is made.

    Returns:
        One per address; none at all when the listener is not to be bound.
    """
    if config.which("listener_specifier") == "internal_listener":
        return (ListenOptions(),)
    holders = (config, *config.additional_addresses) if _isBound(config) else ()
    return tuple(_optionsOf(config, holder) for holder in holders)


def _optionsOf(config: View, holder: View) -> ListenOptions:
    """Of one address; what an additional address does not say is as for the listener."""
    given = config.socket_options
    keepalive = config.tcp_keepalive
    if holder is not config:
        if holder.socket_options is not None:
            given = holder.socket_options.socket_options
        keepalive = holder.tcp_keepalive or keepalive
    options = socketOptions(given)
    if keepalive is not None:
        options += keepaliveOptions(keepalive)
    queue = config.tcp_fast_open_queue_length
    if queue is not None:
        options.append((socket.IPPROTO_TCP, _TCP_FASTOPEN, queue))
    config.moot("reuse_port", "Envoy reads enable_reuse_port only")
    backlog = config.tcp_backlog_size
    batch = config.max_connections_to_accept_per_socket_event
    address: Any = holder.address
    kind = address.which("address")
    return ListenOptions(
        backlog=_systemBacklog() if backlog is None else backlog,
        reusePort=config.enable_reuse_port is not False,
        freebind=bool(config.freebind),
        transparent=bool(config.transparent),
        ipv4Compat=kind == "socket_address" and bool(address.socket_address.ipv4_compat),
        pipeMode=address.pipe.mode if kind == "pipe" else 0,
        acceptBatch=64 if batch is None else batch,
        options=tuple(options),
        boundOptions=tuple(socketOptions(given, BOUND)),
        listeningOptions=tuple(socketOptions(given, LISTENING)),
    )


def checkBalance(config: View) -> None:
    """
    Sharing a port, workers get connections in turn (server/workers/balance).

    Raises:
        ConfigError: an extension; Envoy has none.
    """
    balance = config.connection_balance_config
    if balance is None:
        return
    balance.moot("exact_balance", "the kernel shares connections evenly among workers")
    extension = balance.extend_balance
    if extension is not None:
        kind = "" if extension.typed_config is None else extension.typed_config.typeName
        raise extension.error(f"Didn't find a registered implementation for type: '{kind}'")


def _isBound(config: View) -> bool:
    old = config.deprecated_v1
    return config.bind_to_port is not False and (old is None or old.bind_to_port is not False)


def _systemBacklog() -> int:
    """As Envoy: what the system allows."""
    try:
        with open("/proc/sys/net/core/somaxconn", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return socket.SOMAXCONN
