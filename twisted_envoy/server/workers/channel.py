"""
What the first process and a worker say to each other: JSON objects with their lengths before them.

A question has an `id`, its answer carries the same; what has none is not answered.
"""

# mypy: allow-untyped-calls
# Twisted's receiver has no annotations.

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure

_log = Logger("main")

Message = dict[str, Any]
_CLOSED = Failure(ConnectionDone())


class Channel(Int32StringReceiver):
    """
    One end.

    Args:
        heard: gets each question and each word; what it returns, or its Deferred, is the answer.
        lost: called when the other process is gone.
    """

    MAX_LENGTH = 1 << 30

    def __init__(self, heard: Callable[[Message], object], lost: Callable[[], object]) -> None:
        self._heard = heard
        self._lost = lost
        self._waiting: dict[int, Deferred[Any]] = {}
        self._next = 0

    def tell(self, what: str, **words: object) -> None:
        """Say something that has no answer; nothing happens when nobody is there."""
        if self.transport is not None:
            self.sendString(_encode({"what": what, **words}))

    def greet(self, words: Message) -> None:
        """The first message, which `receiveOne` reads."""
        self.sendString(_encode(words))

    def ask(self, what: str, **words: object) -> Deferred[Any]:
        """
        Ask something.

        Raises:
            (Deferred) ConnectionDone: the other process is gone.
        """
        answer: Deferred[Any] = Deferred()
        if self.transport is None:
            answer.errback(_CLOSED)
            return answer
        self._next += 1
        self._waiting[self._next] = answer
        self.sendString(_encode({"what": what, "id": self._next, **words}))
        return answer

    def stringReceived(self, string: bytes) -> None:
        """One whole message."""
        message = json.loads(string)
        if "answer" in message:
            waiting = self._waiting.pop(message["id"])
            if not waiting.called:
                waiting.callback(message["answer"])
            return
        done = maybeDeferred(self._heard, message)
        done.addErrback(lambda failure: _log.failure("{what}", failure, what=message["what"]))
        if "id" in message:
            done.addCallback(self._answer, message["id"])

    def _answer(self, answer: object, number: int) -> None:
        if self.transport is not None:
            self.sendString(_encode({"id": number, "answer": answer}))

    def connectionLost(self, reason: Failure = _CLOSED) -> None:
        """The other process has ended, or is about to."""
        self.transport = None
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            if not answer.called:
                answer.errback(_CLOSED)
        self._lost()


class _One(Factory):
    """Makes the one channel of a socket."""

    noisy = False

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def buildProtocol(self, addr: IAddress | None) -> Channel:
        """The channel."""
        return self._channel


def openChannel(reactor: Any, sock: socket.socket, channel: Channel) -> None:
    """Let a channel use a socket, which is the channel's from now on."""
    sock.setblocking(False)
    reactor.adoptStreamConnection(sock.fileno(), socket.AF_UNIX, _One(channel))
    sock.close()


def receiveOne(sock: socket.socket) -> Message:
    """
    Wait for one message on a blocking socket, and read nothing behind it.

    Raises:
        EOFError: the other process has gone.
    """
    (size,) = struct.unpack("!I", _exactly(sock, 4))
    message: Message = json.loads(_exactly(sock, size))
    return message


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _encode(message: Message) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()
