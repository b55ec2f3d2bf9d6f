"""Hosts and reports without a cluster."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from twisted.internet.address import IPv4Address

from twisted_envoy.stats.scope import Store
from twisted_envoy.upstream.health.events import HealthEvents
from twisted_envoy.upstream.health.settings import HealthCheckSettings
from twisted_envoy.upstream.health.stats import HealthCheckStats
from twisted_envoy.upstream.host import HealthCheckTarget, Host, HostSettings, Locality


def settings(**fields: Any) -> HealthCheckSettings:
    """Two of each, a second between."""
    given: dict[str, Any] = {
        "kind": "TCP",
        "timeout": 0.5,
        "interval": 1.0,
        "unhealthyThreshold": 2,
        "healthyThreshold": 2,
        "noTrafficInterval": 1.0,
        "noTrafficHealthyInterval": 1.0,
        "unhealthyInterval": 1.0,
        "unhealthyEdgeInterval": 1.0,
        "healthyEdgeInterval": 1.0,
    }
    return HealthCheckSettings(**{**given, **fields})


def host(health: int = 0, target: HealthCheckTarget | None = None, **fields: Any) -> Any:
    """A Host of a cluster `c` that is nothing but a name."""
    address = IPv4Address("TCP", "10.0.0.1", 80)
    check = HealthCheckTarget() if target is None else target
    cluster: Any = SimpleNamespace(name="c")
    made = Host(HostSettings(address, healthCheck=check, **fields), cluster)
    made.health = health
    return made


class Lines:
    """A file of events."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, text: str) -> None:
        self.texts.append(text)

    def events(self) -> list[str]:
        """The names of the events."""
        return [
            next(key for key in json.loads(text) if key.endswith(("_event", "_host")))
            for text in self.texts
        ]


@dataclass
class Said:
    """A report that keeps what it is told."""

    words: list[Any] = field(default_factory=list)

    def succeeded(self, degraded: bool = False) -> None:
        self.words.append("degraded" if degraded else "ok")

    def failed(self, failure: Any, retriable: bool = False, status: int = 0) -> None:
        self.words.append((failure.value, retriable, status))

    def lost(self) -> None:
        self.words.append("lost")

    def excludes(self) -> None:
        self.words.append("excludes")


def stats() -> HealthCheckStats:
    return HealthCheckStats(Store().scope("hc."))


def events(lines: Lines) -> HealthEvents:
    return HealthEvents("TCP", lambda: 1.5, [lines])  # type: ignore[list-item]


__all__ = ["Lines", "Locality", "Said", "events", "host", "settings", "stats"]
