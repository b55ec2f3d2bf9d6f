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
from pathlib import Path
from typing import Any, Protocol

from twisted_envoy.config.unread import unread
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.file_subscription import (
    SubscriptionStats,
    readResponse,
    signatureOf,
    tell,
)
from twisted_envoy.stats.scope import Scope

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


class SecretSubscription:
    """
    One secret in one file, for all who use it.

    Args:
        name: the secret's. kind: `tls_certificate` or `validation_context`.
        path: of the file. directory: changes of it count, too; "" for none.
        seconds: the reactor's clock.
    Attributes:
        content: the View of what was taken last. secret: the Secret with it, files read.
        version: of the response. updated: seconds, when it was taken.
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
        scope = scope.scope(f"sds.{name}.")
        self.stats = SubscriptionStats(scope)
        self._rotationFailed = scope.counter("key_rotation_failed")
        self._signature = signatureOf(self._paths)
        self.stats.update_attempt.value += 1
        self.updated = 0.0
        self.content, self.secret, self.version = self._read()
        self._files = filesOf(self.content)
        self._taken = signatureOf(self._files)
        self._next = seconds() + _EVERY
        self._succeed()

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
            stats.failed(self._path, problem)
            return
        before = self.content
        try:
            self.content, secret, version = self._secretOf(root)
            self._hand()
        except Exception as problem:
            self.content = before
            stats.rejected([problem])
            return
        self.secret, self.version = secret, version
        self._files = filesOf(self.content)
        self._taken = signatureOf(self._files)
        self._succeed()

    def _succeed(self) -> None:
        self.updated = self._seconds()
        self.stats.succeeded(self.version, self.updated)

    def _rotate(self) -> None:
        try:
            self._hand()
        except Exception as problem:
            self._rotationFailed.value += 1
            tell("Failed to reload certificates: ", problem)
        else:
            self.secret = shownSecret(self.secret, self.kind, self.content)

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

    def _read(self) -> tuple[Any, Any, str]:
        return self._secretOf(readResponse(self._path))

    def _secretOf(self, root: Any) -> tuple[Any, Any, str]:
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
        shown = shownSecret(secret.message, self.kind, content)
        return content, shown, root.version_info


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


def shownSecret(secret: Any, kind: str, content: Any) -> Any:
    """
    What /config_dump shows of a secret: with what its files hold in place of their names.

    Args:
        secret: the Secret's message; not changed. content: the View of what it holds.
    """
    shown = type(secret)()
    shown.CopyFrom(secret)
    message = getattr(shown, kind)
    message.CopyFrom(content.message)
    for field in _sourcesIn(message):
        source = getattr(message, field)
        try:
            source.inline_bytes = Path(source.filename).read_bytes()
        except OSError:
            continue  # it has just gone: whoever takes it next says so
    return shown


def _sourcesIn(message: Any) -> list[str]:
    """The fields that name files."""
    known = message.DESCRIPTOR.fields_by_name
    return [
        field
        for field in _FILES
        if field in known and message.HasField(field) and getattr(message, field).filename
    ]


def filesOf(content: Any) -> tuple[str, ...]:
    """The files that a secret names, and the folder that it has watched."""
    message = content.message
    found = [getattr(message, field).filename for field in _sourcesIn(message)]
    if message.HasField("watched_directory") and message.watched_directory.path:
        found.append(message.watched_directory.path)
    return tuple(found)
