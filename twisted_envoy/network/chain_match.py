"""
Which filter chain an accepted connection gets.

Follows Envoy's config.listener.v3.FilterChainMatch. The steps are asked in a fixed order; at each,
the most specific entry that fits is taken and never taken back: when a later step then finds
nothing, the default chain is used although another branch might have fitted.

    step                          key of the connection        most specific first
    destination_port              port of the local address    that port, any
    prefix_ranges                 local address                longest prefix, any
    server_names                  SNI                          exact, longest `*.suffix`, any
    transport_protocol            `tls` or `raw_buffer`        that, any
    application_protocols         ALPN or what was inspected   first of the client's list, any
    direct_source_prefix_ranges   the socket's peer            longest prefix, any
    source_type                   remote against local         same host or external, any
    source_prefix_ranges          remote address               longest prefix, any
    source_ports                  port of the remote address   that port, any

An address that is no IP address (a pipe's, an internal listener's) has no port and is looked up as
255.255.255.255.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from twisted.internet.address import UNIXAddress

from twisted_envoy.errors import ConfigError
from twisted_envoy.network.chain_match_rules import (
    ChainMatchRules,
    isUnimplemented,
    matchText,
    readRules,
)
from twisted_envoy.network.cidr import LOOPBACKS, CIDRTable, ipKey, matchKey
from twisted_envoy.state.addresses import portOf
from twisted_envoy.state.stream_info import StreamInfo

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


class MatchedChain(Protocol):
    """What a chain must have to be found."""

    @property
    def name(self) -> str: ...

    @property
    def match(self) -> View | None: ...


C = TypeVar("C", bound=MatchedChain)


class FilterChainIndex(Generic[C]):
    """
    Finds chains; made once per listener.

    Args:
        chains: in the order of the config; taken one at a time, so that a generator may build each
            one when it is asked for. defaultChain: for connections that no chain fits.
        where: what Envoy puts before most of these errors: `error adding listener 'X': `.
        view: the listener's config, where errors of chains without a match are placed.

    Attributes:
        find: takes a StreamInfo, returns a chain or None. One chain that fits every connection
            is returned without a look at it.
    """

    __slots__ = ("_default", "_only", "_tree", "_view", "_where", "find")

    def __init__(
        self,
        chains: Iterable[C],
        defaultChain: C | None = None,
        where: str = "",
        view: View | None = None,
    ) -> None:
        self._where = where
        self._view = view
        self._default = defaultChain
        tree: dict[object, Any] = {}
        names: dict[str, str] = {}
        last: tuple[C, ChainMatchRules] | None = None
        for chain in chains:
            self._refuseDuplicate(chain, names)
            rules = readRules(chain.match, partial(self._error, chain))
            self._insert(tree, chain, rules)
            last = (chain, rules)
        self._only = defaultChain
        self.find: Callable[[StreamInfo], C | None] = self._findOnly
        if last is not None:
            self._only = last[0]
            if len(names) > 1 or not last[1].matchesEverything:
                self.find = self._findInTree
        self._tree = _compiled(tree, 0)

    @property
    def only(self) -> C | None:
        """What every connection gets; None: that depends."""
        return self._only if self.find == self._findOnly else None

    def _findOnly(self, streamInfo: StreamInfo) -> C | None:
        return self._only

    def _findInTree(self, streamInfo: StreamInfo) -> C | None:
        node: Any = self._tree
        for step in _STEPS:
            node = step(node, streamInfo)
            if node is None:
                return self._default
        return cast(C, node)

    # While it is made.

    def _error(self, chain: C, problem: str) -> ConfigError:
        view = self._view if chain.match is None else chain.match
        if view is None:
            return ConfigError("", self._where + problem)
        return view.error(self._where + problem)

    def _refuseDuplicate(self, chain: C, names: dict[str, str]) -> None:
        if isUnimplemented(chain.match):
            raise self._error(chain, f"filter chain '{chain.name}' contains unimplemented fields")
        text = matchText(chain.match)
        if text in names:
            raise self._error(
                chain,
                f"filter chain '{chain.name}' has the same matching rules defined as "
                f"'{names[text]}'. duplicate matcher is: {text}",
            )
        names[text] = chain.name

    def _insert(self, tree: dict[object, Any], chain: C, rules: ChainMatchRules) -> None:
        for path in product(*rules.steps):
            node = tree
            for key in path[:-1]:
                node = node.setdefault(key, {})
            if path[-1] in node:
                raise self._error(
                    chain, "multiple filter chains with overlapping matching rules are defined"
                )
            node[path[-1]] = chain


def _byDestinationPort(node: Any, streamInfo: StreamInfo) -> Any:
    return _exactly(node, portOf(streamInfo.localAddress), 0)


def _byDestination(node: Any, streamInfo: StreamInfo) -> Any:
    return node.find(matchKey(streamInfo.localAddress))


def _byServerName(node: Any, streamInfo: StreamInfo) -> Any:
    name = streamInfo.requestedServerName.lower()
    found = node.get(name)
    dot = name.find(".", 1)
    while found is None and 0 < dot < len(name) - 1:
        found = node.get(name[dot:])
        dot = name.find(".", dot + 1)
    return node.get("") if found is None else found


def _byTransportProtocol(node: Any, streamInfo: StreamInfo) -> Any:
    return _exactly(node, streamInfo.transportProtocol or "raw_buffer", "")


def _byApplicationProtocol(node: Any, streamInfo: StreamInfo) -> Any:
    for protocol in streamInfo.applicationProtocols:
        if protocol in node:
            return node[protocol]
    return node.get("")


def _byDirectSource(node: Any, streamInfo: StreamInfo) -> Any:
    return node.find(matchKey(streamInfo.directRemoteAddress))


def _bySourceType(node: Any, streamInfo: StreamInfo) -> Any:
    if len(node) == 1 and "ANY" in node:
        return node["ANY"]
    return _exactly(node, "SAME_IP_OR_LOOPBACK" if isLocal(streamInfo) else "EXTERNAL", "ANY")


def _bySource(node: Any, streamInfo: StreamInfo) -> Any:
    return node.find(matchKey(streamInfo.remoteAddress))


def _bySourcePort(node: Any, streamInfo: StreamInfo) -> Any:
    return _exactly(node, portOf(streamInfo.remoteAddress), 0)


_STEPS: tuple[Callable[[Any, StreamInfo], Any], ...] = (
    _byDestinationPort,
    _byDestination,
    _byServerName,
    _byTransportProtocol,
    _byApplicationProtocol,
    _byDirectSource,
    _bySourceType,
    _bySource,
    _bySourcePort,
)

_PREFIX_STEPS = frozenset(
    _STEPS.index(step) for step in (_byDestination, _byDirectSource, _bySource)
)


def _exactly(node: dict[object, Any], key: object, anyKey: object) -> Any:
    found = node.get(key)
    return node.get(anyKey) if found is None else found


def isLocal(streamInfo: StreamInfo) -> bool:
    """From this host, as far as Envoy knows it: a pipe, 127.0.0.1, ::1, or one's own address."""
    remote = streamInfo.remoteAddress
    if isinstance(remote, UNIXAddress):
        return True
    key = ipKey(remote)
    return key is not None and (key in LOOPBACKS or key == ipKey(streamInfo.localAddress))


def _compiled(node: Any, depth: int) -> Any:
    """The same tree with prefixes made into tables."""
    if depth == len(_STEPS):
        return node
    below = {key: _compiled(value, depth + 1) for key, value in node.items()}
    if depth not in _PREFIX_STEPS:
        return below
    catchAll = below.pop(None, None)
    return CIDRTable(cast(Any, below).items(), catchAll)
