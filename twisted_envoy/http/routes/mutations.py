"""
`config.common.mutation_rules.v3.HeaderMutation`: edits of headers one after the other.

Envoy: source/common/http/header_mutation.cc
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.header_edits import Edit, HeaderEdits, readHeader
from twisted_envoy.network.matchers import buildBytesMatch
from twisted_envoy.state.stream_info import StreamInfo


def buildMutations(views: Sequence[Any], context: Any) -> Edit:
    """
    Read a list of HeaderMutations.

    Raises:
        ConfigError: a header that must not be touched, a wrong format or pattern.
    """
    edits = tuple(_mutation(view, context) for view in views)

    def mutate(headers: HeaderMap, info: StreamInfo) -> None:
        for edit in edits:
            edit(headers, info)

    return mutate


def _mutation(view: Any, context: Any) -> Edit:
    kind = view.which("action")
    if kind == "append":
        return HeaderEdits((), (readHeader(view.append),), context.reactor.seconds)
    if kind == "remove":
        name: bytes = view.remove.lower().encode()
        return HeaderEdits((name,), (), context.reactor.seconds)
    return _removeMatching(buildBytesMatch(view.remove_on_match.key_matcher))


def _removeMatching(match: Callable[[bytes], bool]) -> Edit:
    def remove(headers: HeaderMap, info: StreamInfo) -> None:
        for name in [name for name in headers if match(name)]:
            if not name.startswith(b":") and name != b"host":
                headers.remove(name)

    return remove
