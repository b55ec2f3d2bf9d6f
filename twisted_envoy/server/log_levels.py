"""
Envoy's log levels and loggers, and which of Twisted's log events belongs to which of them.

Follows Envoy's `source/common/common/logger.h`: one level per logger, changed at start by
`--log-level` and `--component-log-level`, and later by the admin page `/logging`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from twisted.logger import LogLevel

LEVELS = ("trace", "debug", "info", "warning", "error", "critical", "off")
"""From the most to the least talkative; a level's index is its weight."""

LOGGERS = tuple(
    """
    a2a admin ai_protocol_manager alternate_protocols_cache aws assert backtrace basic_auth
    cache_filter client config connection conn_handler compression credential_injector decompression
    dns dubbo envoy_bug ext_authz ext_proc rocketmq file filter forward_proxy geolocation grpc
    happy_eyeballs hc health_checker http http2 hystrix init io jwt json_rpc kafka key_value_store
    lua local_rate_limit main matcher mcp misc mongo multi_connection notification oauth2 quic
    quic_stream pool rate_limit_quota rbac rds redis router runtime stats secret sse tap testing
    thrift tracing upstream udp wasm websocket golang stats_sinks dynamic_modules ip_tagging
    """.split()
)
"""Every logger of Envoy 1.40, in the order in which `/logging` lists them."""

_NAMES = frozenset(LOGGERS)
_ALIASES = {"warn": "warning"}

_COMPONENTS: tuple[tuple[str, str], ...] = (
    ("twisted_envoy.server.admin", "admin"),
    ("twisted_envoy.server", "main"),
    ("twisted_envoy.service", "main"),
    ("twisted_envoy.config", "config"),
    ("twisted_envoy.upstream.tcp_pool", "pool"),
    ("twisted_envoy.upstream.http_pool", "pool"),
    ("twisted_envoy.upstream", "upstream"),
    ("twisted_envoy.network.listener", "conn_handler"),
    ("twisted_envoy.network.accept", "conn_handler"),
    ("twisted_envoy.network", "connection"),
    ("twisted_envoy.internal", "io"),
    ("twisted_envoy.sockets", "io"),
    ("twisted_envoy.http", "http"),
    ("twisted_envoy.stats", "stats"),
    ("twisted_envoy.access_log", "file"),
    ("twisted_envoy.extensions.filters", "filter"),
)
"""Namespace of a twisted.logger.Logger -> Envoy's logger; the first that fits counts."""

_CHATTER = ("twisted.", "log_legacy", "stdout")
"""Namespaces whose informational lines Envoy has nothing like: they are shown at debug."""

_WEIGHTS: Mapping[object, int] = {
    LogLevel.debug: 1,
    LogLevel.info: 2,
    LogLevel.warn: 3,
    LogLevel.error: 4,
    LogLevel.critical: 5,
}


class LogControlError(ValueError):
    """A logger or level that does not exist."""


def levelWeight(name: str) -> int:
    """
    The weight of a level.

    Args:
        name: one of LEVELS, or `warn`.
    Raises:
        LogControlError: no such level.
    """
    try:
        return LEVELS.index(_ALIASES.get(name, name))
    except ValueError:
        raise LogControlError(f"invalid log level specified '{name}'") from None


def componentOf(event: Mapping[str, object]) -> str:
    """
    Envoy's logger for an event.

    Its `component` key; or its namespace, if that is a logger's name or leads to one; or `misc`.
    """
    component = event.get("component")
    if isinstance(component, str):
        return component
    namespace = str(event.get("log_namespace", ""))
    if namespace in _NAMES:
        return namespace
    for prefix, name in _COMPONENTS:
        if namespace == prefix or namespace.startswith(prefix + "."):
            return name
    return "misc"


def weightOf(event: Mapping[str, object]) -> int:
    """
    The level of an event as an index of LEVELS.

    `trace` is a debug event that carries `log_trace=True`, and an error that carries
    `log_critical=True` is critical. Twisted's own informational lines count as debug.
    """
    weight = _WEIGHTS.get(event.get("log_level"), 2)
    if weight == 1 and event.get("log_trace"):
        return 0
    if weight == 4 and event.get("log_critical"):
        return 5
    if weight == 2 and str(event.get("log_namespace", "")).startswith(_CHATTER):
        return 1
    return weight


class LogControl:
    """
    The current level of every logger.

    Args:
        level: one of LEVELS; all loggers start with it.
    Raises:
        LogControlError: no such level.
    """

    def __init__(self, level: str = "info") -> None:
        self._weights = dict.fromkeys(LOGGERS, levelWeight(level))

    def shows(self, component: str, weight: int) -> bool:
        """Whether a line of that logger and weight is to be printed."""
        return weight >= self._weights.get(component, self._weights["misc"])

    def levelOf(self, component: str) -> str:
        """The name of the logger's current level."""
        return LEVELS[self._weights[component]]

    def setAll(self, level: str) -> None:
        """Give every logger that level. Raises LogControlError for an unknown one."""
        self._weights = dict.fromkeys(LOGGERS, levelWeight(level))

    def setLevels(self, changes: Iterable[tuple[str, str]]) -> None:
        """
        Change several loggers, all or none.

        Args:
            changes: (logger, level) pairs.
        Raises:
            LogControlError: an unknown logger or level; then nothing has changed.
        """
        weights = dict(self._weights)
        for component, level in changes:
            if component not in weights:
                raise LogControlError(f"invalid component specified '{component}'")
            weights[component] = levelWeight(level)
        self._weights = weights


def parseComponentLevels(text: str) -> list[tuple[str, str]]:
    """
    Take `--component-log-level` apart: `upstream:debug,config:trace`.

    Raises:
        LogControlError: a part that is not `name:level`.
    """
    pairs = []
    for part in text.split(","):
        component, colon, level = part.partition(":")
        if not (component and colon and level) or ":" in level:
            raise LogControlError(f"component log level not correctly specified '{part}'")
        pairs.append((component, level))
    return pairs
