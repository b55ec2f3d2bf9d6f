"""
An HTTP/1.1 origin that does what the request's own headers say.

Without `x-answer` it gives back the request as it has seen it, headers in order. With it, it sends
exactly these bytes (percent-encoded); `|` separates steps, `||` the answers to the requests that
have the same `x-key`. Steps with a `!` are acts: `!close`, `!reset`, `!hang`, `!end`, `!pause`, and
`!echo` for bytes behind an upgrade.
"""

from __future__ import annotations

import time
from collections import Counter
from threading import Lock
from urllib.parse import quote, unquote_to_bytes

from tests.parity.peers import Peer

OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
NO = "HTTP/1.1 503 Unavailable\r\ncontent-length: 2\r\n\r\nno"


def answer(*attempts: str | tuple[str, ...]) -> str:
    """The header `x-answer` of answers, each a text or the texts and acts of its steps."""
    each = []
    for steps in attempts:
        texts = (steps,) if isinstance(steps, str) else steps
        each.append("|".join(text if text[:1] == "!" else quote(text) for text in texts))
    return "x-answer: " + "||".join(each)


class Scripted:
    """An origin's `serve`; requests of one key are counted over all its connections."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, str]] = Counter()
        self._lock = Lock()

    def __call__(self, peer: Peer) -> object:
        """Serve one connection; the request lines that came on it are what was seen."""
        lines: list[str] = []
        while (head := self._head(peer)) and self._serve(peer, head, lines):
            pass
        return lines

    def _head(self, peer: Peer) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = peer.receive(1)
            if not more:
                return b""
            head += more
        return head

    def _serve(self, peer: Peer, head: bytes, lines: list[str]) -> bool:
        first, *rest = head.decode("latin-1")[:-4].split("\r\n")
        lines.append(first)
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in rest)}
        script = headers.get("x-answer")
        if "x-early" not in headers:
            body = self._body(peer, headers)
        if script is None:
            text = "\n".join([first, *sorted(rest), "", ""]).encode("latin-1") + body
            peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(text))
            if not first.startswith("HEAD"):
                peer.send(text)
            return True
        attempts = script.split("||")
        key = (peer.port, headers.get("x-key", ""))
        with self._lock:
            at = self._counts[key]
            self._counts[key] += bool(key[1])
        return self._act(peer, attempts[min(at, len(attempts) - 1)].split("|"))

    def _body(self, peer: Peer, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            return peer.receive(int(headers["content-length"]))
        body = b""
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return body
        while True:
            size = int(self._line(peer), 16)
            if not size:
                break
            body += peer.receive(size + 2)[:-2]
        while trailer := self._line(peer):
            body += b"\n" + trailer
        return body

    def _line(self, peer: Peer) -> bytes:
        line = b""
        while not line.endswith(b"\r\n"):
            more = peer.receive(1)
            if not more:
                raise ConnectionError
            line += more
        return line[:-2]

    def _act(self, peer: Peer, steps: list[str]) -> bool:
        for step in steps:
            if step[:1] != "!":
                peer.send(unquote_to_bytes(step))
            elif step == "!close":
                return False
            elif step == "!reset":
                peer.reset()
                return False
            elif step == "!hang":
                peer.rest()
                return False
            elif step == "!end":
                peer.end()
            elif step == "!pause":
                time.sleep(0.3)  # an origin that is slow: nobody waits for this thread
            elif step == "!echo":
                while data := peer.receive(1):
                    peer.send(data.upper())
                return False
        return True
