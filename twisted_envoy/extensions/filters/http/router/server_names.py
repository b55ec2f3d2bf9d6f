"""
The name that TLS asks for, by the request: auto_sni, auto_san_validation.

It is kept in the request's filter state, where a filter may have put one before.
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.common.dynamic_forward_proxy.names import splitHost
from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
from twisted_envoy.state.upstream_tls import (
    SERVER_NAME,
    SUBJECT_NAMES,
    ListObject,
    ServerName,
)
from twisted_envoy.upstream.http.settings import ServerNames
from twisted_envoy.upstream.resolve import literalKind


def nameServer(names: ServerNames, headers: HeaderMap, info: Any) -> None:
    """
    Store what a request's connection shall ask for.

    Args:
        info: of the request.
    """
    asked, checked = _namesOf(names, headers)
    state = info.filterState
    if asked is not None and state.get(SERVER_NAME) is None:
        state.set(SERVER_NAME, ServerName(asked))
    if checked is not None and state.get(SUBJECT_NAMES) is None:
        state.set(SUBJECT_NAMES, ListObject(checked, True, (checked,)))


def optionsFor(names: ServerNames, headers: HeaderMap) -> TransportSocketOptions:
    """The same for a request that has no filter state, as the copies of mirrors."""
    asked, checked = _namesOf(names, headers)
    return TransportSocketOptions(
        serverName=asked or "", subjectNames=() if checked is None else (checked,)
    )


def _namesOf(names: ServerNames, headers: HeaderMap) -> tuple[str | None, str | None]:
    """What to ask for, which is never an address, and what to check; None: nothing."""
    text = (headers.get(names.header) if names.header else None) or headers.get(b":authority", b"")
    name = splitHost(text.decode("latin-1"), 0).name
    asked = name if names.asks and literalKind(name) is None else None
    return asked, name if names.checks else None
