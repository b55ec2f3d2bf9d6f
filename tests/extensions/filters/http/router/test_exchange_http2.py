"""Exchanges of HTTP/2 clients, beside streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.codec.h2.bytesof import rst
from tests.extensions.filters.http.router.carrying import (
    OK,
    WARMING,
    CarrierCase,
    HTTP2Scene,
    Scene,
    VaryingHTTP2Scene,
)
from tests.http.records import logs
from tests.switches import REFERENCE_CODEC


class HTTP2Tests(CarrierCase):
    """The same for clients of HTTP/2."""

    skip = "the reference core knows no head" if REFERENCE_CODEC else None
    scene = HTTP2Scene

    def check(self, play: Callable[[Scene], None], became: int = 1, **manager: Any) -> None:
        """Both are the same, and so many exchanges became streams."""

        def whole(scene: Scene) -> None:
            scene.warm()
            scene.ask()
            play(scene)

        self.assertEqual(self.both(whole, **manager)[2], WARMING + became)

    def test_whole(self) -> None:
        """Answers are carried; who takes long says so."""

        def play(scene: Scene) -> None:
            scene.warm(9)
            for seconds in (0.5, 0.001, 0.5, 0.5, 0.001):
                scene.ask()
                scene.envoy.advance(seconds)
                scene.answer(OK)

        said, carried, became = self.both(play)
        self.assertGreater(carried, 10)
        self.assertEqual(became, WARMING)
        self.assertEqual(sum(b"hello" in (one[3] or b"") for one in said), 14)

    def test_bodies(self) -> None:
        """Each request gets the body of its own answer, though heads are the same."""

        def play(scene: Scene) -> None:
            scene.warm(6)
            for number in range(6):
                scene.ask()
                scene.answer(OK.replace(b"hello", b"%05d" % number))

        said, carried, _ = self.both(play)
        self.assertGreater(carried, 8)
        self.assertEqual(said[-1][3][9:], b"00005")

    def test_many(self) -> None:
        """Streams that are open at once have a connection each."""

        def play(scene: Scene) -> None:
            for _ in range(5):
                for _ in range(3):
                    scene.ask()
                for connection in scene.origin.connections:
                    connection.write(OK)
                scene.envoy.settle()

        self.assertGreater(self.both(play)[1], 5)

    def test_parts(self) -> None:
        """An answer in parts, another one, and hints before it."""
        self.check(lambda scene: scene.answer(OK[:-2], OK[-2:]))
        self.check(lambda scene: scene.answer(OK.replace(b"08:", b"09:")))
        self.check(lambda scene: scene.answer(b"HTTP/1.1 103 Early Hints\r\n\r\n", OK))

    def test_late(self) -> None:
        """A time is over: the route's, and that of silence."""
        self.check(lambda scene: scene.envoy.advance(15.1))
        self.check(lambda scene: scene.envoy.advance(6), stream_idle_timeout="5s")

    def test_upstreamGone(self) -> None:
        """The upstream closes before it has answered."""
        self.check(lambda scene: scene.cut("loseConnection"))

    def test_clientGone(self) -> None:
        """The client resets the stream, or leaves."""

        def reset(scene: Scene) -> None:
            number = scene.number  # type: ignore[attr-defined]
            scene.client.write(rst(number))
            scene.envoy.settle()
            scene.warm(3)

        def leave(scene: Scene) -> None:
            scene.client.abortConnection()
            scene.envoy.settle()

        self.check(reset)
        self.check(leave)

    def test_draining(self) -> None:
        """A server that drains says GOAWAY before the answer."""

        def play(scene: Scene) -> None:
            scene.envoy.server.drain.healthy = False
            scene.answer(OK)
            scene.envoy.advance(7)

        self.check(play)

    def test_window(self) -> None:
        """A body for which the client has no window waits."""
        big = OK.replace(b"length: 5", b"length: 9000").replace(b"hello", b"a" * 9000)

        def play(scene: Scene) -> None:
            scene.warm(9, big)

        _, carried, became = self.both(play)
        self.assertGreater(carried, 3)
        self.assertGreater(became, 0)


class RecordedHTTP2Tests(HTTP2Tests):
    """The same, with everything in the logs."""

    logs = logs()


class VaryingHTTP2Tests(HTTP2Tests):
    """The same of requests of which no two are alike."""

    scene = VaryingHTTP2Scene


class RecordedVaryingHTTP2Tests(RecordedHTTP2Tests):
    """The same with everything in the logs."""

    scene = VaryingHTTP2Scene
