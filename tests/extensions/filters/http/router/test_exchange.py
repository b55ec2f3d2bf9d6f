"""Exchanges that become streams, beside streams."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.router.carrying import (
    GET,
    HTTP2_CLUSTER,
    OK,
    WARMING,
    CarrierCase,
    Scene,
    VaryingScene,
)
from tests.extensions.filters.http.router.crowd import play
from tests.http.manager import PROXIED, run
from tests.http.records import logs
from tests.switches import REFERENCE_CODEC
from twisted_envoy.extensions.filters.http.router.exchange import Exchange
from twisted_envoy.http.edge.edge import Edge


class BecomingTests(CarrierCase):
    """Whatever is no whole answer."""

    step = 1

    def check(self, play: Callable[[Scene], None], **manager: Any) -> bytes:
        """Both are the same, and the exchange became a stream."""

        def whole(scene: Scene) -> None:
            scene.warm()
            scene.ask()
            play(scene)

        received, _, became = self.both(whole, **manager)
        self.assertEqual(became, WARMING + 1)
        return received

    def test_parts(self) -> None:
        """An answer in parts is passed on as it comes."""
        for place in range(1, len(OK), self.step):

            def play(scene: Scene) -> None:
                before = len(scene.client.received)
                scene.answer(OK[:place])  # noqa: B023
                if place > OK.index(b"\r\n\r\n") + 4:  # noqa: B023
                    assert len(scene.client.received) > before
                scene.answer(OK[place:])  # noqa: B023
                scene.warm(2)

            received, _, became = self.both(
                lambda scene: (scene.warm(), scene.ask(), play(scene))[0]
            )  # noqa: B023
            self.assertEqual(received.count(b"hello"), 7)
            isHead = place < len(OK) - 5
            self.assertEqual(became, WARMING + (not isHead), place)

    def test_otherAnswer(self) -> None:
        """An answer with another head is one for a stream."""
        self.check(lambda scene: scene.answer(OK.replace(b"08:", b"09:")))

    def test_interim(self) -> None:
        """Hints come first."""
        self.check(lambda scene: scene.answer(b"HTTP/1.1 103 Early Hints\r\n\r\n", OK))

    def test_late(self) -> None:
        """The route's time is over."""
        received = self.check(lambda scene: scene.envoy.advance(15.1))
        self.assertIn(b"504 Gateway Timeout", received)

    def test_lateBody(self) -> None:
        """The route's time is over in the middle of the answer."""

        def play(scene: Scene) -> None:
            scene.envoy.advance(9)
            scene.answer(OK[:-2])
            scene.envoy.advance(7)

        self.check(play)

    def test_silent(self) -> None:
        """Nobody says anything for the stream's idle time."""
        received = self.check(lambda scene: scene.envoy.advance(6), stream_idle_timeout="5s")
        self.assertIn(b"stream timeout", received)

    def test_upstreamGone(self) -> None:
        """The upstream closes, or resets, before it has answered."""
        self.check(lambda scene: scene.cut("loseConnection"))
        self.check(lambda scene: scene.cut("abortConnection"))

    def test_upstreamGoneLater(self) -> None:
        """The same in the middle of the answer."""
        self.check(lambda scene: (scene.answer(OK[:-1]), scene.cut("loseConnection"))[0])

    def test_garbage(self) -> None:
        """The upstream says what is not HTTP."""
        self.assertIn(b"502 Bad Gateway", self.check(lambda scene: scene.answer(b"oh\r\n\r\n")))

    def test_clientGone(self) -> None:
        """The client leaves: the upstream's connection is reset, and it is counted."""

        def leave(scene: Scene) -> None:
            scene.client.loseConnection()
            scene.envoy.settle()

        def abort(scene: Scene) -> None:
            scene.client.abortConnection()
            scene.envoy.settle()

        self.check(leave)
        self.check(abort)

    def test_draining(self) -> None:
        """A server that drains says so in the answer."""

        def play(scene: Scene) -> None:
            scene.envoy.server.drain.healthy = False
            scene.answer(OK)
            scene.envoy.advance(2)

        self.assertIn(b"connection: close\r\n", self.check(play))

    def test_garbageBehind(self) -> None:
        """What the client says meanwhile waits, and is refused after the answer."""

        def play(scene: Scene) -> None:
            scene.ask(b"oh\r\n\r\n")
            scene.answer(OK)

        _, _, became = self.both(lambda scene: (scene.warm(), scene.ask(), play(scene))[0])
        self.assertEqual(became, WARMING)

    def test_nextRequest(self) -> None:
        """A request that is sent behind another is answered after it."""

        def play(scene: Scene) -> None:
            scene.warm()
            scene.ask(GET + GET)
            scene.answer(OK)
            scene.answer(OK)
            scene.ask()
            scene.ask()
            scene.answer(OK)
            scene.answer(OK)

        received, _, _ = self.both(play)
        self.assertEqual(received.count(b"hello"), 8)

    def test_waiting(self) -> None:
        """While it waits its gauges are those of any request."""
        seen = []

        def play(scene: Scene) -> None:
            scene.warm()
            scene.ask()
            names = ("http.web.downstream_rq_active", "cluster.origin.upstream_rq_active")
            seen.append([scene.envoy.stat(name) for name in names])
            scene.answer(OK)

        self.both(play)
        self.assertEqual(seen, [[1, 1], [1, 1]])

    def test_otherClients(self) -> None:
        """Connections share the upstream's."""

        def play(scene: Scene) -> None:
            scene.warm()
            other = scene.envoy.connect("web")
            for _ in range(5):
                other.write(GET)
                scene.ask()
                for connection in scene.origin.connections:
                    connection.write(OK)
                scene.envoy.settle()
            assert other.received.count(b"hello") == 5

        received, carried, _ = self.both(play)
        self.assertEqual(received.count(b"hello"), 9)
        self.assertGreater(carried, 6)

    def test_breaker(self) -> None:
        """One request too many is refused, as ever."""
        cluster = {"circuit_breakers": {"thresholds": [{"max_requests": 1}]}}

        def play(scene: Scene) -> None:
            scene.warm()
            other = scene.envoy.connect("web")
            other.write(GET)
            scene.envoy.settle()
            scene.ask()
            scene.answer(OK)
            scene.ask()

        self.both(play, [PROXIED], None, cluster)

    def test_heads(self) -> None:
        """What answers mean to clients is kept for each route that they come over."""
        routes = [{**PROXIED, "match": {"path": path}} for path in ("/a", "/b")]
        made = []
        prepare = Edge.prepareResponse

        def counted(*arguments: Any) -> None:
            made.append(arguments)
            prepare(*arguments)

        envoy = run(routes, access_log=self.logs)
        self.addCleanup(envoy.stop)
        scene = self.scene(envoy)
        for count in range(12):
            if count == 6:
                self.patch(Edge, "prepareResponse", counted)
            for head in (GET, GET.replace(b"/a", b"/b")):
                for _ in range(2):
                    scene.ask(head)
                    scene.answer(OK)
        self.assertEqual(made, [])


