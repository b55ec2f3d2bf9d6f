"""
Internal connections against loopback TCP, in one process and under one reactor.

    python -m benchmarks.bench_internal [waited]

Both sides do the same work with the same protocols, in turns; the figures are medians of CPU time,
the kernel's included, in which other work on the machine does not count.  Rounds
marked "in flight" keep that many going at once, so that both pay for work and not for polling.  A
connect is timed until both sides' `connectionMade` were called, and what it opened is closed after
that; a connect+exchange+close is timed until its `connectionLost`.  Nobody looks at the Deferreds;
with "waited" each has a callback, on both sides, which the limits do not allow for.

The project's limits are 1/15 for a connection and 1/10 for a message; what is over its limit fails
the run with status 1.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Generator
from statistics import median
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, serverFromString
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import react
from zope.interface import implementer

from twisted_envoy.internal import InternalClientEndpoint, InternalServerEndpoint

MESSAGE = b"x" * 64
ROUNDS = 9
CONNECTION_LIMIT = 1 / 15
MESSAGE_LIMIT = 1 / 10

#: Title, exchanges of a connection (0: it is opened), connections in flight, and how many in all:
#: internal, TCP.
ROWS = (
    ("us a connect, 32 in flight", 0, 32, (1280, 320)),
    ("us a connect, one by one", 0, 1, (1280, 320)),
    ("us a connect+exchange+close, 32 in flight", 1, 32, (6400, 640)),
    ("us a connect+exchange+close, 64 in flight", 1, 64, (6400, 640)),
    ("us a connect+exchange+close, one by one", 1, 1, (2000, 300)),
    ("us a message, one pair", 20_000, 1, (1, 1)),
    ("us a message, 64 pairs", 300, 64, (64, 64)),
)


class Echo(Protocol):
    """Writes back what it gets."""

    def dataReceived(self, data: bytes) -> None:
        """Echo."""
        self.transport.write(data)  # type: ignore[union-attr]


class Player(Protocol):
    """Sends a message, waits for its echo, so many times; then closes."""

    left: int
    factory: Players

    def connectionMade(self) -> None:
        """Serve."""
        self.transport.write(MESSAGE)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        """Return the ball or leave."""
        self.left -= 1
        if self.left:
            self.transport.write(data)  # type: ignore[union-attr]
        else:
            self.transport.loseConnection()  # type: ignore[union-attr]

    def connectionLost(self, reason: object = None) -> None:
        """Tell."""
        self.factory.one()


@implementer(IStreamClientEndpoint)
class Waited:
    """An endpoint of which each connect is waited for by a callback."""

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self.endpoint = endpoint

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect."""
        return self.endpoint.connect(protocolFactory).addCallback(_same)


def _same(protocol: IProtocol) -> IProtocol:
    return protocol


class Players(Factory):
    """Keeps so many connections in flight until a total is reached, and takes the time."""

    noisy = False

    def __init__(self, endpoint: IStreamClientEndpoint, exchanges: int) -> None:
        self.endpoint = endpoint
        self.exchanges = exchanges

    def buildProtocol(self, addr: object) -> Player:  # type: ignore[override]
        """A player of this match."""
        player = Player()
        player.factory = self
        player.left = self.exchanges
        return player

    def play(self, inFlight: int, total: int) -> Deferred[float]:
        """Fires with the seconds of CPU time it took."""
        self.toStart = total - inFlight
        self.toEnd = total
        self.finished: Deferred[float] = Deferred()
        gc.collect()
        gc.freeze()  # collections then cost what these connections cost, not the modules
        self.began = time.process_time()
        for _ in range(inFlight):
            self.endpoint.connect(self)
        return self.finished

    def one(self) -> None:
        """One connection has ended."""
        self.toEnd -= 1
        if self.toStart:
            self.toStart -= 1
            self.endpoint.connect(self)
        elif not self.toEnd:
            self.finished.callback(time.process_time() - self.began)


class Opened(Protocol):
    """Is counted when it is connected."""

    factory: Opening

    def connectionMade(self) -> None:
        """Tell, if the other end has been connected, too."""
        factory = self.factory
        factory.opened.append(self)
        if len(factory.opened) <= len(factory.other.opened):
            factory.client.one()

    def connectionLost(self, reason: object = None) -> None:
        """Tell."""
        self.factory.client.lost()


