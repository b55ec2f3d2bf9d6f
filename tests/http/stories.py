"""What may happen to a connection manager, its clients and its upstream, in any order."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.codec.h2.bytesof import HELLO
from tests.codec.h2.bytesof import headers as headersFrame
from tests.extensions.filters.http.router.carrying import (
    DATE,
    HTTP2_CLUSTER,
    OK,
    HTTP2BothScene,
    HTTP2Scene,
    Scene,
    UpstreamScene,
    answerFrames,
)

_FIELDS = (
    *("x: 1", "x: 2", "x: 1\r\nx: 2", "cookie: k=1", "user-agent: curl", "user-agent: iOS"),
    *("x-request-id: 0d2a7d64-66b1-9d39-a39e-a6c5dd6b1f3f", "x-request-id: a", "te: trailers"),
    *("x-forwarded-for: 1.2.3.4", "x-forwarded-proto: https", "x-envoy-internal: true"),
    *("x-envoy-expected-rq-timeout-ms: 5", "x-envoy-upstream-rq-timeout-ms: 300"),
    *("x-envoy-retry-on: 5xx", "x-envoy-original-path: /u", "origin: http://q"),
    *("content-type: application/grpc", "content-length: 0", "x-envoy-fault-abort-request: 503"),
)
_USUAL = _FIELDS[3:5] + _FIELDS[6:7]
_METHODS = ("GET", "GET", "GET", "DELETE", "OPTIONS", "HEAD", "POST")
_PATHS = ("/", "/a", "/b/c", "/a?q=1", "/z/%41", "/x;y", "*", "/a#f", "//a")
_MATCHES: tuple[dict[str, Any], ...] = (
    {"path": "/a"},
    {"prefix": "/b"},
    {"safe_regex": {"regex": "/[a-c]/.*"}},
    {"prefix": "/", "headers": [{"name": "x", "present_match": True}]},
    {"prefix": "/", "headers": [{"name": "x-request-id", "present_match": True}]},
    {"prefix": "/", "query_parameters": [{"name": "q", "string_match": {"exact": "1"}}]},
)
_MANAGERS: tuple[dict[str, Any], ...] = (
    *({}, {}, {}, {"use_remote_address": True}, {"via": "v"}, {"generate_request_id": False}),
    {"preserve_external_request_id": True},
    {"common_http_protocol_options": {"idle_timeout": "3s"}},
    {"common_http_protocol_options": {"max_requests_per_connection": 7}},
)
_ANSWERS = (
    b"HTTP/1.1 500 Oops\r\n" + DATE + b"content-length: 2\r\n\r\nno",
    b"HTTP/1.1 200 OK\r\n" + DATE + b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No\r\n" + DATE + b"\r\n",
    b"HTTP/1.1 200 OK\r\n" + DATE + b"connection: close\r\ncontent-length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\n" + DATE + b"x: 1\r\nx: 2\r\ncontent-length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
    OK[:20],
    b"garbage\r\n\r\n",
)
_FAULT = {
    "name": "fault",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "abort": {"header_abort": {}, "percentage": {"numerator": 100}},
    },
}


class _Unordered(Scene):
    """What happens to several requests at one moment happens in any order."""

    def told(self) -> tuple[Any, ...]:
        client, ended, received, ends, stats, records = super().told()
        if isinstance(client, list):
            client = sorted(client, key=lambda one: int(one[0]))
        return client, ended, sorted(received), sorted(ends), stats, sorted(records, key=str)


class _Plain(_Unordered, Scene):
    """HTTP/1.1 on both sides."""


class _Upstream(_Unordered, UpstreamScene):
    """HTTP/2 behind."""


class _Client(_Unordered, HTTP2Scene):
    """HTTP/2 in front."""


class _Both(_Unordered, HTTP2BothScene):
    """HTTP/2 on both sides."""


_SCENES = ((_Plain, _Upstream), (_Client, _Both))


class Story:
    """
    One that `number` determines.

    Attributes:
        scene: who plays it. routes, filters, cluster, manager: of `tests.http.manager.run`.
    """

    def __init__(self, number: int) -> None:
        random = self._random = Random(number)
        self._isHTTP2 = random.random() < 0.4
        self._isUpstreamHTTP2 = random.random() < 0.35
        self.scene: type[Scene] = _SCENES[self._isHTTP2][self._isUpstreamHTTP2]
        matches = random.sample(_MATCHES, random.choice((0, 0, 1, 2)))
        self.routes = [
            {"match": match, **self._action(), "name": f"r{index}"}
            for index, match in enumerate((*matches, {"prefix": "/"}))
        ]
        self.filters = [_FAULT] if random.random() < 0.2 else None
        self.cluster = HTTP2_CLUSTER if self._isUpstreamHTTP2 else None
        self.manager = random.choice(_MANAGERS)
        fields = _FIELDS if random.random() < 0.4 else _USUAL
        self._heads = [
            (
                random.choice(_METHODS[: random.choice((1, 1, 5, 7))]),
                random.choice(_PATHS[: random.choice((4, 4, 9))]),
                random.sample(fields, random.choice((0, 0, 1, 2))),
            )
            for _ in range(random.choice((1, 1, 2, 3)))
        ]
        self._oddShare = random.choice((0.0, 0.02, 0.15))
        self._events = [self._event() for _ in range(random.randint(10, 30))]

    def _action(self) -> dict[str, Any]:
        random = self._random
        if random.random() < 0.35:
            return {"direct_response": {"status": 200, "body": {"inline_string": "direct"}}}
        return {"route": {"cluster": "origin", "timeout": random.choice(("15s", "0s", "0.5s"))}}

    def _event(self) -> tuple[str, Any]:
        random = self._random
        if random.random() < self._oddShare:
            return random.choice(
                (
                    ("advance", random.choice((0.001, 0.3, 1.1, 2.5))),
                    ("cut", random.choice(("loseConnection", "abortConnection"))),
                    *(("newClient", None), ("pause", None), ("resume", None), ("drain", None)),
                )
            )
        method, path, fields = random.choice(self._heads)
        if random.random() < 0.1:
            path += f"&{random.random()}" if "?" in path else f"?{random.random()}"
        fields = [one.replace("0d2a7d64", f"{random.getrandbits(32):08x}") for one in fields]
        pieces: tuple[bytes, ...] = (OK,)
        dice = random.random()
        if dice < 0.03:
            pieces = (random.choice(_ANSWERS),)
        elif dice < 0.06:
            cut = random.randrange(1, len(OK))
            pieces = (OK[:cut], OK[cut:])
        elif dice < 0.08:
            pieces = ()
        return "exchange", (method, path, fields, pieces)

    def play(self, scene: Any) -> None:
        """Let it happen."""
        for name, argument in self._events:
            getattr(self, f"_{name}")(scene, argument)
        self._resume(scene, None)
        self._advance(scene, 20.0)

    def _exchange(self, scene: Any, told: tuple[str, str, list[str], tuple[bytes, ...]]) -> None:
        method, path, fields, pieces = told
        if self._isHTTP2:
            scene.number += 2
            lines = [line.split(": ", 1) for one in fields for line in one.split("\r\n")]
            pseudo = [(":method", method), (":scheme", "http"), (":path", path)]
            pairs = [*pseudo, (":authority", "a.test"), *map(tuple, lines)]
            block = tuple((name.encode(), value.encode()) for name, value in pairs)
            scene.client.write(headersFrame(scene.number, block))
        else:
            lines = [f"{method} {path} HTTP/1.1", "host: a.test", *fields, "", ""]
            scene.client.write("\r\n".join(lines).encode())
        self._settle(scene)
        if scene.origin.connections and pieces:
            if not self._isUpstreamHTTP2:
                scene.answer(*pieces)
            elif scene.streams():
                sorry = ((b":status", b"500"), (b"content-length", b"2"))
                other = answerFrames(scene.streams()[-1], sorry, b"no")
                scene.answer(*((OK,) if pieces == (OK,) else other))

    def _settle(self, scene: Any) -> None:
        scene.envoy.settle()
        if self._isUpstreamHTTP2:
            scene.greet()

    def _advance(self, scene: Any, seconds: float) -> None:
        scene.envoy.advance(seconds)
        self._settle(scene)

    def _cut(self, scene: Any, how: str) -> None:
        if scene.origin.connections:
            scene.cut(how)

    def _newClient(self, scene: Any, nothing: None) -> None:
        scene.client = scene.envoy.connect("web")
        if self._isHTTP2:
            scene.client.write(HELLO)
            scene.number = -1

    def _pause(self, scene: Any, nothing: None) -> None:
        scene.client.pauseProducing()

    def _resume(self, scene: Any, nothing: None) -> None:
        scene.client.resumeProducing()
        self._settle(scene)

    def _drain(self, scene: Any, nothing: None) -> None:
        scene.envoy.server.drain.healthy = False
