"""Tunnels whose hostname will be `-`: an operator in it has nothing to print there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted_envoy.errors import ConfigError
from twisted_envoy.formatter.parser import Command, FormatError, parse
from twisted_envoy.server.lint.model import TCP_PROXY, ChainFacts, ListenerFacts, Model
from twisted_envoy.server.lint.state import valuesAt

_OF_REQUESTS = frozenset(
    (
        *("REQ", "RESP", "TRAILER", "REQ_WITHOUT_QUERY", "PATH", "QUERY_PARAM", "QUERY_PARAMS"),
        *("RESPONSE_CODE", "ROUTE_NAME", "VIRTUAL_CLUSTER_NAME", "GRPC_STATUS", "STREAM_ID"),
    )
)
_OF_TLS = ("DOWNSTREAM_PEER_", "DOWNSTREAM_TLS_")
_SAY_NOTHING = (
    *("tcp_proxy.", "set_filter_state.", "echo.", "direct_response.", "connection_limit."),
    *("rbac.", "local_ratelimit.", "tls_inspector.", "http_inspector.", "original_dst."),
)
"""Filters that set no dynamic metadata which a hostname could mean."""


def emptyHostnames(model: Model, passesAll: bool) -> Iterator[ConfigError]:
    """
    Hostnames of tunnels with an operator that is never set there.

    Args:
        passesAll: hops pass all dynamic metadata.
    """
    for listener, chain in model.chains():
        for kind, config in chain.filters:
            tunnel = config.tunneling_config if kind == TCP_PROXY else None
            if tunnel is None:
                continue
            for command in _commands(tunnel.hostname):
                why = _whyEmpty(model, listener, chain, command, passesAll)
                if why:
                    yield tunnel.error(f"the hostname '{tunnel.hostname}' {why}", "hostname")


def _commands(text: str) -> list[Command]:
    try:
        return [part for part in parse(text) if isinstance(part, Command)]
    except FormatError:
        return []


def _whyEmpty(
    model: Model, listener: ListenerFacts, chain: ChainFacts, command: Command, passesAll: bool
) -> str:
    name = command.name
    if name in _OF_REQUESTS:
        return f"asks for %{name}%, which only HTTP requests have"
    if name == "REQUESTED_SERVER_NAME" and not _mayKnowServerName(listener, chain):
        return "asks for %REQUESTED_SERVER_NAME%, but nothing before it reads a server name"
    if name.startswith(_OF_TLS) and chain.isPlain:
        return f"asks for %{name}%, which only connections with TLS have"
    first = command.arguments.partition(":")[0]
    if first.startswith("envoy.") or not _knownOnly(listener, chain):
        return ""
    if name == "FILTER_STATE" and first not in valuesAt(model, listener, chain):
        return f"asks for filter state '{first}', which nothing sets there"
    if name == "DYNAMIC_METADATA" and not passesAll and first not in _passedTo(model, listener):
        return f"asks for metadata '{first}', which nothing passes there"
    return ""


def _mayKnowServerName(listener: ListenerFacts, chain: ChainFacts) -> bool:
    return not _knownOnly(listener, chain) or any(
        "tls_inspector" in one or "proxy_protocol" in one for one in listener.listenerFilters
    )


def _knownOnly(listener: ListenerFacts, chain: ChainFacts) -> bool:
    """Are all filters such as set nothing but what the model knows?"""
    kinds: list[Any] = [*listener.listenerFilters, *(kind for kind, _ in chain.filters)]
    return all(any(f".{known}" in kind for known in _SAY_NOTHING) for kind in kinds)


def _passedTo(model: Model, listener: ListenerFacts) -> set[str]:
    """Namespaces of metadata that some cluster passes to a listener."""
    return {name for cluster in model.before(listener.name) for name in cluster.passes or ()}
