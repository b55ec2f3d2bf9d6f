"""Local rate limits: descriptors, the buckets that they find, and what is told of these."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

from tests.bootstraps import cluster
from tests.parity.http_origins import Scripted
from tests.parity.peers import Peer, Served
from tests.parity.rate_actions import ACTIONS, FORMATTED, METADATA, actionListener, asksOf
from tests.parity.rate_limits import Case, cases, request
from tests.parity.support import ParityTestCase, Side, served

_TOLD = re.compile(rb"(?:x-ratelimit|retry-after|x-not|grpc)[^\r\n]*")
_LONG = re.compile(rb"\d{4,}")


def answered(peer: Peer, ask: bytes) -> list[str]:
    """The status of an answer, what it says about limits, and what the origin was told."""
    peer.send(ask)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += peer.receive(1) or b"\r\n\r\n"
    length = re.search(rb"content-length: (\d+)", head)
    body = peer.receive(int(length[1])) if length else b""
    said = [head[9:12], *_TOLD.findall(head), *_TOLD.findall(body)]
    return [_LONG.sub(b"N", one).decode() for one in said]  # how long it takes varies


class RateLimitTests(ParityTestCase):
    """One listener for each case."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": Scripted()}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        listeners = [case.listener(name) for name, case in cases().items()]
        return served(listeners, [cluster("origin", f"127.0.0.1:{ports['origin']}")])

    def test_cases(self) -> None:
        """Every answer, and every counter."""

        def asked(side: Side, name: str, case: Case) -> list[list[str]]:
            said = []
            for _ in range(case.connections):
                peer = side.connect(name)
                said += [answered(peer, request(ask)) for ask in case.asks]
                peer.close()
            return said

        def scenario(side: Side) -> object:
            with ThreadPoolExecutor(8) as pool:
                each = {name: pool.submit(asked, side, name, one) for name, one in cases().items()}
            return {name: one.result() for name, one in each.items()}

        self.same(scenario, r"http_local_rate_limit\.")


class ActionTests(ParityTestCase):
    """
    Each action under a path of its name; responses tell which descriptor it made.

    They are of the proxies: there is no origin, which would take time for each.
    """

    runtime: ClassVar[dict[str, object]] = {}

    @classmethod
    def asks(cls, action: str) -> bool:
        """Is this one tried here?"""
        return True

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        origin = cluster("origin", "127.0.0.1:9", metadata=METADATA["cluster"])
        return served(
            [actionListener("routed", False, cls.asks), actionListener("own", True, cls.asks)],
            [origin],
            node={"id": "n", "cluster": "here"},
            layered_runtime={"layers": [{"name": "static", "static_layer": cls.runtime}]},
        )

    def test_actions(self) -> None:
        """Of routes, and of the filter itself."""

        def asked(side: Side, name: str) -> dict[str, list[str]]:
            peer = side.connect(name)
            said = {}
            for action in filter(self.asks, ACTIONS):
                for at, (query, headers) in enumerate(asksOf(action)):
                    ask = b"GET /%b/%b HTTP/1.1\r\nhost: test\r\n%b\r\n" % (
                        action.encode(),
                        query,
                        b"".join(one + b"\r\n" for one in headers),
                    )
                    said[f"{action} {at}"] = answered(peer, ask)[:2]
            peer.close()
            return said

        for name in ("routed", "own"):
            self.same(lambda side, name=name: asked(side, name))


class FormatTests(ActionTests):
    """The same where values are formats."""

    runtime: ClassVar[dict[str, object]] = {
        "envoy.reloadable_features.enable_formatter_for_ratelimit_action_descriptor_value": True
    }

    @classmethod
    def asks(cls, action: str) -> bool:
        """Those that have such a value."""
        return action.startswith(FORMATTED)


class ShortShadowTests(ParityTestCase):
    """The older way of shadow mode, which a runtime key brings back."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": Scripted()}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        chosen = {name: one for name, one in cases().items() if name.startswith("shadow")}
        key = "envoy.reloadable_features.local_ratelimit_shadow_mode_no_short_circuit"
        layer = {"name": "static", "static_layer": {key: False}}
        return served(
            [case.listener(name) for name, case in chosen.items()],
            [cluster("origin", f"127.0.0.1:{ports['origin']}")],
            layered_runtime={"layers": [layer]},
        )

    def test_shadows(self) -> None:
        """Nobody is asked after one in shadow mode that would refuse."""

        def scenario(side: Side) -> object:
            said = {}
            for name, case in cases().items():
                if name.startswith("shadow"):
                    peer = side.connect(name)
                    said[name] = [answered(peer, request(ask)) for ask in case.asks]
                    peer.close()
            return said

        self.same(scenario, r"http_local_rate_limit\.")
