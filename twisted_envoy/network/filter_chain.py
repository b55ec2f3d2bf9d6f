"""A configured filter chain: what a connection that matches it gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from twisted_envoy.values import dataclass


@dataclass(frozen=True, slots=True)
class FilterChain:
    """
    Made once for each configured chain.

    Attributes:
        name: as configured, may be empty.
        match: the View of its filter_chain_match, None when it has none.
        makers: one callable a link.
        wrap: makes of an accepted transport the one that the chain gets; None for raw bytes.
        connectTimeout: seconds until that has to be ready, 0 for ever.
        metadata: namespace -> JSON-like dict.
    """

    name: str
    match: Any
    makers: tuple[Callable[[], Any], ...]
    wrap: Callable[[Any, Any], Any] | None = None
    connectTimeout: float = 0.0
    metadata: Mapping[str, dict[str, object]] = field(default_factory=dict)
