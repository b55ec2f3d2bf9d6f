"""
How tunnels behave, over either protocol, and the runtime's say in it.

    runtime key                                    what it does
    twisted_envoy.http1_tunnel_half_close          the origin's late answer comes through HTTP/1.1
    twisted_envoy.tunnel.connect_response_timeout_ms   a limit for the answer to CONNECT or POST
    twisted_envoy.tunnel.propagate_connect_failure     a refusal is told to an internal client
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.stats.metrics import Counter
from twisted_envoy.values import dataclass

_HALF_CLOSE = "twisted_envoy.http1_tunnel_half_close"
_TIMEOUT = "twisted_envoy.tunnel.connect_response_timeout_ms"
_FAILURE = "twisted_envoy.tunnel.propagate_connect_failure"


@dataclass(frozen=True, slots=True)
class TunnelKind:
    """
    How a tunnel behaves.

    Attributes:
        endsTogether: either end is the end of both, as over HTTP/1.1;
        answersLate: but what comes behind the client's end is still delivered.
        uncounted: a counter that nobody reads.
    """

    endsTogether: bool
    answersLate: bool
    uncounted: Counter


class TunnelSwitches:
    """
    What the runtime says; asked at each tunnel, so that it may change.

    Args:
        runtime: of the server.

    Attributes:
        uncounted: a counter that nobody reads.
    """

    __slots__ = ("_runtime", "uncounted")

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime
        self.uncounted = Counter("")
        for ask in (self.answersLate, self.responseTimeout, self.propagatesFailure):
            ask()  # the runtime reports what nobody asks for

    def answersLate(self) -> bool:
        """Does HTTP/1.1 keep what the origin says behind the client's end?"""
        return bool(self._runtime.boolean(_HALF_CLOSE, False))

    def responseTimeout(self) -> float:
        """Seconds until a request must be answered, 0 for ever."""
        return max(0, self._runtime.integer(_TIMEOUT) or 0) / 1000

    def propagatesFailure(self) -> bool:
        """Is a refusal told to the other end of an internal connection?"""
        return bool(self._runtime.boolean(_FAILURE, False))


def kindOver(http1: bool, switches: TunnelSwitches) -> TunnelKind:
    """The kind of a tunnel that is open now."""
    return TunnelKind(http1, http1 and switches.answersLate(), switches.uncounted)
