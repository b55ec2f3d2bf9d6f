"""
Attempts to make an upstream see a request that its client did not send, and the upstream.

A shape is what a client sends over HTTP/1.1, or the headers and data of one HTTP/2 request, and how
many requests of it may get to the upstream. Anything called /smuggled may not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from twisted.internet.protocol import Factory, Protocol

INNER = b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"

_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_START = re.compile(rb"([A-Z]+) ([\x21-\x7e]+) HTTP/1\.1")
_CHUNK = re.compile(rb"([0-9a-f]{1,8})\r\n")
_END = b"\r\n\r\n"


class Ambiguous(Exception):
    """Two parsers could read two things from this."""


@dataclass
class Request:
    """What the upstream has read: start line's method and target, headers, body."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Upstream(Factory):
    """
    Reads HTTP/1.1 so strictly that every other parser must read the same, and counts.

    Each request is answered with its target, an upgrade or CONNECT is refused unless `accepts`.

    Attributes:
        requests: all that were read, of all connections. problem: what could not be.
    """

    noisy = False

    def __init__(self, accepts: bool = False) -> None:
        self.accepts = accepts
        self.requests: list[Request] = []
        self.tunnelled = b""
        self.problem: Exception | None = None

    def buildProtocol(self, addr: Any) -> Protocol:
        return _Connection(self)


class _Connection(Protocol):
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._data = b""
        self._request: Request | None = None
        self._left = 0
        self._chunked = self._tunnel = False

    def dataReceived(self, data: bytes) -> None:
        upstream = self._upstream
        if self._tunnel:
            upstream.tunnelled += data
            return
        self._data += data
        try:
            while self._step():
                pass
        except Ambiguous as problem:
            upstream.problem = problem

    def connectionLost(self, reason: Any = None) -> None:
        """A request that did not end is no request."""

    def _step(self) -> bool:
        if self._request is None:
            return self._head()
        if self._chunked:
            return self._chunk()
        if len(self._data) < self._left:
            return False
        self._request.body = self._data[: self._left]
        self._data = self._data[self._left :]
        self._done()
        return True

    def _head(self) -> bool:
        head, found, rest = self._data.partition(_END)
        if not found:
            return False
        self._data = rest
        start, *lines = head.split(b"\r\n")
        match = _START.fullmatch(start)
        if match is None:
            raise Ambiguous(start)
        headers = []
        for line in lines:
            name, colon, value = line.partition(b": ")
            if not (colon and _NAME.fullmatch(name) and _VALUE.fullmatch(value)):
                raise Ambiguous(line)
            headers.append((name.lower(), value))
        self._request = Request(match[1], match[2], headers, b"")
        self._framing(headers)
        return True

    def _framing(self, headers: list[tuple[bytes, bytes]]) -> None:
        lengths = [value for name, value in headers if name == b"content-length"]
        codings = [value for name, value in headers if name == b"transfer-encoding"]
        alike = [name for name, _ in headers if name.replace(b"_", b"-") == b"content-length"]
        if len(lengths) + len(codings) > 1 or len(alike) > len(lengths):
            raise Ambiguous(headers)
        self._chunked = bool(codings)
        self._left = 0
        if codings and codings[0] != b"chunked":
            raise Ambiguous(codings)
        if lengths:
            if not re.fullmatch(rb"[0-9]{1,18}", lengths[0]):
                raise Ambiguous(lengths)
            self._left = int(lengths[0])

    def _chunk(self) -> bool:
        match = _CHUNK.match(self._data)
        if match is None:
            if b"\n" in self._data[:12] or len(self._data) > 12:
                raise Ambiguous(self._data)
            return False
        size = int(match[1], 16)
        end = match.end() + size
        if not size:
            return self._trailers(match.end())
        if len(self._data) < end + 2:
            return False
        if self._data[end : end + 2] != b"\r\n":
            raise Ambiguous(self._data)
        assert self._request is not None
        self._request.body += self._data[match.end() : end]
        self._data = self._data[end + 2 :]
        return True

    def _trailers(self, start: int) -> bool:
        if self._data[start : start + 2] == b"\r\n":
            end = start + 2
        elif (place := self._data.find(_END, start)) >= 0:
            end = place + 4
        else:
            return False
        self._data = self._data[end:]
        self._done()
        return True

    def _done(self) -> None:
        request, self._request = self._request, None
        assert request is not None and self.transport is not None
        upstream = self._upstream
        upstream.requests.append(request)
        names = {name for name, _ in request.headers}
        if upstream.accepts and (request.method == b"CONNECT" or b"upgrade" in names):
            self._tunnel = True
            upstream.tunnelled, self._data = upstream.tunnelled + self._data, b""
            isConnect = request.method == b"CONNECT"
            head = b"200 OK" if isConnect else b"101 Switching Protocols"
            more = b"" if isConnect else b"connection: upgrade\r\nupgrade: websocket\r\n"
            self.transport.write(b"HTTP/1.1 " + head + b"\r\n" + more + b"\r\n")
            return
        body = b"" if request.method == b"HEAD" else request.target
        length = len(request.target)
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (length, body))
