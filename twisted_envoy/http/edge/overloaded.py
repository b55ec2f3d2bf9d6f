"""
Requests that are refused because the server is overloaded.

Envoy: `envoy.overload_actions.stop_accepting_requests`
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted_envoy.http.edge.refusal import Refusal

if TYPE_CHECKING:
    from random import Random

    from twisted_envoy.http.edge.edge import Edge

OVERLOADED = Refusal(503, "overload", b"envoy overloaded", counter="downstream_rq_overload_close")

Prepare = Callable[..., Refusal | None]


def refuser(edge: Edge, random: Random) -> Callable[[float], None]:
    """What has an edge refuse a share of its requests, from 0 for none to 1 for all."""
    prepare: Prepare = edge.prepareRequest

    def refuse(share: float) -> None:
        edge.prepareBy(_refusing(prepare, share, random) if share else None)

    return refuse


def _refusing(prepare: Prepare, share: float, random: Random) -> Prepare:
    def prepareRequest(*args: Any) -> Refusal | None:
        return OVERLOADED if random.random() < share else prepare(*args)

    return prepareRequest
