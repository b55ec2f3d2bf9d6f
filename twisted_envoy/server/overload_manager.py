"""
Looks at resources again and again, and has things done less while one is short.

    trigger     the action is taken
    threshold   wholly, from that pressure on
    scaled      not at all up to one pressure, wholly from the other on, in part between them

Of several triggers the one that is furthest counts.

Envoy: source/server/overload_manager_impl.cc
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from twisted_envoy.network.overload import OverloadActions
from twisted_envoy.stats.scope import Scope
from twisted_envoy.values import dataclass

_log = Logger("main")


class ResourceMonitor(Protocol):
    """Knows how much of a resource is used."""

    def pressure(self) -> float:
        """
        The share that is used: 1 for all of it.

        Raises:
            OSError: it cannot be found out now.
        """


@dataclass(frozen=True, slots=True)
class Trigger:
    """From no effect at one pressure to all of it at another; both alike for a threshold."""

    monitor: str
    begins: float
    ends: float

    def valueOf(self, pressure: float) -> float:
        """How far the action is taken."""
        if pressure >= self.ends:
            return 1.0
        if pressure <= self.begins:
            return 0.0
        return (pressure - self.begins) / (self.ends - self.begins)


class OverloadManager:
    """
    Those of one server.

    Args:
        interval: seconds between two looks.
        triggers: of each action.
        actions: are told.
    """

    def __init__(
        self,
        interval: float,
        monitors: Mapping[str, ResourceMonitor],
        triggers: Mapping[str, Sequence[Trigger]],
        actions: OverloadActions,
        reactor: IReactorTime,
        scope: Scope,
    ) -> None:
        self._interval = interval
        self._reactor = reactor
        self._actions = actions
        self._triggers = triggers
        self._timer: IDelayedCall | None = None
        self._pressures = dict.fromkeys(monitors, 0.0)
        self._monitors = [_Watched(name, one, scope) for name, one in monitors.items()]
        self._shown = {}
        for name in triggers:
            own = scope.scope(f"overload.{name}.")
            self._shown[name] = (own.gauge("active"), own.gauge("scale_percent"))

    def start(self) -> None:
        """Look now, and from now on."""
        self._look()

    def stop(self) -> None:
        """Look no more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _look(self) -> None:
        pressures = self._pressures
        for watched in self._monitors:
            found = watched.look()
            if found is not None:
                pressures[watched.name] = found
        for name, triggers in self._triggers.items():
            value = max(trigger.valueOf(pressures[trigger.monitor]) for trigger in triggers)
            active, percent = self._shown[name]
            active.value = int(value >= 1)
            percent.value = int(value * 100)
            self._actions.set(name, value)
        self._timer = self._reactor.callLater(self._interval, self._look)


class _Watched:
    """One monitor with its stats."""

    def __init__(self, name: str, monitor: ResourceMonitor, scope: Scope) -> None:
        self.name = name
        self._ask: Callable[[], float] = monitor.pressure
        own = scope.scope(f"overload.{name}.")
        self._pressure = own.gauge("pressure")
        self._failed = own.counter("failed_updates")
        own.counter("skipped_updates")

    def look(self) -> float | None:
        """The pressure now; None when it cannot be found out."""
        try:
            found = self._ask()
        except (OSError, ValueError) as problem:
            self._failed.value += 1
            _log.info("{name} failed to update: {problem}", name=self.name, problem=problem)
            return None
        self._pressure.value = int(found * 100)
        return found
