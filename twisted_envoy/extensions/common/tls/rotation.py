"""What is made of secrets, made anew when they change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.logger import Logger

from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.tls.secrets import signatureOf
from twisted_envoy.stats.metrics import Counter

_log = Logger("secret")

_EVERY = 1.0
"""Seconds between two looks."""

Made = TypeVar("Made")


class Rotating(Generic[Made]):
    """
    Something made of files.

    Args:
        make: makes it of what the files say now; ConfigError keeps what there is.
        paths: of the files, asked for anew each time it was made; none: it never changes.
        seconds: the reactor's clock.
        updated, rejected: counters.

    Attributes:
        value: what was made last.
    """

    def __init__(
        self,
        make: Callable[[], Made],
        paths: Callable[[], tuple[str, ...]],
        seconds: Callable[[], float],
        updated: Counter,
        rejected: Counter,
    ) -> None:
        self._make = make
        self._paths = paths
        self._seconds = seconds
        self._updated = updated
        self._rejected = rejected
        self.value = make()
        self._signature = signatureOf(paths())
        self._next = seconds() + _EVERY
        self._changes = bool(self._signature)

    def current(self) -> Made:
        """It, as the files have it."""
        if self._changes and self._seconds() >= self._next:
            self._look()
        return self.value

    def _look(self) -> None:
        self._next = self._seconds() + _EVERY
        signature = signatureOf(self._paths())
        if signature == self._signature:
            return
        self._signature = signature
        try:
            self.value = self._make()
        except ConfigError as problem:
            self._rejected.value += 1
            _log.error(
                "a changed secret is rejected, the old one stays: {problem}", problem=problem
            )
        else:
            self._signature = signatureOf(self._paths())
            self._updated.value += 1
