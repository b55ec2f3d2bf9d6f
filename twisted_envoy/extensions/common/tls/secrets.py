"""
Secrets by name: those of the bootstrap, and those that stand in files and may change (SDS).

A file is a DiscoveryResponse with Secrets in it, as Envoy's `path_config_source` has it. Whoever
uses a secret looks at its files when a connection comes, at most once a second: no timer runs, and
nothing that is open is touched.

Envoy: SecretManagerImpl, SdsApi
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from twisted.logger import Logger

from twisted_envoy.config.bootstrap import decodeText, envoyPlans
from twisted_envoy.config.load import readFile
from twisted_envoy.config.rules import validate
from twisted_envoy.config.unread import unread
from twisted_envoy.config.view import viewOf
from twisted_envoy.errors import ConfigError

_log = Logger("secret")

_RESPONSE = "envoy.service.discovery.v3.DiscoveryResponse"
_STATIC = "static TLS secrets"


class SecretSource:
    """
    One secret that a config names.

    Args:
        name: the secret's.
        kind: `tls_certificate` or `validation_context`.
        path: of the file that it stands in; "" for one of the bootstrap, which is `static`.
        directory: changes of it are looked for, too.
    """

    __slots__ = ("_static", "directory", "kind", "name", "path")

    def __init__(
        self, name: str, kind: str, path: str = "", directory: str = "", static: Any = None
    ) -> None:
        self.name = name
        self.kind = kind
        self.path = path
        self.directory = directory
        self._static = static

    def read(self) -> Any:
        """
        The View of the secret's content now.

        Raises:
            ConfigError: the file cannot be read, or has no such secret.
        """
        if self._static is not None:
            return self._static
        root = _readResponse(self.path)
        for each in root.resources:
            secret = each.open()
            if secret.name == self.name:
                content = getattr(secret, self.kind)
                if content is None:
                    raise secret.error(f"Unexpected SDS secret of another kind: {self.name}")
                return content
        raise root.error(f"Missing SDS resources for {self.name}")

    def check(self, content: Any) -> None:
        """
        After all was read: what was not is not obeyed.

        Raises:
            ConfigError: with the first of them.
        """
        left = [] if self._static is not None else unread(content)
        if left:
            first = left[0]
            raise ConfigError(
                first.path, f"'{first.fieldName}' is set and not obeyed", first.position
            )

    @property
    def watched(self) -> tuple[str, ...]:
        """The files whose changes count."""
        return tuple(path for path in (self.path, self.directory) if path)


def _readResponse(path: str) -> Any:
    plan = envoyPlans().find(_RESPONSE)
    assert plan is not None
    record, unit = decodeText(readFile(path), plan, [])
    validate(record, unit, [])
    return viewOf(record)


def readSecretSource(view: Any, kind: str, context: Any) -> SecretSource:
    """
    Read an SdsSecretConfig.

    Args:
        kind: `tls_certificate` or `validation_context`.
    Raises:
        ConfigError: in Envoy's words where it has some.
    """
    name: str = view.name
    config = view.sds_config
    if config is None:
        found = context.singleton(_STATIC, dict).get((kind, name))
        if found is None:
            raise view.error(f"Unknown static secret: {name}", "name")
        return SecretSource(name, kind, static=found)
    chosen = config.which("config_source_specifier")
    if chosen not in ("path", "path_config_source"):
        raise config.error(f"secrets from {chosen} are not implemented", chosen)
    config.moot("resource_api_version", "there is but one")
    config.moot("initial_fetch_timeout", "a file is there or not")
    directory = ""
    if chosen == "path":
        path = config.path_
    else:
        source = config.path_config_source
        path = source.path_
        if source.watched_directory is not None:
            directory = source.watched_directory.path_
        source.moot("poll_interval", "it is looked at every second")
    if not os.path.exists(path):
        raise config.error(
            f"paths must refer to an existing path in the system: '{path}' does not exist"
        )
    return SecretSource(name, kind, path, directory)


def keepStaticSecrets(views: Iterable[Any], context: Any) -> int:
    """
    Keep the secrets of the bootstrap, for those who name them.

    Returns:
        How many there are.
    """
    kept: dict[tuple[str, str], Any] = context.singleton(_STATIC, dict)
    count = 0
    for view in views:
        count += 1
        kind = view.which("type")
        name = view.name
        if (kind, name) in kept:
            raise view.error(f"Duplicate static {kind} secret name {name}")
        if kind in ("tls_certificate", "validation_context"):
            kept[(kind, name)] = getattr(view, kind)
    return count


def signatureOf(paths: Iterable[str]) -> tuple[object, ...]:
    """Equal as long as none of the files has changed, links followed."""
    found: list[object] = []
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_ino, status.st_size))
    return tuple(found)
