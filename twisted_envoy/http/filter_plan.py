"""
The filters of one chain, as configured: which of them has a say in which direction.

A plan is made once a connection manager, and once more for each set of filters that a route
switches off.

Envoy: Http::FilterChainHelper
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twisted_envoy.http.filter import HTTPFilter
    from twisted_envoy.http.ready import ReadyReply
    from twisted_envoy.http.routes.entry import RouteEntry

Step = tuple[int, bool, bool, bool]
"""A filter's index, and whether it defines the method for headers, data, trailers."""


class FilterPlan:
    """
    The filters of one chain, as configured.

    Args:
        makers: one callable a filter; the last makes the terminal one.
        names: of the filters, as configured.
        disabled: names of those that only a route can enable.

    Attributes:
        decodeSteps, encodeSteps: in the order in which the request and the response pass.
        decodesAlone: only the terminal filter looks at requests; encodesAlone: none at responses.
        ended: indexes of those that want streamEnded.
        isFixed: all are used unless a route says otherwise.
        needed: (index, maker) of those that define anything; a request has only these.
    """

    __slots__ = (
        "_alone",
        "_disabled",
        "_variants",
        "decodeSteps",
        "decodesAlone",
        "encodeSteps",
        "encodesAlone",
        "ended",
        "isFixed",
        "makers",
        "names",
        "needed",
    )

    def __init__(
        self,
        makers: Sequence[Callable[[], HTTPFilter]],
        names: Sequence[str] = (),
        disabled: frozenset[str] = frozenset(),
    ) -> None:
        self.makers = tuple(makers)
        self.names = tuple(names)
        self._disabled = disabled
        self.isFixed = not disabled
        self._alone: FilterPlan | None = None
        self._variants: dict[frozenset[str], FilterPlan] = {}
        defines = [make().defines for make in self.makers]
        self.decodeSteps = _steps(defines, "decode")
        self.encodeSteps = _steps(defines, "encode")[::-1]
        last = len(defines) - 1
        self.needed = tuple(
            (i, make) for i, make in enumerate(self.makers) if defines[i] or i == last
        )
        self.decodesAlone = [step[0] for step in self.decodeSteps] == [last]
        self.encodesAlone = not self.encodeSteps
        self.ended = tuple(i for i, found in enumerate(defines) if "streamEnded" in found)

    def readyReply(self, route: RouteEntry) -> ReadyReply | None:
        """What every request with that route is answered that no other filter has to see."""
        return self.makers[-1]().readyReply(route)

    def carrier(self, route: RouteEntry, protocol: str) -> Any:
        """What carries requests with that route that no other filter has to see."""
        return self.makers[-1]().carrier(route, protocol)

    def watched(self, route: RouteEntry) -> frozenset[bytes] | None:
        """What the other filters watch for, see HTTPFilter.watches; None: one sees each request."""
        plan = self
        if not self.isFixed or route.filterDisabled:
            plan = self.forRoute(route.filterDisabled)
        found: frozenset[bytes] = frozenset()
        for index, make in plan.needed[:-1]:
            names = make().watches(route, plan.names[index] if index < len(plan.names) else "")
            if names is None:
                return None
            found |= names
        return found

    @property
    def alone(self) -> FilterPlan:
        """The plan of requests that only the terminal filter has to see."""
        if self._alone is None:
            self._alone = FilterPlan(self.makers[-1:], self.names[-1:])
        return self._alone

    def forRoute(self, disabled: Mapping[str, bool]) -> FilterPlan:
        """
        The plan of requests with a route.

        Args:
            disabled: filter name -> what the route says about it.
        """
        without = self._disabled
        if disabled:
            without = without.union(name for name in disabled if disabled[name])
            without = without.difference(name for name in disabled if not disabled[name])
        if not without:
            return self
        found = self._variants.get(without)
        if found is None:
            kept = [
                pair for pair in zip(self.makers, self.names, strict=True) if pair[1] not in without
            ]
            found = FilterPlan([make for make, _ in kept], [name for _, name in kept])
            self._variants[without] = found
        return found


def _steps(defines: list[frozenset[str]], direction: str) -> tuple[Step, ...]:
    headers, data, trailers = (f"{direction}{part}" for part in ("Headers", "Data", "Trailers"))
    found = (
        (index, headers in one, data in one, trailers in one) for index, one in enumerate(defines)
    )
    return tuple(step for step in found if any(step[1:]))
