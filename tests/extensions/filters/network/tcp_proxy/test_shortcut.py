"""The shorter way of tunnels: nobody can tell that it was taken."""

from __future__ import annotations

from typing import Any

from tests.extensions.filters.network.tcp_proxy.tunnelled import (
    DATE,
    FAR,
    GET,
    OK,
    ORIGIN,
    Scene,
    ShortcutTestCase,
)

_HEAD = b"HTTP/1.1 200 OK\r\n" + DATE
_CHUNKED = _HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
_BIG = b"x" * 300_000


def _post(body: bytes) -> bytes:
    head = b"POST /far HTTP/1.1\r\nhost: a.test\r\ncontent-length: %d\r\n\r\n" % len(body)
    return head + body


class RequestTests(ShortcutTestCase):
    """What goes through as a whole, and what does not."""

    def test_answersThatAreReady(self) -> None:
        """Each request and each answer takes it."""
        told = self.play(lambda scene: scene.ask(*[GET] * 12), least=16)

        self.assertEqual(told[0].count(b"Hello, world!"), 12)

    def test_exchanges(self) -> None:
        self.play(lambda scene: scene.exchange(12), least=16)

    def test_otherAnswers(self) -> None:
        """In pieces, with other statuses, chunked, without a body, interim."""
        none = b"HTTP/1.1 404 Not Found\r\n" + DATE + b"content-length: 0\r\n\r\n"
        interim = b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n"

        def story(scene: Scene) -> None:
            scene.exchange(4)
            for answer in (none, _CHUNKED, interim + OK, _HEAD + b"content-length: 0\r\n\r\n"):
                scene.exchange(3, answer)
            scene.ask(FAR)
            scene.answer(*(OK[place : place + 9] for place in range(0, len(OK), 9)))
            scene.exchange(2)

        self.play(story)

    def test_headsThatDiffer(self) -> None:
        def story(scene: Scene) -> None:
            for number in range(8):
                scene.ask(GET.replace(b"/direct", b"/direct?%d" % number))
                scene.ask(FAR.replace(b"/far", b"/far?%d" % number))
                scene.answer(OK)

        self.play(story)

    def test_requestsInPieces(self) -> None:
        self.play(lambda scene: scene.ask(*(GET[n : n + 7] for n in range(0, len(GET), 7)), GET))

    def test_manyAtOnce(self) -> None:
        """Requests that come behind each other before any is answered."""
        self.play(lambda scene: scene.ask(GET * 7, GET * 150))

    def test_manyClientsInOneTurn(self) -> None:
        """What several connections say in one turn."""

        def story(scene: Scene) -> None:
            clients = [scene.envoy.connect("http") for _ in range(5)]
            for _ in range(6):
                for client in clients:
                    client.write(GET)
                    client.write(FAR)
                scene.envoy.settle()
                for connection in scene.origin.connections:
                    connection.write(OK)
                scene.envoy.settle()

        self.play(story)


class BodyTests(ShortcutTestCase):
    """Bodies, and sides that are slow."""

    def test_bigBodies(self) -> None:
        """Larger than every window."""

        def story(scene: Scene) -> None:
            scene.exchange(3)
            scene.ask(_post(_BIG))
            scene.answer(_HEAD + b"content-length: %d\r\n\r\n" % len(_BIG) + _BIG)
            scene.exchange(3)

        told = self.play(story)

        self.assertIn(_BIG, told[0])
        self.assertIn(_BIG, told[2][0])

    def test_smallBuffers(self) -> None:
        """Every pause is counted as it would be."""

        def change(filters: dict[str, Any]) -> None:
            filters["internal"]["buffer_size_kb"] = 1

        def story(scene: Scene) -> None:
            scene.exchange(3)
            for size in (500, 900, 1500, 5000, 40_000):
                scene.ask(_post(b"u" * size))
                scene.answer(_HEAD + b"content-length: %d\r\n\r\n" % size + b"d" * size)

        told = self.play(story, change)

        self.assertIn(b"u" * 40_000, told[2][0])

    def test_slowClient(self) -> None:
        def story(scene: Scene) -> None:
            scene.exchange(3)
            scene.client.pauseProducing()
            for _ in range(3):
                scene.ask(FAR)
                scene.answer(_HEAD + b"content-length: %d\r\n\r\n" % len(_BIG) + _BIG)
            scene.client.resumeProducing()
            scene.envoy.settle()
            scene.exchange(3)

        self.play(story)

    def test_slowUpstream(self) -> None:
        def story(scene: Scene) -> None:
            scene.exchange(3)
            scene.origin.connections[-1].pauseProducing()
            scene.ask(_post(_BIG * 20))
            scene.origin.connections[-1].resumeProducing()
            scene.envoy.settle()
            scene.answer(OK)
            scene.exchange(3)

        self.play(story)


