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

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from twisted.logger import Logger

from twisted_envoy.errors import ConfigError, UnsupportedExtension, UnsupportedField
from twisted_envoy.extensions.common.file_subscription import (
    SubscriptionStats,
    checkFile,
    readResponse,
    signatureOf,
)
from twisted_envoy.interfaces.extensions import POLLED
from twisted_envoy.stats.scope import Scope
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.server.context import FactoryContext

_log = Logger("config")

_CLUSTER = "envoy.config.cluster.v3.Cluster"
_LISTENER = "envoy.config.listener.v3.Listener"


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
        self._signature = signatureOf((path,))
        self.root: Any = None

    def resources(self) -> tuple[View, ...]:
        """
        Every resource; none when one of them is not what it should be.

        Raises:
            UnsupportedExtension, UnsupportedField: what is known to Envoy only.
        """
        self.stats.update_attempt.value += 1
        try:
            self.root = readResponse(self._path, self._findType)
        except ConfigError as problem:
            self.stats.failed(self._path, problem)
            return ()
        try:
            return tuple(self._opened(each) for each in self.root.resources)
        except (UnsupportedExtension, UnsupportedField):
            raise
        except ConfigError as problem:
            self.used([problem])
            return ()

    def used(self, problems: list[ConfigError]) -> None:
        """They were used, but for those that have problems."""
        if problems:
            self.root = None
            self.stats.rejected(problems)
        elif self.root is not None:
            self.stats.succeeded(self.root.version_info, self._seconds())

    def look(self) -> None:
        """Say so if the file has changed."""
        signature = signatureOf((self._path,))
        if signature[0] is not None and signature != self._signature:
            self._signature = signature
            _log.warn("{path} has changed; it is read at the start only", path=self._path)

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
    clusters = subscribe(config.cds_config, _CLUSTER, "cluster_manager.cds.", context)
    listeners = subscribe(config.lds_config, _LISTENER, "listener_manager.lds.", context)
    return DynamicFiles(clusters, listeners)


def subscribe(
    config: View | None, kind: str, prefix: str, context: FactoryContext
) -> FileSubscription | None:
    """
    Follow the file of a ConfigSource.

    Args:
        kind: the type of its resources. prefix: of its stats.
    Returns:
        None for every other kind of source, and for listeners while validating.
    Raises:
        ConfigError: a file that is not there; or there is no node to ask as.
    """
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
    checkFile(config, path)
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
