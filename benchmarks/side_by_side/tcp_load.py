"""
Load over TCP, and the server behind the proxies: `python tcp_load.py ...`.

    serve PORT                    a byte says what a connection does: E echoes, U takes what comes
                                  and tells how much, D sends as much as the next eight bytes say
    bulk PORT down|up BYTES       one connection
    messages PORT COUNT SECONDS   so many connections that send 64 bytes and wait for their echo
    connections PORT COUNT SECONDS    so many at a time: connect, one echo, close
    idle PORT COUNT tcp|http|tls  each has had an echo, or the answer to a GET (tls: over TLS);
                                  prints a line, ends with its stdin

Each prints one JSON object: operations, seconds, and where it has them p50 and p99 in
microseconds, errors.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import struct
import sys
import time
from typing import Any

CHUNK = bytes(1 << 18)
MESSAGE = b"E" + b"x" * 63
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
HELLO = b"\r\n\r\nHello, world!\n"
BIG = 1 << 20
ROUNDS = 500


def serve(port: int) -> None:
    """Serve for ever."""
    listening = socket.create_server(("127.0.0.1", port), backlog=4096)
    listening.setblocking(False)
    polling = select.epoll()
    polling.register(listening, select.EPOLLIN)
    open_: dict[int, _Served] = {}
    while True:
        for descriptor, _ in polling.poll():
            if descriptor == listening.fileno():
                _acceptAll(listening, polling, open_)
            elif not open_[descriptor].ready():
                one = open_.pop(descriptor)
                polling.unregister(descriptor)
                one.sock.close()


def _acceptAll(listening: socket.socket, polling: Any, open_: dict[int, _Served]) -> None:
    while True:
        try:
            sock, _ = listening.accept()
        except BlockingIOError:
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        open_[sock.fileno()] = _Served(sock, polling)
        polling.register(sock, select.EPOLLIN)


class _Served:
    """One connection to the server."""

    def __init__(self, sock: socket.socket, polling: Any) -> None:
        self.sock = sock
        self._polling = polling
        self._kind = b""
        self._taken = self._left = 0

    def ready(self) -> bool:
        """Do what can be done; False at its end."""
        try:
            if self._kind == b"D":
                return self._send()
            data = self.sock.recv(BIG)
            self._kind = self._kind or data[:1]
            if self._kind == b"E":
                return bool(data) and self.sock.send(data) == len(data)
            if self._kind == b"D":
                (self._left,) = struct.unpack("!Q", data[1:9])
                self._polling.modify(self.sock, select.EPOLLOUT)
                return True
            self._taken += len(data)
            if not data and self._taken:
                self.sock.send(struct.pack("!Q", self._taken))
        except BlockingIOError:
            return True
        except OSError:
            return False
        return bool(data)

    def _send(self) -> bool:
        self._left -= self.sock.send(memoryview(CHUNK)[: min(len(CHUNK), self._left)])
        return self._left > 0


def connect(port: int) -> socket.socket:
    """A blocking connection."""
    sock = socket.create_connection(("127.0.0.1", port), 30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def bulk(port: int, direction: str, size: int) -> dict[str, Any]:
    """So many bytes over one connection; an operation is a GB."""
    began = time.perf_counter()
    with connect(port) as sock:
        if direction == "down":
            sock.sendall(b"D" + struct.pack("!Q", size))
            buffer, left = bytearray(BIG), size
            while left and (got := sock.recv_into(buffer)):
                left -= got
            moved = size - left
        else:
            left = size
            sock.sendall(b"U")
            while left:
                left -= sock.send(memoryview(CHUNK)[: min(left, len(CHUNK))])
            sock.shutdown(socket.SHUT_WR)
            moved = struct.unpack("!Q", sock.recv(8))[0] - 1
    if moved != size:
        raise SystemExit(f"{moved} of {size} bytes came through")
    return {"operations": size / 1e9, "seconds": time.perf_counter() - began}


def messages(port: int, count: int, seconds: float) -> dict[str, Any]:
    """Ping-pong on so many connections."""
    socks = {one.fileno(): one for one in (connect(port) for _ in range(count))}
    polling = select.epoll()
    sent = dict.fromkeys(socks, 0.0)
    taken: list[float] = []
    for descriptor, sock in socks.items():
        polling.register(descriptor, select.EPOLLIN)
        sent[descriptor] = time.perf_counter()
        sock.send(MESSAGE)
    began = now = time.perf_counter()
    while now - began < seconds:
        for descriptor, _ in polling.poll():
            sock = socks[descriptor]
            if len(sock.recv(4096)) != len(MESSAGE):
                raise SystemExit("a message came back in pieces, or not at all")
            now = time.perf_counter()
            taken.append(now - sent[descriptor])
            sent[descriptor] = now
            sock.send(MESSAGE)
    for sock in socks.values():
        sock.close()
    return _timed(taken, now - began)


def connections(port: int, count: int, seconds: float) -> dict[str, Any]:
    """New connections, so many at a time."""
    polling = select.epoll()
    open_: dict[int, tuple[socket.socket, float]] = {}
    taken: list[float] = []
    errors = 0

    def begin() -> None:
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", port))
        open_[sock.fileno()] = (sock, time.perf_counter())
        polling.register(sock, select.EPOLLOUT)

    for _ in range(count):
        begin()
    began = now = time.perf_counter()
    while now - began < seconds:
        for descriptor, event in polling.poll():
            sock, at = open_[descriptor]
            try:
                if event & select.EPOLLOUT:
                    sock.send(MESSAGE)
                    polling.modify(descriptor, select.EPOLLIN)
                    continue
                fine = len(sock.recv(4096)) == len(MESSAGE)
            except OSError:
                fine = False
            now = time.perf_counter()
            taken.append(now - at)
            errors += not fine
            del open_[descriptor]
            sock.close()
            begin()
    return {**_timed(taken, now - began), "errors": errors}


def idle(port: int, count: int, kind: str) -> None:
    """Hold so many connections, when all that is made once has been made for another."""
    with _opened(port, kind) as sock:
        for _ in range(ROUNDS):
            _exchange(sock, kind)
    socks = [_opened(port, kind) for _ in range(count)]
    for sock in socks:
        _exchange(sock, kind)
    print(json.dumps({"open": len(socks)}), flush=True)
    sys.stdin.read()


def _opened(port: int, kind: str) -> socket.socket:
    sock = connect(port)
    return _unverified().wrap_socket(sock) if kind == "tls" else sock


def _exchange(sock: socket.socket, kind: str) -> None:
    """One message or request, and all of what comes back."""
    sock.sendall(MESSAGE if kind == "tcp" else GET)
    answer = sock.recv(4096)
    while kind != "tcp" and not answer.endswith(HELLO):
        more = sock.recv(4096)
        if not more:
            raise SystemExit(f"no such answer is expected: {answer!r}")
        answer += more


def _unverified() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def _timed(taken: list[float], seconds: float) -> dict[str, Any]:
    taken.sort()
    return {
        "operations": len(taken),
        "seconds": seconds,
        "p50": taken[len(taken) // 2] * 1e6 if taken else 0,
        "p99": taken[len(taken) * 99 // 100] * 1e6 if taken else 0,
    }


def main(words: list[str]) -> None:
    """As the command line says."""
    what, port = words[0], int(words[1])
    if what == "serve":
        serve(port)
    elif what == "idle":
        idle(port, int(words[2]), words[3])
    else:
        found = (
            bulk(port, words[2], int(words[3]))
            if what == "bulk"
            else {"messages": messages, "connections": connections}[what](
                port, int(words[2]), float(words[3])
            )
        )
        print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
