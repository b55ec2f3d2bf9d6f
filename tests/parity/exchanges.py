"""
Bytes to a port and what comes back, many conversations at a time.

Nothing here knows what is right: a conversation is the texts that a client sends, each after the
answer to the one before has stopped, and its result is every byte that came and how it ended.
"""

from __future__ import annotations

import re
import selectors
import socket
import time

END = b"\0END"
"""A text of a conversation: the client ends its stream."""

_QUIET = 0.35
_PATIENCE = 1.0
_PAUSE = 0.12
_HEAD = re.compile(r"HTTP/1\.[01] \d{3}[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n")
_VARIES = (
    (re.compile(r"(?<=\n)(date|Date): [^\r\n]+"), r"\1: DATE"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"(service-time: )\d+", re.IGNORECASE), r"\1N"),
)


class _Talk:
    """One conversation, under way."""

    __slots__ = ("ended", "heard", "last", "pending", "sock")

    def __init__(self, port: int, texts: list[bytes]) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.settimeout(5)
        self.pending = list(texts)
        self.heard = b""
        self.ended = ""
        self.last = 0.0
        self.say()

    def say(self) -> None:
        """Send the next text."""
        text = self.pending.pop(0)
        self.last = time.monotonic()
        try:
            if text == END:
                self.sock.shutdown(socket.SHUT_WR)
            else:
                self.sock.sendall(text)
        except OSError:
            self.pending.clear()

    def hear(self) -> None:
        """Take what has come."""
        self.last = time.monotonic()
        try:
            more = self.sock.recv(1 << 18)
        except OSError:
            self.ended = "RST"
            return
        self.heard += more
        if not more:
            self.ended = "FIN"

    def isOver(self, now: float, quiet: float) -> bool:
        """Has nothing come for long enough?"""
        if self.ended:
            return True
        if self.pending:
            if now - self.last > _PAUSE:
                self.say()
            return False
        return now - self.last > (quiet if self.heard else max(quiet, _PATIENCE))


def exchange(
    port: int, conversations: list[list[bytes]], quiet: float = _QUIET
) -> list[tuple[bytes, str]]:
    """
    Hold them all at once.

    Args:
        conversations: the texts of each; at least one.
        quiet: seconds without a byte after which an answer is taken to be whole.
    Returns:
        For each: what came, and "FIN", "RST" or "open".
    """
    talks = [_Talk(port, texts) for texts in conversations]
    with selectors.DefaultSelector() as selector:
        for talk in talks:
            selector.register(talk.sock, selectors.EVENT_READ, talk)
        while True:
            for key, _ in selector.select(0.02):
                key.data.hear()
                if key.data.ended:
                    selector.unregister(key.fileobj)
            now = time.monotonic()
            if all([talk.isOver(now, quiet) for talk in talks]):
                break
    for talk in talks:
        talk.sock.close()
    return [(talk.heard, talk.ended or "open") for talk in talks]


def scrubbedText(text: str) -> str:
    """Without dates, ids and times."""
    for pattern, by in _VARIES:
        text = pattern.sub(by, text)
    return text


def _ordered(found: re.Match[str]) -> str:
    first, *rest = found[0][:-4].split("\r\n")
    return "\r\n".join([first, *sorted(rest)]) + "\r\n\r\n"


def readable(answer: tuple[bytes, str]) -> list[str]:
    """
    The lines of what came over HTTP/1.1, the headers of each head in order, and the end.
    """
    data, ended = answer
    text = _HEAD.sub(_ordered, scrubbedText(data.decode("latin-1")))
    return [*text.split("\r\n"), ended]


def http1(
    port: int, conversations: dict[str, bytes | list[bytes]], quiet: float = _QUIET
) -> dict[str, list[str]]:
    """
    Hold named conversations over HTTP/1.1.

    Args:
        conversations: name -> one text, or several.
    """
    texts = [[one] if isinstance(one, bytes) else one for one in conversations.values()]
    answers = exchange(port, texts, quiet)
    return dict(zip(conversations, map(readable, answers), strict=True))


def get(path: str = "/", *headers: str, method: str = "GET", body: str = "") -> bytes:
    """
    A request.

    Args:
        headers: lines; `Host: test` is added unless one of them is a host.
    """
    lines = [f"{method} {path} HTTP/1.1", *headers]
    if not any(line.lower().startswith("host:") for line in headers):
        lines.insert(1, "Host: test")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")
