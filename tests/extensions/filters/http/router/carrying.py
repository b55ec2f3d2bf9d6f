"""A client, an upstream and what they say: played with requests carried, and without."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from hpack import Decoder
from hyperframe.frame import HeadersFrame
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import EH, ES, HELLO, SETTINGS, frame, parse
from tests.codec.h2.bytesof import headers as headersFrame
from tests.http.manager import ORIGIN, PROXIED, run
from tests.http.records import recorded
from twisted_envoy.extensions.filters.http.router.exchange import Exchange
from twisted_envoy.http.shortcuts import Shortcuts
from twisted_envoy.testing import MemoryEnvoy

GET = b"GET /a HTTP/1.1\r\nhost: a.test\r\n\r\n"
DATE = b"date: Mon, 23 Nov 2026 08:00:00 GMT\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + DATE + b"content-length: 5\r\n\r\nhello"
REQUEST = (
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":path", b"/a"),
    (b":authority", b"a.test"),
)
WARMING = 1
"""Exchanges that become streams while nothing of the upstream has come twice."""
_ID = re.compile(rb"x-request-id: [0-9a-f-]{36}")
_UUID = re.compile(rb"[0-9a-f-]{36}")
HTTP2_CLUSTER = {
    "typed_extension_protocol_options": {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
}
"""A cluster that speaks HTTP/2."""


def maskedIDs(data: bytes) -> bytes:
    """The same word for every x-request-id."""
    return _ID.sub(b"id", data)


class Scene:
    """One client, one upstream, and what they say to each other."""

    def __init__(self, envoy: MemoryEnvoy) -> None:
        self.envoy = envoy
        self.origin = envoy.listen(ORIGIN)
        self.client = envoy.connect("web")

    def ask(self, head: bytes = GET) -> None:
        """The client asks."""
        self.client.write(head)
        self.envoy.settle()

    def answer(self, *pieces: bytes) -> None:
        """The upstream answers on its newest connection."""
        for piece in pieces:
            self.origin.connections[-1].write(piece)
            self.envoy.settle()

    def cut(self, how: str) -> None:
        """The upstream ends its newest connection, by that method."""
        getattr(self.origin.connections[-1], how)()
        self.envoy.settle()

    def warm(self, times: int = 4, answer: bytes = OK) -> None:
        """Requests that are answered, until nothing about them is new."""
        for _ in range(times):
            self.ask()
            self.answer(answer)

    def told(self) -> tuple[Any, ...]:
        """What everybody has seen, and all counters."""
        envoy = self.envoy
        stats: dict[str, Any] = {
            name: value for name, value in envoy.stats().items() if "memory" not in name
        }
        for name, histogram in envoy.server.store.histograms.items():
            histogram.merge()
            stats[name + " values"] = str(sorted(histogram.total.bins.items()))
        received = [maskedIDs(one.received) for one in self.origin.connections]
        ends = [one.ended for one in self.origin.connections]
        return self.client.received, self.client.ended, received, ends, stats, recorded(envoy)


class VaryingScene(Scene):
    """No two heads of the client's are alike."""

    number = 0

    def ask(self, head: bytes = GET) -> None:
        """The client asks for something else."""
        self.number += 1
        cookie = b"cookie: session=%d\r\n" % self.number
        head = head.replace(b" /a ", b" /a?%d " % self.number, 1)
        super().ask(head.replace(b"\r\n\r\n", b"\r\n" + cookie + b"\r\n", 1))


class HTTP2Scene(Scene):
    """The client speaks HTTP/2."""

    def __init__(self, envoy: MemoryEnvoy) -> None:
        super().__init__(envoy)
        self.client.write(HELLO)
        self.number = -1

    def ask(self, head: bytes = GET) -> None:
        """The client begins one more stream."""
        self.number += 2
        super().ask(headersFrame(self.number, self.request()))

    def request(self) -> tuple[tuple[bytes, bytes], ...]:
        """What it asks for."""
        return REQUEST

    def told(self) -> tuple[Any, ...]:
        """The same, with what the frames say: blocks differ in what they enter into tables."""
        received, *others = super().told()
        decoder = Decoder()
        said: list[Any] = []
        for one in parse(received):
            headers = decoder.decode(one.data) if isinstance(one, HeadersFrame) else None
            body = one.serialize() if headers is None else None
            said.append((one.stream_id, sorted(one.flags), headers, body))
        return (said, *others)


