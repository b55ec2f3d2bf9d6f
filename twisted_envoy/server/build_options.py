"""Socket options of configs, in the form that setsockopt takes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

Option = tuple[int, int, "int | bytes"]


def socketOptions(configs: tuple[View, ...]) -> list[Option]:
    """
    `config.core.v3.SocketOption`s that are set before bind or connect.

    Raises:
        ConfigError: an option for a later state, which is not implemented.
    """
    options: list[Option] = []
    for config in configs:
        config.moot("description", "a remark")
        if config.state != "STATE_PREBIND":
            raise config.error(f"{config.state} is not implemented by twisted_envoy", "state")
        buffer = config.which("value") == "buf_value"
        options.append(
            (config.level, config.name, config.buf_value if buffer else config.int_value)
        )
    return options


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