class Opening(Factory):
    """One side of connections that are opened and stay; the client's keeps so many in flight."""

    noisy = False
    protocol = Opened  # type: ignore[assignment]
    other: Opening
    client: Opening

    def __init__(self) -> None:
        self.opened: list[Opened] = []
        self.client = self

    def to(self, endpoint: IStreamClientEndpoint, servers: Opening) -> Opening:
        """Connect with this endpoint, to where these listen."""
        self.endpoint = endpoint
        self.other = servers
        return self

    def play(self, inFlight: int, total: int) -> Deferred[float]:
        """Fires with the seconds until all were connected on both sides, when they are closed."""
        self.other.other = self.other.client = self
        self.toStart = total - inFlight
        self.toOpen = total
        self.toLose = 2 * total
        self.finished: Deferred[float] = Deferred()
        gc.collect()
        gc.freeze()
        self.began = time.process_time()
        for _ in range(inFlight):
            self.endpoint.connect(self)
        return self.finished

    def one(self) -> None:
        """Both ends of one more are connected."""
        self.toOpen -= 1
        if self.toStart:
            self.toStart -= 1
            self.endpoint.connect(self)
        elif not self.toOpen:
            self.taken = time.process_time() - self.began
            for protocol in self.opened:
                protocol.transport.loseConnection()  # type: ignore[union-attr]

    def lost(self) -> None:
        """One more end has lost its connection."""
        self.toLose -= 1
        if not self.toLose:
            self.opened.clear()
            self.other.opened.clear()
            self.finished.callback(self.taken)


def compare(
    title: str,
    players: Callable[[int], list[Any]],
    exchanges: int,
    inFlight: int,
    totals: tuple[int, int],
) -> Generator[Deferred[float], float, bool]:
    """
    Play in turns over internal connections and over TCP, print the medians.

    Args:
        players: makes, for so many exchanges, who plays internally and who over TCP.
    Returns:
        Whether the ratio of internal to TCP is within the limit.
    Units: the printed figures are microseconds a connection, or a message of several.
    """
    figures: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for player, total, taken in zip(players(exchanges), totals, figures, strict=True):
            seconds = yield player.play(inFlight, total)
            count = total if exchanges <= 1 else total * exchanges * 2
            taken.append(seconds / count * 1e6)
    internal, tcp = map(median, figures)
    ratio = median(mine / other for mine, other in zip(*figures, strict=True))
    within = ratio <= (CONNECTION_LIMIT if exchanges <= 1 else MESSAGE_LIMIT)
    verdict = f"{ratio:9.3f}  1/{1 / ratio:.1f}{'' if within else '  over the limit'}"
    print(f"{title:<48}{internal:10.2f}{tcp:10.2f}{verdict}", flush=True)
    return within


@inlineCallbacks
def listen(reactor: Any, servers: Factory[Any], name: str) -> Generator[Deferred[Any], Any, Any]:
    """Listen under a name and on a port; fires with the port and how to connect to the two."""
    yield InternalServerEndpoint(reactor, name).listen(servers)
    listener: IStreamServerEndpoint = serverFromString(  # type: ignore[no-untyped-call]
        reactor, "tcp:0:interface=127.0.0.1:backlog=1024"
    )
    port: Any = yield listener.listen(servers)
    tcp = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    return port, (InternalClientEndpoint(reactor, name), tcp)


@inlineCallbacks
def main(reactor: Any, how: str = "") -> Generator[Deferred[Any], Any, None]:
    """Run all comparisons, with callbacks if how is "waited"."""
    echoes = Factory.forProtocol(Echo)
    echoes.noisy = False
    echo, echoEnds = yield listen(reactor, echoes, "echo")
    servers = Opening()
    opens, openEnds = yield listen(reactor, servers, "opened")

    def players(exchanges: int) -> list[Any]:
        ends = [Waited(end) if how else end for end in (echoEnds if exchanges else openEnds)]
        if exchanges:
            return [Players(end, exchanges) for end in ends]
        return [Opening().to(end, servers) for end in ends]

    print(f"{'':<48}{'internal':>10}{'TCP':>10}{'ratio':>9}")
    within = []
    for title, exchanges, inFlight, totals in ROWS:
        within.append((yield from compare(title, players, exchanges, inFlight, totals)))
    yield echo.stopListening()
    yield opens.stopListening()
    if not all(within) and not how:
        raise SystemExit(1)


if __name__ == "__main__":
    react(main, sys.argv[1:])
