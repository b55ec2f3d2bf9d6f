"""
What a chain of links costs: a chunk through it, and setting it up.

    python -m benchmarks.bench_chain

Candidates run in turns and the best of many short runs counts, so the ratios hold on a busy
machine too; the figures in nanoseconds are of this machine. Exits 1 when a budget is broken.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.policies import WrappingFactory
from zope.interface import implementer

from twisted_envoy.network.chain import Chain
from twisted_envoy.network.link import Link
from twisted_envoy.state.stream_info import StreamInfo

CHUNK = b"x" * 64
ADDRESS = IPv4Address("TCP", "127.0.0.1", 1)
ROUNDS = 60
CHUNKS = 5_000
SETUPS = 300


class Terminal(Protocol):
    """Takes bytes and forgets them."""

    def dataReceived(self, data: bytes) -> None:
        """Forget."""


class TerminalLink(Link):
    """The same as a link."""

    __slots__ = ()

    def dataReceived(self, data: bytes) -> None:
        """Forget."""


class Idle(Link):
    """Wants to know of new connections and of nothing else."""

    __slots__ = ()

    def connectionMade(self) -> None:
        """Say nothing."""


class Reader(Link):
    """Sees every chunk and passes it on."""

    __slots__ = ()

    def dataReceived(self, data: bytes) -> None:
        """Pass on."""
        self.deliver(data)


@implementer(ITransport)
class Wire:
    """The transport under all of them."""

    disconnecting = False

    def write(self, data: bytes) -> None:
        """Forget."""

    def writeSequence(self, data: Any) -> None:
        """Forget."""

    def loseConnection(self) -> None:
        """Stay."""

    def getPeer(self) -> IPv4Address:
        """Somewhere."""
        return ADDRESS

    def getHost(self) -> IPv4Address:
        """Somewhere."""
        return ADDRESS


def chainSetUp(makers: list[Callable[[], Any]]) -> Callable[[], Any]:
    """What sets up one chain and returns it."""
    streamInfo = StreamInfo(0.0, ADDRESS, ADDRESS)
    wire = Wire()

    def setUp() -> Chain:
        chain = Chain(makers, streamInfo)
        chain.makeConnection(wire)
        return chain

    return setUp


def wrapperSetUp(count: int) -> Callable[[], Any]:
    """What sets up a protocol in so many ProtocolWrappers and returns the outermost."""
    factory: Any = Factory.forProtocol(Terminal)
    for _ in range(count):
        factory = WrappingFactory(factory)
    wire = Wire()

    def setUp() -> Any:
        protocol = factory.buildProtocol(ADDRESS)
        protocol.makeConnection(wire)
        return protocol

    return setUp


def feeding(protocol: Any) -> Callable[[], None]:
    """What brings chunks to a connected protocol, as a transport does: an attribute and a call."""

    def feed() -> None:
        for _ in range(CHUNKS):
            protocol.dataReceived(CHUNK)

    return feed


def settingUp(setUp: Callable[[], Any]) -> Callable[[], None]:
    """What sets up many connections."""

    def run() -> None:
        for _ in range(SETUPS):
            setUp()

    return run


def forwarding(count: int) -> Callable[[bytes], None]:
    """So many plain methods that call the next: what Python itself takes for that."""

    class Hop:
        __slots__ = ("following",)

        def __init__(self, following: Callable[[bytes], None]) -> None:
            self.following = following

        def pass_(self, data: bytes) -> None:
            self.following(data)

    def last(data: bytes) -> None:
        return

    following: Callable[[bytes], None] = last
    for _ in range(count):
        following = Hop(following).pass_
    return following


def bestOf(candidates: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Seconds of each candidate's best run; they run in turns, forth and back."""
    best = dict.fromkeys(candidates, float("inf"))
    order = list(candidates)
    gc.collect()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            for name in order:
                began = time.perf_counter()
                candidates[name]()
                best[name] = min(best[name], time.perf_counter() - began)
            order.reverse()
            gc.collect(0)
    finally:
        gc.enable()
    return best


def measure() -> list[tuple[str, float, str, float, float]]:
    """
    Everything.

    Returns:
        Rows of: what, its figure, the figure's unit, the ratio that is judged, the budget.
    """

    class Plain:
        def __init__(self, function: Callable[[bytes], None]) -> None:
            self.dataReceived = function

    chunk = bestOf(
        {
            "none": feeding(chainSetUp([TerminalLink])()),
            "idle": feeding(chainSetUp([Idle, Idle, Idle, Idle, TerminalLink])()),
            "readers": feeding(chainSetUp([Reader, Reader, Reader, Reader, TerminalLink])()),
            "wrappers": feeding(wrapperSetUp(4)()),
            "calls 0": feeding(Plain(forwarding(0))),
            "calls 4": feeding(Plain(forwarding(4))),
        }
    )
    setUp = bestOf(
        {
            "chain": settingUp(chainSetUp([Idle, Reader, Idle, Terminal])),
            "wrappers": settingUp(wrapperSetUp(3)),
        }
    )
    nanoseconds = {name: seconds / CHUNKS * 1e9 for name, seconds in chunk.items()}
    reader = (nanoseconds["readers"] - nanoseconds["none"]) / 4
    wrapper = (nanoseconds["wrappers"] - nanoseconds["none"]) / 4
    call = (nanoseconds["calls 4"] - nanoseconds["calls 0"]) / 4
    microseconds = {name: seconds / SETUPS * 1e6 for name, seconds in setUp.items()}
    idle = nanoseconds["idle"] / nanoseconds["none"]
    made = microseconds["chain"] / microseconds["wrappers"]
    return [
        ("a chunk through 4 idle filters / through none", nanoseconds["idle"], "ns", idle, 1.05),
        ("a reader link / a plain method call", reader, "ns", reader / call, 1.3),
        ("a reader link / a ProtocolWrapper", reader, "ns", reader / wrapper, 0.75),
        ("set-up, 3 filters / 3 ProtocolWrappers", microseconds["chain"], "us", made, 0.5),
    ]


def main() -> int:
    """Print the table; 1 when a budget is broken."""
    broken = 0
    print(f"{'':50}{'figure':>12}{'ratio':>8}{'budget':>8}")
    for what, figure, unit, ratio, budget in measure():
        over = ratio > budget
        broken |= over
        figureText = f"{figure:.1f} {unit}"
        print(f"{what:50}{figureText:>12}{ratio:>8.2f}{budget:>8.2f}{'  BROKEN' if over else ''}")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
