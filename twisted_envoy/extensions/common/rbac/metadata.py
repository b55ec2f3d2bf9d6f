"""Rules about dynamic metadata and about the metadata of routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.network.matchers import buildMetadataMatch
from twisted_envoy.state.stream_info import StreamInfo


def buildMetadata(view: Any, kind: str) -> Callable[[StreamInfo], bool]:
    """
    Build `metadata` or `sourced_metadata`.

    Args:
        view: a Permission or a Principal.
    """
    if kind == "metadata":
        return _ofDynamic(view.metadata)
    sourced = view.sourced_metadata
    if sourced.metadata_source != "ROUTE":
        return _ofDynamic(sourced.metadata_matcher)
    match = buildMetadataMatch(sourced.metadata_matcher, sourced.metadata_matcher.invert)

    def matches(info: StreamInfo) -> bool:
        route = info.route
        return route is not None and match(route.metadata)

    return matches


def _ofDynamic(view: Any) -> Callable[[StreamInfo], bool]:
    match = buildMetadataMatch(view, view.invert)
    return lambda info: match(info.dynamicMetadata)
