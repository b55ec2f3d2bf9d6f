"""Socket options of configs, in the form that setsockopt takes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

Option = tuple[int, int, "int | bytes"]

PREBIND, BOUND, LISTENING = "STATE_PREBIND", "STATE_BOUND", "STATE_LISTENING"


def socketOptions(configs: tuple[View, ...], state: str = PREBIND) -> list[Option]:
    """The `config.core.v3.SocketOption`s that are set in a state; only those for stream sockets."""
    options: list[Option] = []
    for config in configs:
        config.moot("description", "a remark")
        buffer = config.which("value") == "buf_value"
        value = config.buf_value if buffer else config.int_value
        option = (config.level, config.name, value)
        if config.state == state and _forStreams(config.type):
            options.append(option)
    return options


def _forStreams(kind: View | None) -> bool:
    if kind is None:
        return True
    kind.take()
    return kind.has("stream") or not kind.has("datagram")


def keepaliveOptions(config: View) -> list[Option]:
    """`config.core.v3.TcpKeepalive`; unset fields leave the system's defaults."""
    options: list[Option] = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for value, option in (
        (config.keepalive_probes, socket.TCP_KEEPCNT),
        (config.keepalive_time, socket.TCP_KEEPIDLE),
        (config.keepalive_interval, socket.TCP_KEEPINTVL),
    ):
        if value is not None:
            options.append((socket.IPPROTO_TCP, option, value))
    return options