class EndTests(ShortcutTestCase):
    """How tunnels end."""

    def test_clientLeaves(self) -> None:
        """Between requests, and while it waits for an answer."""

        def story(scene: Scene) -> None:
            for leave in ("loseConnection", "abortConnection", "loseWriteConnection"):
                for asks in ((), (FAR,), (FAR[:20],)):
                    scene.client = scene.envoy.connect("http")
                    scene.exchange(4)
                    scene.ask(*asks)
                    getattr(scene.client, leave)()
                    scene.envoy.settle()

        self.play(story)

    def test_clientLeavesInTheSameTurn(self) -> None:
        def story(scene: Scene) -> None:
            for leave in ("loseConnection", "abortConnection"):
                scene.client = scene.envoy.connect("http")
                scene.exchange(4)
                scene.client.write(FAR)
                getattr(scene.client, leave)()
                scene.envoy.settle()

        self.play(story)

    def test_upstreamLeaves(self) -> None:
        def story(scene: Scene) -> None:
            for leave in ("loseConnection", "abortConnection"):
                for answer in (b"", OK[:-2], OK):
                    scene.exchange(3)
                    scene.ask(FAR)
                    scene.origin.connections[-1].write(answer)
                    getattr(scene.origin.connections[-1], leave)()
                    scene.envoy.settle()

        self.play(story)

    def test_times(self) -> None:
        """Idle time is counted from the last byte, either way."""

        def change(filters: dict[str, Any]) -> None:
            filters["encap"]["idle_timeout"] = "3s"

        def story(scene: Scene) -> None:
            for _ in range(5):
                scene.ask(GET)
                scene.envoy.advance(1.0)
                scene.ask(FAR)
                scene.envoy.advance(2.5)
                scene.answer(OK)
            scene.ask(FAR)
            scene.envoy.advance(3.5)

        self.play(story, change)

    def test_routeTimes(self) -> None:
        """The same of the route that the tunnel takes, and of its connections' age."""

        def change(filters: dict[str, Any]) -> None:
            hosts = filters["tunnel_end"]["route_config"]["virtual_hosts"]
            hosts[0]["routes"][0]["route"]["idle_timeout"] = "2s"
            options = filters["tunnel_end"].setdefault("common_http_protocol_options", {})
            options["max_connection_duration"] = "7s"

        def story(scene: Scene) -> None:
            for _ in range(6):
                scene.exchange(2)
                scene.envoy.advance(1.5)
            scene.ask(GET, FAR)
            scene.envoy.advance(2.5)
            scene.exchange(2)

        self.play(story, change)

    def test_logsOfTunnels(self) -> None:
        """What logs say from time to time, while the tunnel is open."""

        def change(filters: dict[str, Any]) -> None:
            options = {"access_log_flush_interval": "2s", "flush_access_log_on_connected": True}
            filters["encap"]["access_log_options"] = options
            interval = {"access_log_flush_interval": "2s"}
            filters["tunnel_end"]["access_log_options"] = interval

        def story(scene: Scene) -> None:
            for _ in range(6):
                scene.exchange(2)
                scene.ask(GET)
                scene.envoy.advance(1.5)

        self.play(story, change)

    def test_drain(self) -> None:
        def story(scene: Scene) -> None:
            scene.exchange(4)
            scene.ask(FAR)
            scene.envoy.stop()
            scene.origin.connections[-1].write(OK)
            scene.envoy.settle()

        self.play(story)


class OrdinaryTests(ShortcutTestCase):
    """Where there is no shorter way."""

    def test_drainIsAskedAfterEachChunk(self) -> None:
        """With check_drain_close."""

        def change(filters: dict[str, Any]) -> None:
            filters["encap"]["check_drain_close"] = True

        told = self.play(lambda scene: scene.ask(*[GET] * 6), change)

        self.assertEqual(told[0].count(b"Hello, world!"), 6)

    def test_originIsReached(self) -> None:
        """The stories' upstream is where they say."""
        told = self.play(lambda scene: scene.exchange(2))

        self.assertEqual((len(told[2]), ORIGIN.count(":")), (1, 1))