ANSWERED = (
    (b":status", b"200"),
    (b"content-length", b"5"),
    (b"date", b"Mon, 23 Nov 2026 08:00:00 GMT"),
)


def answerFrames(
    stream: int, fields: tuple[tuple[bytes, bytes], ...] = ANSWERED, body: bytes = b"hello"
) -> tuple[bytes, bytes]:
    """HEADERS and DATA of a whole answer."""
    return headersFrame(stream, fields, EH), frame(0, ES, stream, body)


class UpstreamScene(Scene):
    """The upstream speaks HTTP/2."""

    def __init__(self, envoy: MemoryEnvoy) -> None:
        super().__init__(envoy)
        self.greeted = 0

    def ask(self, head: bytes = GET) -> None:
        """The client asks; new connections of the upstream's begin."""
        super().ask(head)
        self.greet()

    def greet(self) -> None:
        """Those say what they allow."""
        for connection in self.origin.connections[self.greeted :]:
            self.greeted += 1
            connection.write(SETTINGS)
        self.envoy.settle()

    def streams(self, connection: int = -1) -> list[int]:
        """Of a connection, all that were begun."""
        found = parse(self.origin.connections[connection].received)
        return [one.stream_id for one in found if isinstance(one, HeadersFrame)]

    def answer(self, *pieces: bytes) -> None:
        """What it says; OK is a whole answer to the newest stream."""
        whole = b"".join(answerFrames(self.streams()[-1]))
        super().answer(*(whole if piece is OK else piece for piece in pieces))

    def told(self) -> tuple[Any, ...]:
        """The same; all bytes are the same but for the IDs of requests."""
        client, ended, received, *others = super().told()
        return client, ended, [_UUID.sub(b"id", one) for one in received], *others


class HTTP2BothScene(UpstreamScene, HTTP2Scene):
    """Everybody speaks HTTP/2."""

    def told(self) -> tuple[Any, ...]:
        """The same; streams that are answered at once may be in any order."""
        said, *others, records = super().told()
        return (sorted(said, key=lambda one: int(one[0])), *others, sorted(records, key=str))


class VaryingHTTP2Scene(HTTP2Scene):
    """No two heads of the client's are alike."""

    def request(self) -> tuple[tuple[bytes, bytes], ...]:
        path = (b":path", b"/a?%d" % self.number)
        return (*REQUEST[:2], path, *REQUEST[3:], (b"cookie", b"session=%d" % self.number))


class CarrierCase(SynchronousTestCase):
    """Plays a scene in both ways."""

    scene: type[Scene] = Scene
    cluster: Any = None
    logs: ClassVar[list[dict[str, Any]]] = []

    def both(
        self, play: Callable[[Scene], None], *arguments: Any, **manager: Any
    ) -> tuple[Any, int, int]:
        """
        Compare.

        Returns:
            What the client got; how many answers were carried, and how many exchanges became
            streams.
        """
        counts = {"decodeWhole": 0, "_makePlace": 0}
        counting = [
            self.patch(Exchange, name, _counted(getattr(Exchange, name), name, counts))
            for name in counts
        ]
        results = []
        for isCarried in (True, False):
            patches = [
                self.patch(
                    Shortcuts,
                    name,
                    getattr(Shortcuts, name) if isCarried else lambda *arguments: None,
                )
                for name in ("find", "carry")
            ]
            envoy = run(
                *(arguments or ([PROXIED], None, self.cluster)),
                **{"access_log": self.logs, **manager},
            )
            try:
                scene = self.scene(envoy)
                play(scene)
                results.append(scene.told())
            finally:
                envoy.stop()
                for patched in patches:
                    patched.restore()
            if isCarried:
                carried, became = counts["decodeWhole"], counts["_makePlace"]
        for patched in counting:
            patched.restore()
        for ours, theirs in zip(*results, strict=True):
            self.assertEqual(ours, theirs)
        self.assertEqual((carried, became), (counts["decodeWhole"], counts["_makePlace"]))
        return results[0][0], carried, became


def _counted(method: Any, name: str, counts: dict[str, int]) -> Any:
    def counted(*arguments: Any) -> Any:
        result = method(*arguments)
        counts[name] += bool(result)
        return result

    return counted
