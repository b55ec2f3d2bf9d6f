"""
The head of the response to an HTTP/1.1 CONNECT: did the tunnel open, and what came behind it?

Reads lines until the head that counts is whole; nothing of it but the status is kept. Informational
responses are skipped. What is refused is what Envoy 1.40 refuses (observed with its default
parser): it takes bare line feeds, folded lines and any single-digit version, and is strict about
names, values and the two headers that say how long a body is.

    bytes                             answer
    part of a head                    None: more is needed
    a whole head, 1xx but 101         skipped
    a whole head                      ConnectResponse
    anything else, or too much        BadResponse

Envoy: source/common/http/http1/balsa_parser.cc, codec_impl.cc
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_BYTES = 80 * 1024
"""Of one head, line ends included."""
MOST_HEADERS = 100

_START = b"HTTP/"
_STATUS = re.compile(rb"HTTP/([0-9]\.[0-9])[ \t]+([0-9]{1,9})(?:[ \t][\t\x20-\x7e\x80-\xff]*)?")
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\r\x20-\x7e\x80-\xff]*)")
_FOLDED = re.compile(rb"[ \t][\t\r\x20-\x7e\x80-\xff]*")
_LENGTH = re.compile(rb"[0-9]+")

_CONTENT_LENGTH = b"content-length"
_TRANSFER_ENCODING = b"transfer-encoding"
_CONNECTION = b"connection"
_NO_CONTENT = 204
_SWITCHING = 101


class BadResponse(Exception):
    """The bytes are no response."""


@dataclass(frozen=True, slots=True)
class ConnectResponse:
    """
    What the proxy answered.

    Attributes:
        status: as sent, so it may be no status that HTTP knows.
        closes: it said that it does not keep the connection.
        rest: the bytes that came behind the head.
    """

    status: int
    closes: bool
    rest: bytes

    @property
    def opens(self) -> bool:
        """The bytes from now on are the tunnel's."""
        return 200 <= self.status <= 299


class ConnectResponseReader:
    """Reads one response; of no use after an answer or an error."""

    __slots__ = ("_buffer", "_count", "_kept", "_last", "_scanned", "_size", "_status", "_version")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._begin()

    def _begin(self) -> None:
        self._status = -1
        self._version = b""
        self._size = 0
        self._scanned = 0
        self._count = 0
        self._kept: dict[bytes, list[bytes]] = {}
        self._last: list[bytes] | None = None

    @property
    def begun(self) -> bool:
        """Some bytes of a head are here, and not all of it."""
        return bool(self._size or self._buffer)

    def feed(self, data: bytes) -> ConnectResponse | None:
        """
        Take more bytes.

        Returns:
            The answer; None while more is needed.
        Raises:
            BadResponse: what came is no response.
        """
        buffer = self._buffer
        buffer += data
        start = 0
        while (end := buffer.find(b"\n", max(start, self._scanned))) >= 0:
            line = bytes(buffer[start:end])
            self._size += end + 1 - start
            start = self._scanned = end + 1
            self._bound(self._size)
            if self._line(line.removesuffix(b"\r")):
                response = self._response(bytes(buffer[start:]))
                if response is not None:
                    return response
                self._begin()
        del buffer[:start]
        self._scanned = len(buffer)
        self._bound(self._size + len(buffer))
        if self._status < 0 and not _START.startswith(buffer[: len(_START)]):
            raise BadResponse("it does not begin as a response")
        return None

    def _bound(self, size: int) -> None:
        if size > MOST_BYTES:
            raise BadResponse(f"more than {MOST_BYTES} bytes of headers")

    def _line(self, line: bytes) -> bool:
        """Take one line without its end; True when it is the last of a head."""
        if self._status < 0:
            self._statusLine(line)
            return False
        if not line:
            return True
        if line[:1] in (b" ", b"\t"):
            self._fold(line)
        else:
            self._header(line)
        return False

    def _statusLine(self, line: bytes) -> None:
        found = _STATUS.fullmatch(line)
        if found is None:
            raise BadResponse("no status line")
        self._version = found[1]
        self._status = int(found[2])

    def _header(self, line: bytes) -> None:
        found = _HEADER.fullmatch(line)
        self._count += 1
        if found is None or self._count > MOST_HEADERS:
            raise BadResponse("a bad header, or too many")
        name = found[1].lower()
        self._last = None
        if name in (_CONTENT_LENGTH, _TRANSFER_ENCODING, _CONNECTION):
            self._last = self._kept.setdefault(name, [])
            self._last.append(found[2])

    def _fold(self, line: bytes) -> None:
        if not self._count or _FOLDED.fullmatch(line) is None:
            raise BadResponse("a bad folded line")
        if self._last is not None:
            self._last[-1] += line

    def _response(self, rest: bytes) -> ConnectResponse | None:
        """The answer of a whole head; None for one that is skipped."""
        status = self._status
        informational = 100 <= status <= 199
        self._checkFraming(informational or status == _NO_CONTENT)
        if informational and status != _SWITCHING:
            return None
        said = b",".join(self._kept.get(_CONNECTION, [])).lower().split(b",")
        tokens = {token.strip() for token in said}
        keeps = self._version == b"1.1" or b"keep-alive" in tokens
        return ConnectResponse(status, b"close" in tokens or not keeps, rest)

    def _checkFraming(self, bodiless: bool) -> None:
        """A tunnel has no body, but what is said of one must make sense."""
        lengths = [value.strip() for value in self._kept.get(_CONTENT_LENGTH, [])]
        encodings = [value.strip().lower() for value in self._kept.get(_TRANSFER_ENCODING, [])]
        if len(lengths) + len(encodings) > 1:
            raise BadResponse("the length of the body is told twice")
        for length in lengths:
            if _LENGTH.fullmatch(length) is None or (bodiless and length.strip(b"0")):
                raise BadResponse("a bad content-length")
        for encoding in encodings:
            if encoding != b"chunked" or bodiless:
                raise BadResponse("a bad transfer-encoding")
