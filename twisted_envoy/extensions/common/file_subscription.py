"""
What all have in common that follow a DiscoveryResponse in a file.

Envoy: FilesystemSubscriptionImpl, SubscriptionStats
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from twisted.logger import Logger

from twisted_envoy.config.bootstrap import decodeText, envoyPlans
from twisted_envoy.config.load import readFile
from twisted_envoy.config.rules import validate
from twisted_envoy.config.view import viewOf
from twisted_envoy.errors import ConfigError
from twisted_envoy.network.xxhash import xxHash64
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope

_log = Logger("config")

_RESPONSE = "envoy.service.discovery.v3.DiscoveryResponse"


def checkFile(config: Any, path: str) -> None:
    """
    Look whether a file can be followed.

    Args:
        config: the View of its ConfigSource.
    Raises:
        ConfigError: in Envoy's words: it is not there, or has no folder in its path to look at.
    """
    if not os.path.exists(path):
        raise config.error(
            f"paths must refer to an existing path in the system: '{path}' does not exist"
        )
    source = config.path_config_source
    if "/" not in path and (source is None or source.watched_directory is None):
        raise config.error(f"invalid file path {path}")


class SubscriptionStats:
    """`cluster_manager.cds.*`, `listener_manager.lds.*` or `sds.<name>.*`."""

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

    def succeeded(self, version: str, now: float) -> None:
        """What came is in use; now: seconds."""
        self.update_success.value += 1
        self.update_time.value = round(now * 1000)
        self.version_text.value = version
        self.version.value = xxHash64(version.encode())

    def failed(self, path: str, problem: Exception) -> None:
        """The file cannot be read."""
        self.update_failure.value += 1
        tell(f"Filesystem config update failure: in {path}, ", problem)

    def rejected(self, problems: Iterable[Exception]) -> None:
        """What it says cannot be used."""
        self.update_rejected.value += 1
        for problem in problems:
            tell("Filesystem config update rejected: ", problem)


def tell(what: str, problem: Exception) -> None:
    """Log why nothing has changed; what is no problem of the config's with its traceback."""
    if isinstance(problem, ConfigError):
        _log.warn("{what}{problem}", what=what, problem=problem)
    else:
        _log.failure("{what}{problem!r}", what=what, problem=problem)


def readResponse(path: str, findType: Callable[[str], bool] | None = None) -> Any:
    """
    The View of a DiscoveryResponse in a file.

    Args:
        findType: of the extensions, where resources may be theirs.
    Raises:
        ConfigError: it cannot be read.
    """
    plan = envoyPlans().find(_RESPONSE)
    assert plan is not None
    text = readFile(path)
    if findType is None:
        record, unit = decodeText(text, plan, [])
    else:
        record, unit = decodeText(text, plan, [], findType)
    validate(record, unit, [])
    return viewOf(record)


def signatureOf(paths: Iterable[str]) -> tuple[object, ...]:
    """Equal as long as none of the files has changed, links followed; None for a missing one."""
    found: list[object] = []
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_ino, status.st_size))
    return tuple(found)
