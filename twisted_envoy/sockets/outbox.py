"""
What waits for the end of a round: small writes, and connects.

A send or a connect wakes a process that waits for it. Done one by one, with our work between them,
each wakes it anew, which costs more than the bytes; done one right after the other, most find it
awake. So while several sockets are told of news, what goes out is collected, and goes out when all
were told. Nobody can tell the difference but by the clock: who looks at a socket first has it sent.
"""

from __future__ import annotations

from typing import Protocol

from twisted.logger import Logger

_log = Logger("connection")


class Sender(Protocol):
    """What has something that waits."""

    def goOut(self) -> None:
        """Now."""

    def raised(self) -> None:
        """The error that it let out is being handled."""


class Outbox:
    """
    Collects while it is open.

    Attributes:
        isOpen: whoever has something small to send may leave it here.
        waiting: have left something.
    """

    __slots__ = ("isOpen", "waiting")

    def __init__(self) -> None:
        self.isOpen = False
        self.waiting: list[Sender] = []

    def empty(self) -> None:
        """Let all go out."""
        while self.waiting:
            waiting, self.waiting = self.waiting, []
            for sender in waiting:
                try:
                    sender.goOut()
                except Exception:
                    _log.failure("a connection raised; it is closed")
                    sender.raised()


CLOSED = Outbox()
"""Of sockets that are told one at a time; never opened."""
