"""A configured filter chain: what a connection that matches it gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FilterChain:
    """
    Made once for each configured chain.

    Attributes:
        name: as configured, may be empty.
        match: the View of its filter_chain_match, None when it has none.
        makers: one callable a link, the transport socket's first when it has a link.
    """

    name: str
    match: Any
    makers: tuple[Callable[[], Any], ...]
