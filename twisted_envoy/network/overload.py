"""
What a server does less of while it has too much to do.

Envoy: config.overload.v3.OverloadAction
"""

from __future__ import annotations

from collections.abc import Callable

STOP_REQUESTS = "envoy.overload_actions.stop_accepting_requests"
SHRINK_HEAP = "envoy.overload_actions.shrink_heap"

Follower = Callable[[float], None]


class OverloadActions:
    """Actions by name, each with how far it is taken: 0 not at all, 1 wholly."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {}
        self._followers: dict[str, list[Follower]] = {}

    def follow(self, name: str, call: Follower) -> None:
        """Be told whenever it is taken further, or less far; at once if it is taken now."""
        self._followers.setdefault(name, []).append(call)
        if self._values.get(name):
            call(self._values[name])

    def set(self, name: str, value: float) -> None:
        """It is taken so far from now on."""
        if self._values.get(name, 0.0) != value:
            self._values[name] = value
            for call in self._followers.get(name, ()):
                call(value)
