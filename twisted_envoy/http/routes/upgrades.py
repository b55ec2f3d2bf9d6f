"""`RouteAction.upgrade_configs`: which upgrades a route allows, and CONNECT termination."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class ConnectSettings(NamedTuple):
    """
    The payload of a CONNECT goes to a TCP connection.

    Attributes:
        allowPost: that of a POST too. proxyProtocolVersion: `V1` or `V2` of the header that the
            connection begins with, None for none.
    """

    allowPost: bool
    proxyProtocolVersion: str | None


class UpgradeSettings(NamedTuple):
    """What a route says of one type of upgrade; connect None: it is not terminated."""

    enabled: bool
    connect: ConnectSettings | None


def buildUpgrades(views: Sequence[Any]) -> dict[str, UpgradeSettings]:
    """
    Read upgrade_configs.

    Returns:
        Lower-case type -> settings.
    Raises:
        ConfigError: a type given twice, a connect_config of something else.
    """
    found: dict[str, UpgradeSettings] = {}
    for view in views:
        kind: str = view.upgrade_type.lower()
        if kind in found:
            raise view.error(f"Duplicate upgrade {view.upgrade_type}", "upgrade_type")
        enabled = view.enabled is not False
        connect = None
        if view.has("connect_config"):
            if kind != "connect":
                raise view.error(
                    f"Non-CONNECT upgrade type {view.upgrade_type} has ConnectConfig",
                    "connect_config",
                )
            connect = _connect(view.connect_config)
        found[kind] = UpgradeSettings(enabled, connect)
    return found


def _connect(view: Any) -> ConnectSettings:
    proxy = view.proxy_protocol_config
    return ConnectSettings(view.allow_post, None if proxy is None else proxy.version)
