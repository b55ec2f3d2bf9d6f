"""Clients of both protocols, of two connection managers, that share the upstream's connections."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

from hpack import Decoder
from hyperframe.frame import DataFrame, HeadersFrame

from tests.codec.h2.bytesof import HELLO, SETTINGS, parse
from tests.codec.h2.bytesof import headers as headersFrame
from tests.extensions.filters.http.router.carrying import DATE, answerFrames
from tests.http.manager import ORIGIN, PROXIED, address, bootstrap
from twisted_envoy.testing import MemoryEnvoy, Peer

_PATH = re.compile(rb"GET /(\d+) ")


class Client:
    """
    One that asks for a path of its own, again and again.

    Args:
        number: says which path, and by whose connection manager, of two.

    Attributes:
        asked: how often it did.
    """

    def __init__(self, envoy: MemoryEnvoy, number: int) -> None:
        self.number = number
        self.via = b"web" if number % 2 else b"other"
        self.peer = envoy.connect(self.via.decode())
        self.isHTTP2 = number % 4 > 1
        self.asked = 0
        if self.isHTTP2:
            self.peer.write(HELLO)

    def ask(self) -> None:
        """Once more."""
        self.asked += 1
        path = b"/%d" % self.number
        if self.isHTTP2:
            fields = ((b":method", b"GET"), (b":scheme", b"http"), (b":path", path))
            fields = (*fields, (b":authority", b"a.test"))
            self.peer.write(headersFrame(2 * self.asked - 1, fields))
        else:
            self.peer.write(b"GET %b HTTP/1.1\r\nhost: a.test\r\n\r\n" % path)

    def heard(self) -> list[tuple[bytes, bytes]]:
        """The `via` and the body of each answer; those of HTTP/2 by the number of their stream."""
        received = self.peer.received
        if not self.isHTTP2:
            return re.findall(rb"\r\nvia: (\w+)\r\n(?:.+\r\n)*\r\n(\d+ \d+)", received)
        decoder = Decoder()
        vias: dict[int, bytes] = {}
        bodies: dict[int, bytes] = {}
        for one in parse(received):
            if isinstance(one, HeadersFrame):
                vias[one.stream_id] = dict(decoder.decode(one.data, raw=True))[b"via"]
            elif isinstance(one, DataFrame):
                bodies[one.stream_id] = bodies.get(one.stream_id, b"") + one.data
        return [(vias[stream], bodies[stream]) for stream in sorted(bodies)]


class Upstream:
    """One connection of the upstream's: it says who asked, and counts who was answered."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._read = 0
        self._decoder = Decoder()
        self.isHTTP2 = False

    def answer(self, serial: int, random: Random) -> int:
        """Answer all that was asked, in some order; gives the next number."""
        data = self._peer.received[self._read :]
        self._read += len(data)
        if data.startswith(b"PRI"):
            self.isHTTP2 = True
            self._peer.write(SETTINGS)
        asked = self._asked(data)
        random.shuffle(asked)
        for stream, path in asked:
            serial += 1
            self._peer.write(self._whole(stream, b"%b %05d" % (path, serial)))
        return serial

    def _asked(self, data: bytes) -> list[tuple[int, bytes]]:
        if not self.isHTTP2:
            return [(0, path) for path in _PATH.findall(data)]
        heads = [one for one in parse(data) if isinstance(one, HeadersFrame)]
        decode = self._decoder.decode
        return [(one.stream_id, dict(decode(one.data, raw=True))[b":path"][1:]) for one in heads]

    def _whole(self, stream: int, body: bytes) -> bytes:
        size = b"%d" % len(body)
        if self.isHTTP2:
            fields = ((b":status", b"200"), (b"content-length", size), (b"date", b"today"))
            return b"".join(answerFrames(stream, fields, body))
        head = b"HTTP/1.1 200 OK\r\n" + DATE
        return b"%bcontent-length: %b\r\n\r\n%b" % (head, size, body)


def play(clients: int, rounds: int, random: Random, **more: Any) -> list[Client]:
    """
    Have many ask at once, over and over.

    Args:
        more: further fields of the cluster.
    """
    config = json.loads(bootstrap([PROXIED], None, more, access_log=[], via="web"))
    listeners = config["static_resources"]["listeners"]
    other = json.loads(json.dumps(listeners[0]))
    other.update(name="other", address=address("127.0.0.1:8081"))
    other["filter_chains"][0]["filters"][0]["typed_config"].update(stat_prefix="other", via="other")
    listeners.append(other)
    envoy = MemoryEnvoy(json.dumps(config, indent=1))
    try:
        origin = envoy.listen(ORIGIN)
        crowd = [Client(envoy, number) for number in range(clients)]
        upstreams: dict[Peer, Upstream] = {}
        serial = 0
        for _ in range(rounds):
            for client in random.sample(crowd, random.randint(1, clients)):
                client.ask()
                if random.random() < 0.5:
                    envoy.settle()
            envoy.settle()
            for peer in origin.connections:
                upstream = upstreams.setdefault(peer, Upstream(peer))
                serial = upstream.answer(serial, random)
            envoy.settle()
        return crowd
    finally:
        envoy.stop()
