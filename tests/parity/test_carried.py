"""Plain TCP proxies, whose connections are carried: one, and two with a hop between them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, ClassVar

from tests.bootstraps import cluster, listener, tcpProxy
from tests.parity.peers import Peer, Served
from tests.parity.support import ParityTestCase, Side, served

Part = Callable[[Peer], object]
LOTS = 3_000_000


def count(peer: Peer) -> tuple[int, str]:
    """How many bytes come until the end, and which end that is."""
    data, end = peer.rest()
    return len(data), end


def lastWords(peer: Peer) -> object:
    """Hear the other side out, then speak and end."""
    heard = count(peer)
    peer.send(b"y" * 9999)
    peer.end()
    return heard


def firstWords(peer: Peer) -> object:
    """Speak and end, then hear the other side out."""
    peer.send(b"x" * 10_000)
    peer.end()
    return count(peer)


def closes(peer: Peer) -> object:
    """Speak, hear one byte, and close whole."""
    peer.send(b"x" * 100)
    heard = peer.receive(1)
    peer.close()
    return heard


def resets(peer: Peer) -> object:
    """The same with a reset."""
    peer.send(b"x" * 100)
    heard = peer.receive(1)
    peer.reset()
    return heard


def endsAndResets(peer: Peer) -> object:
    """End, hear one byte, and reset."""
    peer.end()
    heard = peer.receive(1)
    peer.reset()
    return heard


def answers(peer: Peer) -> object:
    """Say one byte when the other side has spoken, and hear how it ends."""
    heard = len(peer.receive(100))
    peer.send(b"y")
    return heard, count(peer)[1]


def answersTheEnd(peer: Peer) -> object:
    """Say one byte when the other side has ended, and hear how it goes on."""
    heard = count(peer)
    peer.send(b"y")
    return heard


def lots(peer: Peer) -> object:
    """More than anybody keeps, and an end."""
    peer.send(b"z" * LOTS)
    peer.end()
    return count(peer)


STORIES: dict[bytes, tuple[Part, Part]] = {
    b"a": (firstWords, lastWords),
    b"b": (lastWords, firstWords),
    b"c": (closes, answers),
    b"d": (answers, closes),
    b"e": (resets, answers),
    b"f": (answers, resets),
    b"g": (endsAndResets, answersTheEnd),
    b"h": (answersTheEnd, endsAndResets),
    b"i": (lots, lastWords),
    b"j": (lastWords, lots),
}
"""Name -> what the client does, and the origin."""


def plays(peer: Peer) -> object:
    """The origin's part of the story that the client names."""
    name = peer.receive(1)
    return name, STORIES[name][1](peer)


def full() -> socket.socket:
    """A socket that answers no connect: its queue is full."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(0)
    for _ in range(4):
        waiting = socket.socket()
        waiting.setblocking(False)
        waiting.connect_ex(sock.getsockname())
        FILLING.append(waiting)
    FILLING.append(sock)
    return sock


FILLING: list[socket.socket] = []


class CarriedTests(ParityTestCase):
    """Proxies without logs; `1` goes to the origin, `2` over a hop."""

    origins: ClassVar[dict[str, Served | None]] = {
        **{name: plays for name in ("plays1", "plays2", "one1", "one2", "idle1", "full2")},
        "refused1": None,
        "refused2": None,
    }

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        silent = full().getsockname()[1]
        listeners = []
        clusters = []
        for name, port in {**ports, "silent1": silent, "silent2": silent}.items():
            fields: dict[str, Any] = {"connect_timeout": "0.3s"}
            if name.startswith("one"):
                fields["circuit_breakers"] = {"thresholds": [{"max_connections": 1}]}
            clusters.append(cluster(name, f"127.0.0.1:{port}", **fields))
            to = name
            if name.endswith("2"):
                to = f"{name}Hop"
                inner = tcpProxy(name, f"{name}Inner")
                listeners.append(listener(to, "internal:", inner, stat_prefix=to))
                clusters.append(cluster(to, f"internal:{to}"))
            more = {"idle_timeout": "0.3s"} if name == "idle1" else {}
            proxy = tcpProxy(to, name, **more)
            listeners.append(listener(name, "127.0.0.1:0", proxy, stat_prefix=name))
        layer = {"envoy.resource_limits.listener.full2Hop.connection_limit": 1}
        runtime = {"layers": [{"name": "limits", "static_layer": layer}]}
        return served(listeners, clusters, layered_runtime=runtime)

    def _compared(self, name: str, scenario: Callable[[Side], object]) -> Any:
        # Whether a flush is counted depends on bytes and their end being read at once.
        names = rf"^(listener|tcp|cluster)\.{name}(Hop|Inner)?\.(?!upstream_flush_total)"
        return self.same(scenario, names)

    def _stories(self, name: str) -> None:
        def scenario(side: Side) -> object:
            heard = []
            for story, (part, _) in STORIES.items():
                client = side.connect(name)
                client.send(story)
                heard.append(part(client))
                heard.append(side.seen(name, len(heard) // 2 + 1)[-1])
                client.close()
            return heard

        self._compared(name, scenario)

    def test_stories(self) -> None:
        """Who ends first, and how: both sides hear the same, and the same is counted."""
        self._stories("plays1")

    def test_storiesOverAHop(self) -> None:
        """So it is over a hop."""
        self._stories("plays2")

    def _taken(self, name: str) -> None:
        def scenario(side: Side) -> object:
            first = side.connect(name)
            first.send(b"c" + b"x" * 100)
            first.receive(1)
            second = side.connect(name).rest()
            first.end()
            side.seen(name, 1)
            heard = first.rest()
            first.close()
            third = side.connect(name)
            third.send(b"c" + b"x" * 100)
            answer = third.receive(1)
            third.close()
            return second, heard, answer, side.seen(name, 2)

        self._compared(name, scenario)

    def test_limit(self) -> None:
        """A circuit breaker opens, and closes again."""
        self._taken("one1")

    def test_limitOverAHop(self) -> None:
        """One behind a hop."""
        self._taken("one2")

    def test_fullHop(self) -> None:
        """An internal listener's limit refuses nobody."""

        def scenario(side: Side) -> object:
            clients = [side.connect("full2") for _ in range(3)]
            for client in clients:
                client.send(b"c" + b"x" * 100)
            heard = [client.receive(1) for client in clients]
            for client in clients:
                client.close()
            return heard, side.seen("full2", 3)

        self._compared("full2", scenario)

    def test_nobody(self) -> None:
        """Nobody listens, or nobody answers."""
        for name in ("refused1", "refused2", "silent1", "silent2"):
            self._compared(name, lambda side, name=name: side.connect(name).rest())  # type: ignore[misc]

    def test_idle(self) -> None:
        """Both sides are closed when nothing has come for a while."""

        def scenario(side: Side) -> object:
            client = side.connect("idle1")
            client.send(b"c" + b"x" * 100)
            return client.rest(), side.seen("idle1", 1)

        self._compared("idle1", scenario)
