"""
Permissions (what is asked for) and principals (who asks) of a policy.

Each is built once into a function of a connection's or request's info.

Envoy: source/extensions/filters/common/rbac/matchers.cc
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.interfaces import IAddress

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.common.rbac.metadata import buildMetadata
from twisted_envoy.http.routes.paths import withoutQuery
from twisted_envoy.network.cidr import CIDR, ipKey, parseCIDR
from twisted_envoy.network.matchers import (
    BytesMatch,
    buildBytesMatch,
    buildFilterStateMatch,
    buildHeaderMatch,
    buildStringMatch,
)
from twisted_envoy.state.addresses import portOf
from twisted_envoy.state.stream_info import StreamInfo

Rule = Callable[[StreamInfo], bool]

_NO_HEADERS = HeaderMap()
_PORTS = 65536


class RuleBuilder:
    """
    Builds the permissions and principals of a filter.

    Args:
        context: an IFactoryContext.
        hasHeaders: whether there are headers to look at.
    """

    __slots__ = ("_context", "_hasHeaders")

    def __init__(self, context: Any, hasHeaders: bool) -> None:
        self._context = context
        self._hasHeaders = hasHeaders

    def policy(self, view: Any) -> Rule:
        """Build a Policy: one of its permissions and one of its principals."""
        permission = anyOf(self.permission(each) for each in view.permissions)
        principal = anyOf(self.principal(each) for each in view.principals)
        return lambda info: permission(info) and principal(info)

    def permission(self, view: Any) -> Rule:
        """
        Build a Permission.

        Raises:
            ConfigError: in Envoy's words.
        """
        kind = view.which("rule")
        if kind in ("and_rules", "or_rules"):
            rules = (self.permission(each) for each in getattr(view, kind).rules)
            return allOf(rules) if kind == "and_rules" else anyOf(rules)
        if kind == "not_rule":
            return _not(self.permission(view.not_rule))
        if kind == "destination_ip":
            return _inRange(view.destination_ip, _local)
        if kind == "destination_port":
            port: int = view.destination_port
            return lambda info: portOf(info.localAddress) == port
        if kind == "destination_port_range":
            return _ports(view.destination_port_range)
        if kind == "requested_server_name":
            match = buildStringMatch(view.requested_server_name)
            return lambda info: match(info.requestedServerName)
        if kind == "uri_template":
            return _path(self._context.build(view.uri_template, "path.match").matches)
        if kind == "matcher":
            made: Rule = self._context.build(view.matcher, "rbac.matchers")
            return made
        return self._common(view, kind)

    def principal(self, view: Any) -> Rule:
        """
        Build a Principal.

        Raises:
            ConfigError: in Envoy's words.
        """
        kind = view.which("identifier")
        if kind in ("and_ids", "or_ids"):
            ids = (self.principal(each) for each in getattr(view, kind).ids)
            return allOf(ids) if kind == "and_ids" else anyOf(ids)
        if kind == "not_id":
            return _not(self.principal(view.not_id))
        if kind == "authenticated":
            return _authenticated(view.authenticated)
        if kind in _SOURCES:
            return _inRange(getattr(view, kind), _SOURCES[kind])
        if kind == "filter_state":
            key, match = view.filter_state.key, buildFilterStateMatch(view.filter_state)
            return lambda info: match(info.filterState.get(key))
        if kind == "custom":
            made: Rule = self._context.build(view.custom, "rbac.principals")
            return made
        return self._common(view, kind)

    def _common(self, view: Any, kind: str) -> Rule:
        """What is the same for permissions and principals."""
        if kind == "any":
            view.any  # noqa: B018  read: it is always true
            return _always
        if kind == "header":
            if not self._hasHeaders:
                text = f"Found header({view.header.message}) rule"
                raise view.error(f"{text},not supported by RBAC network filter", "header")
            header = buildHeaderMatch(view.header)
            return lambda info: header(info.requestHeaders)
        if kind == "url_path":
            return _path(buildBytesMatch(view.url_path.path_))
        return buildMetadata(view, kind)


def allOf(rules: Iterable[Rule]) -> Rule:
    """True where each is."""
    each = tuple(rules)
    if len(each) == 1:
        return each[0]

    def every(info: StreamInfo) -> bool:
        for rule in each:
            if not rule(info):
                return False
        return True

    return every


def anyOf(rules: Iterable[Rule]) -> Rule:
    """True where one of them is."""
    each = tuple(rules)
    if len(each) == 1:
        return each[0]

    def some(info: StreamInfo) -> bool:
        for rule in each:
            if rule(info):
                return True
        return False

    return some


def _not(rule: Rule) -> Rule:
    return lambda info: not rule(info)


def _always(info: StreamInfo) -> bool:
    return True


def _local(info: StreamInfo) -> IAddress | None:
    return info.localAddress


def _remote(info: StreamInfo) -> IAddress | None:
    return info.remoteAddress


def _directRemote(info: StreamInfo) -> IAddress | None:
    return info.directRemoteAddress


def _connectionRemote(info: Any) -> IAddress | None:
    """Of the connection, whatever its request says."""
    found: IAddress | None = (info.connection if info.isRequest else info).remoteAddress
    return found


_SOURCES: dict[str, Callable[[StreamInfo], IAddress | None]] = {
    "source_ip": _connectionRemote,
    "direct_remote_ip": _directRemote,
    "remote_ip": _remote,
}


def _readCIDR(view: Any) -> CIDR:
    try:
        return parseCIDR(view.address_prefix, view.prefix_len)
    except ValueError as error:
        problem = f"Failed to create CIDR range: {error}"
        raise view.error(problem, "address_prefix") from None


def _inRange(view: Any, source: Callable[[StreamInfo], IAddress | None]) -> Rule:
    cidr = _readCIDR(view)

    def matches(info: StreamInfo) -> bool:
        key = ipKey(source(info))
        return key is not None and cidr.contains(key)

    return matches


def _ports(view: Any) -> Rule:
    start: int = view.start
    end: int = view.end
    problem = ""
    if not 0 <= start <= _PORTS:
        problem = f"range start {start} is out of bounds"
    elif not 0 <= end <= _PORTS:
        problem = f"range end {end} is out of bounds"
    elif start >= end:
        problem = f"range start {start} cannot be greater or equal than range end {end}"
    if problem:
        raise view.error(problem)
    ports = range(start, end)
    return lambda info: portOf(info.localAddress) in ports


def _path(match: BytesMatch) -> Rule:
    """Of the path without its query; a connection has none."""

    def matches(info: StreamInfo) -> bool:
        headers = info.requestHeaders
        path = None if headers is None else headers.get(b":path")
        return path is not None and match(withoutQuery(path))

    return matches


def _authenticated(view: Any) -> Rule:
    """A URI or DNS name of the client's certificate, or its subject; without TLS nobody is."""
    if view.principal_name is None:
        return lambda info: info.tls is not None
    match = buildStringMatch(view.principal_name)

    def matches(info: StreamInfo) -> bool:
        if info.tls is None:
            return False
        peer = info.tls.peer
        if peer is None:
            return match("")
        return any(map(match, (*peer.names("URI"), *peer.names("DNS"), peer.subject)))

    return matches
