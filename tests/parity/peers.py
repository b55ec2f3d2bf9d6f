"""Clients and origins: plain blocking sockets, so that the kernel is all that stands between."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from threading import Thread

_PATIENCE = 10.0
Served = Callable[["Peer"], object]


class Peer:
    """One end of a TCP connection."""

    def __init__(self, sock: socket.socket, isReset: bool = False) -> None:
        sock.settimeout(_PATIENCE)
        self._sock = sock
        self._isReset = isReset

    @property
    def port(self) -> int:
        """Of this end."""
        number: int = self._sock.getsockname()[1]
        return number

    def send(self, data: bytes) -> None:
        """All of it."""
        self._sock.sendall(data)

    def receive(self, count: int) -> bytes:
        """So many bytes, or fewer at the end."""
        data = b""
        while len(data) < count:
            more = self._sock.recv(count - len(data))
            if not more:
                break
            data += more
        return data

    def some(self) -> bytes:
        """What comes next; nothing at the end."""
        try:
            return self._sock.recv(65536)
        except ConnectionError:
            return b""

    def rest(self) -> tuple[bytes, str]:
        """Everything until the end, and how it ended: FIN, RST or not at all."""
        data = b""
        if self._isReset:
            return data, "RST"
        try:
            while True:
                more = self._sock.recv(65536)
                if not more:
                    return data, "FIN"
                data += more
        except ConnectionError:
            return data, "RST"
        except TimeoutError:
            return data, "open"

    def end(self) -> None:
        """Send an end of stream."""
        self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Both directions."""
        self._sock.close()

    def reset(self) -> None:
        """Close with a reset."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()


def connect(port: int) -> Peer:
    """A client; it may be reset before it knows that it is connected."""
    sock = socket.socket()
    try:
        sock.connect(("127.0.0.1", port))
    except ConnectionResetError:
        return Peer(sock, isReset=True)
    return Peer(sock)


class Origin:
    """
    A server on a port of its own.

    Args:
        serve: called in a thread for each connection; what it returns is a seen event. None: the
            port refuses.
    """

    def __init__(self, serve: Served | None) -> None:
        self._sock = socket.socket()
        self._sock.bind(("127.0.0.1", 0))
        self.port: int = self._sock.getsockname()[1]
        self.seen: list[object] = []
        self._serve = serve
        self._threads: list[Thread] = []
        if serve is not None:
            self._sock.listen(64)
            self._start(self._accept)

    def _start(self, target: Callable[[], None]) -> None:
        thread = Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._sock.accept()
            except OSError:
                return
            self._start(lambda sock=sock: self._connection(Peer(sock)))  # type: ignore[misc]

    def _connection(self, peer: Peer) -> None:
        assert self._serve is not None
        try:
            self.seen.append(self._serve(peer))
        except OSError as problem:
            self.seen.append(type(problem).__name__)
        finally:
            peer.close()

    def close(self) -> None:
        """Accept no more, and wait for what is served."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._sock.close()
        for thread in self._threads:
            thread.join(_PATIENCE)


def echo(peer: Peer) -> object:
    """Give everything back; at the end of stream say goodbye."""
    total = 0
    try:
        while data := peer.receive(1):
            total += 1
            peer.send(data)
    except ConnectionError:
        return total, "RST"
    peer.send(b"bye")
    return total, "FIN"


def digest(peer: Peer) -> object:
    """Say how much came, once it has ended."""
    data, end = peer.rest()
    peer.send(b"%d" % len(data))
    return len(data), end


def greet(peer: Peer) -> object:
    """Say hello and close."""
    peer.send(b"hello")
    return "closed"


def greetAndListen(peer: Peer) -> object:
    """Say hello, end, and hear what the client has to say."""
    peer.send(b"hello")
    peer.end()
    return peer.rest()


def silent(peer: Peer) -> object:
    """Say nothing until the client ends."""
    return peer.rest()


def resetAfterData(peer: Peer) -> object:
    """Take a byte, answer in part, and reset."""
    peer.receive(1)
    peer.send(b"part")
    peer.receive(1)  # the client has it
    peer.reset()
    return "reset"
