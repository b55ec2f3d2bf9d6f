"""
Takes the header of the PROXY protocol off a connection and believes it.

    header               the connection goes on
    with addresses       with them as its remote and local address
    UNKNOWN or LOCAL     with its own addresses
    none, allowed        as it is
    none, disallowed     not
    of a version that    not
    is disallowed

Envoy: extensions.filters.listener.proxy_protocol.v3.ProxyProtocol
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zope.interface import implementer

from twisted_envoy.codec.proxy_protocol_reader import (
    LONGEST,
    ProxyHeader,
    ProxyProtocolProblem,
    headerVersion,
    mayBegin,
    readHeader,
)
from twisted_envoy.extensions.filters.listener.proxy_protocol.rules import TLVRule, applyRules
from twisted_envoy.interfaces.network import IListenerFilter, Verdict
from twisted_envoy.state.proxy_protocol import PROXY_PROTOCOL, ProxyProtocolState
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope
from twisted_envoy.values import dataclass

_NEED_MORE = (Verdict.NEED_MORE, 0)


class ProxyProtocolStats:
    """
    `proxy_proto.*`; of both versions a tuple, whose first item is nobody's.

    Args:
        store: all stats. prefix: of the filter's own.
    """

    def __init__(self, store: Scope, prefix: str) -> None:
        self.cxError = store.counter("downstream_cx_proxy_proto_error")
        scope = store.scope(prefix)
        self.notFoundAllowed = scope.counter("not_found_allowed")
        notFound = scope.counter("not_found_disallowed")
        one, two = (scope.scope(f"versions.v{version}.") for version in (1, 2))
        nobody = Counter("")
        self.found = (nobody, one.counter("found"), two.counter("found"))
        self.disallowed = (nobody, one.counter("disallowed"), two.counter("disallowed"))
        self.error = (notFound, one.counter("error"), two.counter("error"))


@dataclass(frozen=True, slots=True)
class ProxyProtocolSettings:
    """
    What the config says.

    Attributes:
        versions: that are allowed.
        optional: connections without a header go on too.
        rules: by the type of the extension.
        inState: rules make filter state, not metadata.
        passes: whether an extension of that type goes on to upstreams.
    """

    stats: ProxyProtocolStats
    versions: frozenset[int]
    optional: bool
    rules: Mapping[int, TLVRule]
    inState: bool
    passes: Callable[[int], bool]


@implementer(IListenerFilter)
class ProxyProtocol:
    """One connection's."""

    __slots__ = ("_settings",)

    maxReadBytes = LONGEST

    def __init__(self, settings: ProxyProtocolSettings) -> None:
        self._settings = settings

    def feed(self, data: bytes, streamInfo: StreamInfo) -> tuple[Verdict, int | str]:
        settings = self._settings
        stats = settings.stats
        if settings.optional and not mayBegin(data, settings.versions):
            stats.notFoundAllowed.value += 1
            return Verdict.DONE, 0
        try:
            version = headerVersion(data)
            if version is None:
                return _NEED_MORE
            if version not in settings.versions:
                stats.found[version].value += 1
                stats.disallowed[version].value += 1
                return Verdict.REJECT, "a version that is disallowed"
            header = readHeader(data, version)
        except ProxyProtocolProblem as problem:
            stats.error[problem.version].value += 1
            stats.cxError.value += 1
            applyRules(settings.rules, problem.tlvs, streamInfo, settings.inState)
            return Verdict.REJECT, str(problem)
        if header is None:
            return _NEED_MORE
        stats.found[version].value += 1
        if header.source is not None:
            self._believe(header, streamInfo)
        return Verdict.DONE, header.size

    def _believe(self, header: ProxyHeader, info: StreamInfo) -> None:
        settings = self._settings
        applyRules(settings.rules, header.tlvs, info, settings.inState)
        if info.filterState.get(PROXY_PROTOCOL) is None:
            tlvs = tuple(tlv for tlv in header.tlvs if settings.passes(tlv[0]))
            told = ProxyProtocolState(header.source, header.target, tlvs)
            info.filterState.set(PROXY_PROTOCOL, told)
        if header.target != info.localAddress:
            info.localAddress = header.target
        info.remoteAddress = header.source
