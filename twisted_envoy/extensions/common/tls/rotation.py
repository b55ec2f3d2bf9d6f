"""What is made of secrets, made anew when they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from twisted_envoy.stats.metrics import Counter

if TYPE_CHECKING:
    from twisted_envoy.extensions.common.tls.subscription import SecretSubscription

Made = TypeVar("Made")


class Rotating(Generic[Made]):
    """
    Something made of secrets.

    Args:
        make: makes it of what they say now; raises ConfigError when that cannot be.
        subscriptions: those of the secrets that may change.
        updated: counts what each secret brought, the first time included.

    Attributes:
        value: what was made last.
    """

    def __init__(
        self,
        make: Callable[[], Made],
        subscriptions: Sequence[SecretSubscription],
        updated: Counter,
    ) -> None:
        self.make = make
        self._subscriptions = tuple(subscriptions)
        self._updated = updated
        self.value = make()
        for each in subscriptions:
            each.add(self)
            updated.value += 1

    def current(self) -> Made:
        """It, as the files have it."""
        for each in self._subscriptions:
            each.look()
        return self.value

    def take(self, made: Made) -> None:
        """Use this from now on."""
        self.value = made
        self._updated.value += 1
