"""
A secret that stands in a file, and what happens when the file changes.

    what changed                              what happens
    the file: it cannot be read               update_failure; the old secret stays
    the file: not that secret, or a bad one   update_rejected; the old secret stays
    the file: a good secret                   update_success; all who use it take it at once
    a file that the secret names              they take it, or key_rotation_failed

A file that has gone away changes nothing. The files are looked at once a second, and before each
connection.

Envoy: SdsApi, FilesystemSubscriptionImpl
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.logger import Logger

from twisted_envoy.config.bootstrap import decodeText, envoyPlans
from twisted_envoy.config.load import readFile
from twisted_envoy.config.rules import validate
from twisted_envoy.config.unread import unread
from twisted_envoy.config.view import viewOf
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.tls.signature import signatureOf
from twisted_envoy.network.xxhash import xxHash64
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope

_log = Logger("config")

_RESPONSE = "envoy.service.discovery.v3.DiscoveryResponse"
_EVERY = 1.0
"""Seconds between two looks."""
_FILES = (
    *("certificate_chain", "private_key", "pkcs12", "password", "ocsp_staple"),
    *("trusted_ca", "crl"),
)


class SecretUser(Protocol):
    """
    Somebody who makes something of a secret.

    Attributes:
        value: what is in use; put back when somebody else cannot take what was made.
    """

    value: Any

    def make(self) -> Any:
        """
        Make it of what the secret says now; nothing has changed yet.

        Raises:
            ConfigError: that cannot be used.
        """

    def take(self, made: Any) -> None:
        """Use it from now on."""


class SDSStats:
    """`sds.<name>.*`."""

    init_fetch_timeout: Counter
    key_rotation_failed: Counter
    update_attempt: Counter
    update_failure: Counter
    update_rejected: Counter
    update_success: Counter
    update_time: Gauge
    version: Gauge

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
        self.version_text = scope.textReadout("version_text")


class SecretSubscription:
    """
    One secret in one file, for all who use it.

    Args:
        name: the secret's. kind: `tls_certificate` or `validation_context`.
        path: of the file. directory: changes of it count, too; "" for none.
        seconds: the reactor's clock.
    Attributes:
        content: the View of what was taken last.
    Raises:
        ConfigError: there is no such secret now.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        path: str,
        directory: str,
        scope: Scope,
        seconds: Callable[[], float],
    ) -> None:
        self.name = name
        self.kind = kind
        self._paths = tuple(each for each in (path, directory) if each)
        self._path = path
        self._seconds = seconds
        self._users: list[SecretUser] = []
        self.stats = SDSStats(scope.scope(f"sds.{name}."))
        self._signature = signatureOf(self._paths)
        self.stats.update_attempt.value += 1
        self.content, self._version = self._read()
        self._files = filesOf(self.content)
        self._taken = signatureOf(self._files)
        self._next = seconds() + _EVERY
        self._succeeded()

    def add(self, user: SecretUser) -> None:
        """Have somebody take what comes."""
        self._users.append(user)

    def look(self) -> None:
        """Take what has changed, if it is time to look."""
        now = self._seconds()
        if now < self._next:
            return
        self._next = now + _EVERY
        signature = signatureOf(self._paths)
        if signature != self._signature:
            self._signature = signature
            if signature[0] is not None:
                self._update()
                return
        taken = signatureOf(self._files)
        if taken != self._taken:
            self._taken = taken
            self._rotate()

    def _update(self) -> None:
        stats = self.stats
        stats.update_attempt.value += 1
        try:
            root = readResponse(self._path)
        except Exception as problem:
            stats.update_failure.value += 1
            _tell(f"Filesystem config update failure: in {self._path}, ", problem)
            return
        before = self.content
        try:
            self.content, version = self._secretOf(root)
            self._hand()
        except Exception as problem:
            self.content = before
            stats.update_rejected.value += 1
            _tell("Filesystem config update rejected: ", problem)
            return
        self._version = version
        self._files = filesOf(self.content)
        self._taken = signatureOf(self._files)
        self._succeeded()

    def _rotate(self) -> None:
        try:
            self._hand()
        except Exception as problem:
            self.stats.key_rotation_failed.value += 1
            _tell("Failed to reload certificates: ", problem)

    def _hand(self) -> None:
        """Give everybody the content, or nobody."""
        users = self._users
        made = [user.make() for user in users]
        before = [user.value for user in users]
        try:
            for user, one in zip(users, made, strict=True):
                user.take(one)
        except Exception:
            for user, one in zip(users, before, strict=True):
                user.value = one
            raise

    def _succeeded(self) -> None:
        stats = self.stats
        stats.update_success.value += 1
        stats.update_time.value = round(self._seconds() * 1000)
        stats.version_text.value = self._version
        stats.version.value = xxHash64(self._version.encode())

    def _read(self) -> tuple[Any, str]:
        return self._secretOf(readResponse(self._path))

    def _secretOf(self, root: Any) -> tuple[Any, str]:
        name = self.name
        found = [each.open() for each in root.resources]
        if not found:
            raise root.error(f"Missing SDS resources for {name} in onConfigUpdate()")
        if len(found) > 1:
            raise root.error(
                f"Unexpected SDS secrets length for {name}, number of added resources "
                f"{len(found)}, number of removed resources 0. Expected sum is 1"
            )
        secret = found[0]
        if secret.name != name:
            raise secret.error(f"Unexpected SDS secret (expecting {name}): {secret.name}", "name")
        content = getattr(secret, self.kind)
        if content is None:
            raise secret.error(f"Unexpected SDS secret (expecting a {self.kind}): {name}")
        return content, root.version_info


def _tell(what: str, problem: Exception) -> None:
    """Log why nothing has changed; what is no problem of the config's with its traceback."""
    if isinstance(problem, ConfigError):
        _log.warn("{what}{problem}", what=what, problem=problem)
    else:
        _log.failure("{what}{problem!r}", what=what, problem=problem)


def readResponse(path: str) -> Any:
    """
    The View of a DiscoveryResponse in a file.

    Raises:
        ConfigError: it cannot be read.
    """
    plan = envoyPlans().find(_RESPONSE)
    assert plan is not None
    record, unit = decodeText(readFile(path), plan, [])
    validate(record, unit, [])
    return viewOf(record)


def refuseUnread(content: Any) -> None:
    """
    After all was read: what was not is not obeyed.

    Raises:
        ConfigError: with the first of them.
    """
    left = unread(content)
    if left:
        first = left[0]
        raise ConfigError(first.path, f"'{first.fieldName}' is set and not obeyed", first.position)


def filesOf(content: Any) -> tuple[str, ...]:
    """The files that a secret names, and the folder that it has watched."""
    message = content.message
    found = [
        getattr(message, field).filename
        for field in _FILES
        if field in message.DESCRIPTOR.fields_by_name and message.HasField(field)
    ]
    if message.HasField("watched_directory"):
        found.append(message.watched_directory.path)
    return tuple(path for path in found if path)
