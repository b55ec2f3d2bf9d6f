"""
Which filter chain a connection gets when the listener has a `filter_chain_matcher`.

Envoy: FilterChainManagerImpl::findFilterChainUsingMatcher
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted_envoy.errors import ConfigError, UnsupportedExtension
from twisted_envoy.network.filter_chain import FilterChain
from twisted_envoy.network.matching.actions import openAction
from twisted_envoy.network.matching.inputs import NETWORK
from twisted_envoy.network.matching.tree import buildMatcher
from twisted_envoy.state.stream_info import StreamInfo

WHERE = "cannot create a filter chain matcher: "

_NAME = "google.protobuf.StringValue"


class FilterChainTree:
    """
    Finds chains by their names.

    Args:
        match: gives a name, or None for the default chain.
        chains: by name; a name that is not there gives no chain at all.
    """

    __slots__ = ("_chains", "_default", "_match")

    def __init__(
        self,
        match: Callable[[StreamInfo], str | None],
        chains: dict[str, FilterChain],
        defaultChain: FilterChain | None = None,
    ) -> None:
        self._match = match
        self._chains = chains
        self._default = defaultChain

    def find(self, streamInfo: StreamInfo) -> FilterChain | None:
        """The chain of a connection."""
        name = self._match(streamInfo)
        return self._default if name is None else self._chains.get(name)


def buildChainMatcher(view: Any, context: Any) -> Callable[[StreamInfo], str | None]:
    """
    Build a filter_chain_matcher.

    Raises:
        ConfigError: in Envoy's words.
    """
    try:
        return buildMatcher(view, context, NETWORK, _readName)
    except UnsupportedExtension:
        raise
    except ConfigError as error:
        raise ConfigError(error.path, WHERE + error.problem, error.position) from None


def _readName(view: Any) -> str:
    name: str = openAction(view, _NAME).value
    return name


def chainsByName(chains: Iterable[tuple[Any, FilterChain]], where: str) -> dict[str, FilterChain]:
    """
    Chains by their names.

    Args:
        chains: the View of each and what was built of it.
        where: what Envoy puts before these errors.
    Raises:
        ConfigError: a name is missing, or there twice.
    """
    found: dict[str, FilterChain] = {}
    for view, chain in chains:
        if not chain.name:
            raise view.error(f'{where}"name" field is required when using a listener matcher')
        if chain.name in found:
            raise view.error(f"{where}\"name\" field is duplicated with value '{chain.name}'")
        if view.has("filter_chain_match"):
            view.moot("filter_chain_match", "Envoy ignores it beside a matcher")
            view.warn(f"filter chain match in chain '{chain.name}' is ignored")
        found[chain.name] = chain
    return found
