"""A request in a tunnel, both ends of it in one server: played the shorter way, and without it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from twisted.trial.unittest import SynchronousTestCase

import twisted_envoy.server
from tests.extensions.filters.http.router.carrying import maskedIDs
from tests.http.records import everything
from twisted_envoy.internal.direct import Direct
from twisted_envoy.internal.transport import InternalTransport
from twisted_envoy.testing import MemoryEnvoy

_DEMO = Path(twisted_envoy.server.__file__).with_name("demo.yaml")
_LOG = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"
_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ORIGIN = "127.0.0.1:10009"
GET = b"GET /direct HTTP/1.1\r\nhost: a.test\r\n\r\n"
FAR = b"GET /far HTTP/1.1\r\nhost: a.test\r\n\r\n"
DATE = b"date: Mon, 23 Nov 2026 08:00:00 GMT\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + DATE + b"content-length: 5\r\n\r\nhello"

Story = Callable[["Scene"], object]


def bootstrap(change: Callable[[dict[str, Any]], object] | None = None) -> str:
    """
    The demo with a cluster behind it, and everything in its logs.

    Args:
        change: is given the filters by their listeners' names, and `internal`, the bootstrap
            extension's.
    """
    made = yaml.safe_load(_DEMO.read_text())
    del made["admin"]
    filters = {"internal": made["bootstrap_extensions"][0]["typed_config"]}
    for listener in made["static_resources"]["listeners"]:
        name = listener["name"]
        filters[name] = config = listener["filter_chains"][0]["filters"][0]["typed_config"]
        form = {"json_format": everything()}
        log = {"@type": _LOG, "path": name, "log_format": form}
        config["access_log"] = [{"name": "log", "typed_config": log}]
    routes = filters["decap"]["route_config"]["virtual_hosts"][0]["routes"]
    routes[0]["match"] = {"prefix": "/direct"}
    routes.append({"match": {"prefix": "/"}, "route": {"cluster": "far"}})
    where = {"socket_address": {"address": "127.0.0.1", "port_value": 10009}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": where}}]}]
    far = {"name": "far", "load_assignment": {"cluster_name": "far", "endpoints": endpoints}}
    made["static_resources"]["clusters"].append(far)
    if change is not None:
        change(filters)
    return json.dumps(made, indent=1)


class Scene:
    """
    A client before the tunnel, an upstream behind it.

    Attributes:
        given: how many pieces took the shorter way.
    """

    def __init__(self, text: str) -> None:
        self.envoy = MemoryEnvoy(text)
        self.origin = self.envoy.listen(ORIGIN)
        self.client = self.envoy.connect("http")

    def ask(self, *pieces: bytes) -> None:
        """The client says something."""
        for piece in pieces:
            self.client.write(piece)
            self.envoy.settle()

    def answer(self, *pieces: bytes) -> None:
        """The upstream does, on its newest connection."""
        for piece in pieces:
            self.origin.connections[-1].write(piece)
            self.envoy.settle()

    def exchange(self, times: int = 1, answer: bytes = OK) -> None:
        """Requests that go to the upstream, and are answered."""
        for _ in range(times):
            self.ask(FAR)
            self.answer(answer)

    def told(self) -> tuple[Any, ...]:
        """What everybody has seen, all counters, and the logs."""
        envoy = self.envoy
        stats: dict[str, Any] = {
            name: value for name, value in envoy.stats().items() if "memory" not in name
        }
        for name, histogram in envoy.server.store.histograms.items():
            histogram.merge()
            stats[name + " values"] = str(sorted(histogram.total.bins.items()))
        names = ("http", "encap", "tunnel_end", "decap")
        logs = [[_ID.sub("id", line) for line in envoy.lines(name)] for name in names]
        received = [maskedIDs(one.received) for one in self.origin.connections]
        ends = [(one.ended, str(one.lost)) for one in self.origin.connections]
        return self.client.received, self.client.ended, received, ends, stats, *logs


class ShortcutTestCase(SynchronousTestCase):
    """Each story is told twice."""

    def play(
        self,
        story: Story,
        change: Callable[[dict[str, Any]], object] | None = None,
        least: int = 1,
    ) -> tuple[Any, ...]:
        """
        Play it both ways; nobody can tell the difference.

        Args:
            change: see bootstrap.
            least: so many pieces take the shorter way, of each kind.
        Returns:
            What was told.
        """
        text = bootstrap(change)
        taken = {"given": 0, "awaited": 0}
        give, awaits = Direct.give, InternalTransport.awaits

        def counted(direct: Direct, data: bytes) -> bool:
            done = give(direct, data)
            taken["given"] += done
            return done

        def asked(end: InternalTransport, *about: Any) -> bool:
            answer = awaits(end, *about)
            taken["awaited"] += answer
            return answer

        self.patch(Direct, "give", counted)
        self.patch(InternalTransport, "awaits", asked)
        short = self._tell(text, story)
        self.patch(Direct, "give", lambda direct, data: False)
        self.patch(InternalTransport, "awaits", lambda end, *about: False)
        long = self._tell(text, story)
        for one, other in zip(short, long, strict=True):
            self.assertEqual(one, other)
        self.assertGreaterEqual(taken["given"], least)
        self.assertGreaterEqual(taken["awaited"], least)
        return short

    def _tell(self, text: str, story: Story) -> tuple[Any, ...]:
        scene = Scene(text)
        story(scene)
        scene.envoy.settle()
        scene.envoy.stop()
        scene.envoy.settle()
        return scene.told()