class RecordedTests(BecomingTests):
    """The same, with everything in the logs."""

    logs = logs()
    step = 11


class VaryingTests(BecomingTests):
    """The same of requests of which no two are alike."""

    scene = VaryingScene
    step = 5


class RecordedVaryingTests(RecordedTests):
    """The same with everything in the logs."""

    scene = VaryingScene


class CrowdTests(SynchronousTestCase):
    """Everybody gets the answers to his own requests, once each and in order."""

    skip = "the reference core knows no head" if REFERENCE_CODEC else None

    def check(self, **cluster: Any) -> None:
        """Heads of answers are the same for all, and come in one millisecond."""
        carried: list[bool] = []
        decodeWhole = Exchange.decodeWhole

        def counted(*arguments: Any) -> bool:
            carried.append(decodeWhole(*arguments))
            return carried[-1]

        self.patch(Exchange, "decodeWhole", counted)
        crowd = play(8, 30, Random(4), **cluster)

        serials = []
        for client in crowd:
            heard = client.heard()
            bodies = [body.split() for _, body in heard]
            self.assertEqual(len(heard), client.asked)
            self.assertEqual({via for via, _ in heard}, {client.via})
            self.assertEqual({int(number) for number, _ in bodies}, {client.number})
            own = [int(serial) for _, serial in bodies]
            self.assertEqual(own, sorted(own))
            serials += own
        self.assertEqual(sorted(serials), list(range(1, len(serials) + 1)))
        self.assertGreater(carried.count(True), 60)

    def test_overHTTP1(self) -> None:
        """Of an upstream of HTTP/1.1, where each has a connection for as long as it asks."""
        self.check()

    def test_overHTTP2(self) -> None:
        """Of one of HTTP/2, where all share one."""
        self.check(**HTTP2_CLUSTER)
