"""
One name of a cache.

    state      event                           next
    asking     addresses                       known; who waits is told
    asking     none, or nobody could say       failed, who waits is told; known if it was before
    known,     refresh, used not long ago      asking
    failed
    known,     refresh, not used for host_ttl  gone
    failed
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IDelayedCall

from twisted_envoy.extensions.common.dynamic_forward_proxy.names import HostPort

Address = IPv4Address | IPv6Address


class CachedHost:
    """
    Attributes:
        key: the name and the port.
        address: where it is; None while nobody knows.
        failure: why nobody does.
        isResolved: it has been asked for once.
        lastUsed: seconds of the reactor's clock.
    """

    __slots__ = (
        "_waiters",
        "address",
        "asking",
        "backoff",
        "failure",
        "isResolved",
        "key",
        "lastUsed",
        "timer",
    )

    def __init__(self, key: HostPort, backoff: Any) -> None:
        self.key = key
        self.backoff = backoff
        self.address: Address | None = None
        self.failure = ""
        self.isResolved = False
        self.lastUsed = 0.0
        self.timer: IDelayedCall | None = None
        self.asking: Any = None
        self._waiters: list[Callable[[], None]] = []

    def whenResolved(self, call: Callable[[], None]) -> Callable[[], None]:
        """
        Call once it has been asked for.

        Returns:
            What calls that off.
        """
        self._waiters.append(call)

        def cancel() -> None:
            if call in self._waiters:
                self._waiters.remove(call)

        return cancel

    def resolved(self) -> None:
        """It has been."""
        self.isResolved = True
        waiters, self._waiters = self._waiters, []
        for call in waiters:
            call()

    def stop(self) -> None:
        """Ask no more."""
        timer, self.timer = self.timer, None
        if timer is not None:
            timer.cancel()
        asking, self.asking = self.asking, None
        if asking is not None:
            asking.cancel()
