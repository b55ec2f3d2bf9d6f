"""
Clusters and listeners that stand in files of their own: `dynamic_resources` by path.

    the file                        what happens at the start
    is not there                    the start fails (validating does not look for listeners)
    cannot be read                  update_failure; there is nothing of it
    has something that is refused   update_rejected; all else of it is there
    changes later                   a line in the log: it is read at the start only

Envoy: FilesystemSubscriptionImpl, CdsApiImpl, LdsApiImpl
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from twisted.logger import Logger

from twisted_envoy.config.bootstrap import decodeText, envoyPlans
from twisted_envoy.config.load import readFile
from twisted_envoy.config.rules import validate
from twisted_envoy.config.view import viewOf
from twisted_envoy.errors import ConfigError, UnsupportedExtension, UnsupportedField
from twisted_envoy.interfaces.extensions import POLLED
from twisted_envoy.network.xxhash import xxHash64
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.server.context import FactoryContext

_log = Logger("config")

_RESPONSE = "envoy.service.discovery.v3.DiscoveryResponse"
_CLUSTER = "envoy.config.cluster.v3.Cluster"
_LISTENER = "envoy.config.listener.v3.Listener"


class SubscriptionStats:
    """`cluster_manager.cds.*` or `listener_manager.lds.*`."""

    init_fetch_timeout: Counter
    update_attempt: Counter
    update_failure: Counter
    update_rejected: Counter
    update_success: Counter
    update_time: Gauge
    version: Gauge

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
        self.version_text = scope.textReadout("version_text")


class FileSubscription:
    """
    The resources of one type in one file.

    Args:
        kind: their type.
        seconds: the reactor's clock.

    Attributes:
        root: the View of the file once it was read and nothing in it was refused.
    """

    def __init__(
        self, path: str, kind: str, scope: Scope, seconds: Callable[[], float], findType: Any
    ) -> None:
        self._path = path
        self._kind = kind
        self._seconds = seconds
        self._findType = findType
        self.stats = SubscriptionStats(scope)
        self._signature = _signature(path)
        self.root: Any = None

    def resources(self) -> tuple[View, ...]:
        """
        Every resource; none when one of them is not what it should be.

        Raises:
            UnsupportedExtension, UnsupportedField: what is known to Envoy only.
        """
        self.stats.update_attempt.value += 1
        try:
            self.root = self._read()
            return tuple(self._opened(each) for each in self.root.resources)
        except (UnsupportedExtension, UnsupportedField):
            raise
        except ConfigError as problem:
            self.root = None
            self.stats.update_failure.value += 1
            _log.warn(
                "Filesystem config update failure: in {path}, {problem}",
                path=self._path,
                problem=problem,
            )
            return ()

    def used(self, problems: list[ConfigError]) -> None:
        """They were used, but for those that have problems."""
        stats = self.stats
        if problems:
            self.root = None
            stats.update_rejected.value += 1
            for problem in problems:
                _log.warn("Filesystem config update rejected: {problem}", problem=problem)
        elif self.root is not None:
            version: str = self.root.version_info
            stats.update_success.value += 1
            stats.update_time.value = round(self._seconds() * 1000)
            stats.version_text.value = version
            stats.version.value = xxHash64(version.encode())

    def look(self) -> None:
        """Say so if the file has changed."""
        signature = _signature(self._path)
        if signature is not None and signature != self._signature:
            self._signature = signature
            _log.warn("{path} has changed; it is read at the start only", path=self._path)

    def _read(self) -> Any:
        plan = envoyPlans().find(_RESPONSE)
        assert plan is not None
        record, unit = decodeText(readFile(self._path), plan, [], self._findType)
        validate(record, unit, [])
        return viewOf(record)

    def _opened(self, holder: Any) -> View:
        if holder.typeName != self._kind:
            raise holder.error(f"Unexpected type {holder.typeName}, expected {self._kind}")
        return cast("View", holder.open())


@dataclass(frozen=True, slots=True)
class DynamicFiles:
    """What `dynamic_resources` names, None for nothing."""

    clusters: FileSubscription | None = None
    listeners: FileSubscription | None = None

    def roots(self) -> list[Any]:
        """Of the files that were taken wholly."""
        both = (self.clusters, self.listeners)
        return [one.root for one in both if one is not None and one.root is not None]


def readDynamicFiles(bootstrap: View, context: FactoryContext) -> DynamicFiles:
    """
    Read `dynamic_resources`; sources of any other kind stay unread.

    Raises:
        ConfigError: a file that is not there; or there is no node to ask as.
    """
    config = bootstrap.dynamic_resources
    if config is None:
        return DynamicFiles()
    clusters = _subscription(config.cds_config, _CLUSTER, "cluster_manager.cds.", context)
    listeners = _subscription(config.lds_config, _LISTENER, "listener_manager.lds.", context)
    return DynamicFiles(clusters, listeners)


def _subscription(
    config: View | None, kind: str, prefix: str, context: FactoryContext
) -> FileSubscription | None:
    path = "" if config is None else _pathOf(config)
    if config is None or not path:
        return None
    config.moot("resource_api_version", "there is one version")
    config.moot("initial_fetch_timeout", "a file is read at once")
    if kind == _LISTENER and context.validating:
        return None
    if not (context.node.id and context.node.cluster):
        raise config.error(
            f"type.googleapis.com/{kind}: node 'id' and 'cluster' are required. Set it either in "
            "'node' config or via --service-node and --service-cluster options."
        )
    if not os.path.exists(path):
        raise config.error(
            f"paths must refer to an existing path in the system: '{path}' does not exist"
        )
    made = FileSubscription(
        path,
        kind,
        context.stats.scope(prefix),
        context.reactor.seconds,
        context.extensions.findType,
    )
    cast("list[Callable[[], None]]", context.singleton(POLLED, list)).append(made.look)
    return made


def _pathOf(config: View) -> str:
    """The file of a ConfigSource, "" for every other kind of source."""
    kind = config.which("config_source_specifier")
    if kind == "path":
        return str(config.path_)
    if kind != "path_config_source":
        return ""
    source = config.path_config_source
    source.moot("watched_directory", "changes are told, not taken")
    source.moot("poll_interval", "changes are told, not taken")
    return str(source.path_)


def _signature(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
