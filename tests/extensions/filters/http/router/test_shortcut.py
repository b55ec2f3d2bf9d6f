"""The shorter way of terminated tunnels: where it is taken, and that nobody can tell."""

from __future__ import annotations

from typing import Any

from tests.extensions.filters.network.tcp_proxy.tunnelled import FAR, GET, OK, Scene
from tests.extensions.filters.network.tcp_proxy.tunnelled import ShortcutTestCase as Base
from twisted_envoy.extensions.filters.http.router.shortcut import Down, Up

_FILTERS = "type.googleapis.com/envoy.extensions.filters.http."


class TerminationTests(Base):
    """test_shortcut of the TCP proxy has what both ends do; here is what the route may ask."""

    def played(self, change: Any = None) -> int:
        """Requests through the tunnel; gives how many pieces took a way of ours."""
        taken = []

        def count(way: Any) -> None:
            take = way.take

            def counted(one: Any, data: bytes) -> bool:
                done: bool = take(one, data)
                taken.append(done)
                return done

            self.patch(way, "take", counted)

        def story(scene: Scene) -> None:
            scene.ask(GET, GET)
            scene.exchange(4)
            scene.client.loseConnection()

        count(Up)
        count(Down)
        told = self.play(story, change)
        self.assertEqual(told[0].count(b" 200 OK"), 6)
        self.assertIn(OK[-5:], told[0])
        return sum(taken)

    def route(self, filters: dict[str, Any]) -> dict[str, Any]:
        """The one that tunnels take."""
        hosts = filters["tunnel_end"]["route_config"]["virtual_hosts"]
        route: dict[str, Any] = hosts[0]["routes"][0]["route"]
        return route

    def test_both(self) -> None:
        """All but the first request and its answer."""
        self.assertGreaterEqual(self.played(), 9)

    def test_filtersThatSeeBodies(self) -> None:
        """A filter that reads answers gets them."""
        gzip = "type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip"
        library = {"name": "gzip", "typed_config": {"@type": gzip}}
        typed = {"@type": _FILTERS + "compressor.v3.Compressor", "compressor_library": library}

        def change(filters: dict[str, Any]) -> None:
            filters["tunnel_end"]["http_filters"].insert(0, {"name": "a", "typed_config": typed})

        self.assertEqual(self.played(change), 0)

    def test_idleTimeOfTheAttempt(self) -> None:
        """It is counted where all bytes are seen."""

        def change(filters: dict[str, Any]) -> None:
            self.route(filters)["retry_policy"] = {"per_try_idle_timeout": "5s"}

        self.assertEqual(self.played(change), 0)

    def test_overHTTP1(self) -> None:
        """A CONNECT of HTTP/1.1 is a connection of its own."""
        connect = b"CONNECT a.test:1 HTTP/1.1\r\nhost: a.test:1\r\n\r\n"

        def story(scene: Scene) -> None:
            scene.exchange(3)
            client = scene.envoy.connect("tunnel_end")
            client.write(connect)
            scene.envoy.settle()
            for _ in range(3):
                client.write(GET)
                scene.envoy.settle()
                client.write(FAR)
                scene.envoy.settle()
                scene.answer(OK)
            self.assertEqual(client.received.count(b" 200 OK"), 7)

        self.play(story)
