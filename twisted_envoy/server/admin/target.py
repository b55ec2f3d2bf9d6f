"""The parts of the server that the admin pages show and move."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from google.protobuf.message import Message
from twisted.internet.interfaces import IAddress

from twisted_envoy.server.lifecycle import DrainManager
from twisted_envoy.server.log_levels import LogControl
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.server.runtime import Runtime
from twisted_envoy.stats.scope import Store
from twisted_envoy.upstream.circuit_breaker import Limits

if TYPE_CHECKING:
    from twisted_envoy.upstream.outlier.detector import OutlierDetector
    from twisted_envoy.upstream.outlier.monitor import HostMonitor


class Configured(Protocol):
    """A config.View, as far as dumping it goes."""

    @property
    def message(self) -> Message:
        """The protobuf message."""


class ShownListener(Protocol):
    """One listener of the server."""

    name: str
    address: IAddress
    additionalAddresses: Sequence[IAddress]
    config: Configured


class ShownListeners(Protocol):
    """The listener manager: iterable, and stoppable."""

    def __iter__(self) -> Iterator[ShownListener]:
        """In the order of the config."""

    def stopListening(self, inboundOnly: bool = False) -> object:
        """Accept no more connections."""


class ShownLocality(Protocol):
    """Where a host is."""

    region: str
    zone: str
    sub_zone: str


class ShownHost(Protocol):
    """One host of a cluster."""

    address: IAddress
    hostname: str
    weight: int
    priority: int
    health: int
    healthFlags: str
    locality: ShownLocality
    metadata: Mapping[str, Mapping[str, object]]
    monitor: HostMonitor | None
    stats: object


class ShownCluster(Protocol):
    """One cluster of the server."""

    name: str
    config: Configured
    hosts: Sequence[ShownHost]
    observabilityName: str
    priorities: Mapping[str, Limits]
    addedViaAPI: bool
    outlier: OutlierDetector | None


class ShownClusters(Protocol):
    """The cluster manager."""

    def names(self) -> Iterable[str]:
        """In the order of the config."""

    def get(self, name: str) -> ShownCluster | None:
        """The cluster of that name."""


class ShownSecret(Protocol):
    """A secret that stands in a file: what was taken last, and when (seconds since the epoch)."""

    name: str
    kind: str
    secret: Message
    version: str
    updated: float


class AdminTarget(Protocol):
    """
    server.Server, as the admin pages see it.

    Attributes:
        startTime: seconds since the epoch.
        state: LIVE, DRAINING, PRE_INITIALIZING or INITIALIZING.
        drain: what `/drain_listeners` begins.
        certificates: give an admin.v3.Certificate each, as JSON's values.
        secrets: those that stand in files.
        shutdown: ends the process (or what the server is a part of).
    """

    bootstrap: Configured
    options: ServerOptions
    store: Store
    clusters: ShownClusters
    listeners: ShownListeners
    logControl: LogControl
    drain: DrainManager
    runtime: Runtime
    certificates: Sequence[Callable[[], Mapping[str, object]]]
    secrets: Sequence[ShownSecret]
    startTime: float
    shutdown: Callable[[], object]

    @property
    def state(self) -> str:
        """As `/ready` and `/server_info` name it."""

    def healthCheckFail(self) -> None:
        """Be unhealthy from now on: DRAINING."""

    def healthCheckOk(self) -> None:
        """Be healthy again."""

    def reopenLogs(self) -> None:
        """Open all access logs anew."""

    def memory(self) -> tuple[int, int]:
        """(resident, data segment) in bytes."""

    def seconds(self) -> float:
        """The time of the server's reactor."""

    def soon(self, function: Callable[[], object]) -> None:
        """Call it when the current answer has been written."""
