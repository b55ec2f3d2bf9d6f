"""Requests that need no stream; that nothing differs for it is in test_ready and test_carrier."""

from __future__ import annotations

from typing import Any
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.router.carrying import (
    GET,
    OK,
    CarrierCase,
    Scene,
    VaryingScene,
)
from tests.http.manager import HELLO, PROXIED, run
from tests.http.test_ready import settingsOf
from twisted_envoy.http import shortcuts
from twisted_envoy.http.filter_plan import FilterPlan
from twisted_envoy.http.server_connection import ServerConnection
from twisted_envoy.state.filter_state import HashableStringObject, Sharing
from twisted_envoy.testing import MemoryEnvoy


def paths(*names: str) -> list[dict[str, Any]]:
    """A proxied route for each."""
    return [{**PROXIED, "match": {"path": name}, "name": name} for name in names]


class WaysTests(SynchronousTestCase):
    """What a route means to requests."""

    def setUp(self) -> None:
        self.looked: list[Any] = []
        for name in ("watched", "carrier", "readyReply"):
            method = self.counting(name, getattr(FilterPlan, name))
            self.patch(FilterPlan, name, method)

    def counting(self, name: str, method: Any) -> Any:
        """Notes the routes that are asked for."""

        def counted(plan: FilterPlan, route: Any, *more: Any) -> Any:
            self.looked.append((name, route.name))
            return method(plan, route, *more)

        return counted

    def start(self, *arguments: Any, **manager: Any) -> MemoryEnvoy:
        """One that logs nothing."""
        envoy = run(*arguments, access_log=[], **manager)
        self.addCleanup(envoy.stop)
        return envoy

    def test_lookedAtOnce(self) -> None:
        """Heads that come again and heads that come once ask the same of a route, and once."""
        envoy = self.start(paths("/a"))
        scene = VaryingScene(envoy)
        scene.warm()
        for _ in range(4):
            Scene.ask(scene)
            scene.answer(OK)

        self.assertEqual(scene.client.received.count(b"hello"), 8)
        asked = [(name, "/a") for name in ("watched", "carrier", "readyReply")]
        self.assertEqual(self.looked, asked)

    def test_timed(self) -> None:
        """A manager with times of its own carries nothing, and has answers that are ready."""
        envoy = self.start([*paths("/a"), HELLO], request_timeout="5s")
        scene = Scene(envoy)
        scene.warm()
        for _ in range(4):
            scene.ask(GET.replace(b"/a", b"/"))

        self.assertEqual(scene.client.received.count(b"hello"), 8)
        self.assertEqual({name for name, _ in self.looked}, {"watched", "readyReply"})


class ManyRoutesTests(CarrierCase):
    """More routes than are remembered."""

    def test_routesComeAndGo(self) -> None:
        """What is forgotten is looked at again, and nothing is kept without end."""
        names = [f"/{letter}" for letter in "abcdefg"]
        sizes = []

        def play(scene: Scene) -> None:
            for name in names * 3:
                for _ in range(3):
                    scene.ask(GET.replace(b"/a", name.encode()))
                    scene.answer(OK)
                for _ in range(3):
                    scene.ask(GET.replace(b"/a", b"/"))
            sizes.append(len(settingsOf(scene.envoy).shortcuts._ways))

        with mock.patch.object(shortcuts, "_MOST_WAYS", 3):
            received, carried, _ = self.both(play, [*paths(*names), HELLO])

        self.assertEqual(received.count(b"hello"), len(names) * 3 * 6)
        self.assertGreater(carried, len(names) * 3)
        self.assertIn(sizes[0], (1, 2, 3))
        self.assertEqual(sizes[1], 0)


class LateStateTests(CarrierCase):
    """What upstreams are told of a client's connection."""

    def test_carriedNoMore(self) -> None:
        """What a filter of the connection stores after the first requests goes with later ones."""
        made: list[ServerConnection] = []
        begin = ServerConnection.__init__

        def noted(connection: ServerConnection, *arguments: Any) -> None:
            begin(connection, *arguments)
            made.append(connection)

        self.patch(ServerConnection, "__init__", noted)

        def play(scene: Scene) -> None:
            scene.warm(5)
            state = made[-1].info.filterState
            state.set("a", HashableStringObject("b"), sharing=Sharing.ONCE)
            scene.warm(3)
            self.assertEqual(len(scene.origin.connections), 2)

        before = self.both(lambda scene: scene.warm(5))[1]
        self.assertEqual(self.both(play)[1], before)
        self.assertGreater(before, 1)
