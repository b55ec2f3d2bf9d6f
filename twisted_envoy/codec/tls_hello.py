"""
The first flight of a TLS client: is it TLS, and whom does it want to talk to?

Reads records until there is one whole ClientHello, and of that only what is needed to choose a
filter chain. Nothing is decrypted or verified. What is no ClientHello is refused for the reasons,
and with the names, that BoringSSL has for it (observed through Envoy 1.40).

    bytes                             answer
    fewer than a record's header      None: more is needed
    part of a record or a message     None
    a whole ClientHello               ClientHello
    anything else                     NotClientHello
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from twisted_envoy.values import dataclass

_HEADER = 5
_MOST_ENCRYPTED = 16384 + 2048
_MOST_MESSAGE = 16384
_MOST_EMPTY = 32
_MOST_WARNINGS = 4

_ALERT = 21
_HANDSHAKE = 22
_CLIENT_HELLO = 1
_SERVER_NAME = 0
_ALPN = 16

_HTTP = (b"GET ", b"POST ", b"HEAD ", b"PUT ")
_LONGEST_NAME = 255

REASONS = {
    "CLIENTHELLO_PARSE_FAILED": 131,
    "ENCRYPTED_LENGTH_TOO_LONG": 146,
    "ERROR_PARSING_EXTENSION": 149,
    "EXCESSIVE_MESSAGE_SIZE": 150,
    "HTTPS_PROXY_REQUEST": 155,
    "HTTP_REQUEST": 156,
    "BAD_ALERT": 102,
    "TOO_MANY_EMPTY_FRAGMENTS": 219,
    "TOO_MANY_WARNING_ALERTS": 220,
    "UNEXPECTED_MESSAGE": 223,
    "UNEXPECTED_RECORD": 225,
    "WRONG_VERSION_NUMBER": 247,
    "EXCESS_HANDSHAKE_DATA": 255,
}
"""BoringSSL's reasons, with their numbers."""

_ALERT_REASONS = 1000


class NotClientHello(Exception):
    """
    The bytes do not begin with a ClientHello.

    Attributes:
        reason: a name of REASONS; `CLOSE_NOTIFY` when the client said good-bye instead.
        code: its number.
    """

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code or REASONS.get(reason, 0)


@dataclass(frozen=True, slots=True)
class ClientHello:
    """
    What a client said first.

    Attributes:
        version: the legacy version, 0x0301 for TLS 1.0 to 0x0303 for 1.2 and later.
        serverName: SNI in lower case, each byte one character; "" when there is none.
        applicationProtocols: ALPN, each byte one character; empty when there is none, or a
            malformed one.
        ciphers: the numbers that are offered, two bytes each.
        extensions: by their numbers, in the client's order; neither counts in comparisons.
    """

    version: int
    serverName: str = ""
    applicationProtocols: tuple[str, ...] = ()
    ciphers: bytes = field(default=b"", compare=False, repr=False)
    extensions: Mapping[int, bytes] = field(default_factory=dict, compare=False, repr=False)


class ClientHelloReader:
    """
    Reads one ClientHello.

    Attributes:
        consumed: bytes of the records that were looked at.
    """

    __slots__ = ("_empty", "_message", "_warnings", "consumed")

    def __init__(self) -> None:
        self.consumed = 0
        self._message = b""
        self._empty = 0
        self._warnings = 0

    def feed(self, data: bytes) -> ClientHello | None:
        """
        Look at everything that has come so far.

        Args:
            data: from the beginning of the connection; what was there before is there again.
        Returns:
            None when more is needed.
        Raises:
            NotClientHello: it will never be one.
        """
        while len(data) - self.consumed >= _HEADER:
            start = self.consumed
            if start == 0 and _isVersion2(data):
                return self._version2(data)
            kind = data[start]
            body = self._body(data, start)
            if body is None:
                return None
            hello = self._record(kind, body)
            if hello is not None:
                return hello
        return None

    def _body(self, data: bytes, start: int) -> bytes | None:
        """The record's content; None when it is not there yet."""
        if data[start + 1] != 3:
            self.consumed = start + _HEADER
            raise NotClientHello(_notTLS(data) if start == 0 else "WRONG_VERSION_NUMBER")
        end = start + _HEADER + int.from_bytes(data[start + 3 : start + 5], "big")
        if end - start - _HEADER > _MOST_ENCRYPTED:
            self.consumed = start + _HEADER
            raise NotClientHello("ENCRYPTED_LENGTH_TOO_LONG")
        if len(data) < end:
            return None
        self.consumed = end
        return data[start + _HEADER : end]

    def _record(self, kind: int, body: bytes) -> ClientHello | None:
        if not body:
            self._empty += 1
            if self._empty > _MOST_EMPTY:
                raise NotClientHello("TOO_MANY_EMPTY_FRAGMENTS")
        else:
            self._empty = 0
        if kind == _ALERT:
            self._alert(body)
            return None
        if kind != _HANDSHAKE:
            raise NotClientHello("UNEXPECTED_RECORD")
        self._warnings = 0
        self._message += body
        return self._handshake()

    def _alert(self, body: bytes) -> None:
        if len(body) != 2:
            raise NotClientHello("BAD_ALERT")
        level, description = body
        if level != 1:
            raise NotClientHello(f"ALERT_{description}", _ALERT_REASONS + description)
        if description == 0:
            raise NotClientHello("CLOSE_NOTIFY")
        self._warnings += 1
        if self._warnings > _MOST_WARNINGS:
            raise NotClientHello("TOO_MANY_WARNING_ALERTS")

    def _handshake(self) -> ClientHello | None:
        message = self._message
        if len(message) < 4:
            return None
        size = int.from_bytes(message[1:4], "big")
        if size > _MOST_MESSAGE:
            raise NotClientHello("EXCESSIVE_MESSAGE_SIZE")
        if len(message) < 4 + size:
            return None
        if message[0] != _CLIENT_HELLO:
            raise NotClientHello("UNEXPECTED_MESSAGE")
        if len(message) > 4 + size:
            raise NotClientHello("EXCESS_HANDSHAKE_DATA")
        return parseClientHello(message[4:])

    def _version2(self, data: bytes) -> ClientHello | None:
        """A ClientHello in the form of SSL 2, which old clients of TLS 1.0 sent."""
        end = 2 + int.from_bytes(data[:2], "big") - 0x8000
        if len(data) < end:
            return None
        self.consumed = end
        body = _Bytes(data[3:end])
        version = body.number(2)
        sizes = [body.number(2) for _ in range(3)]
        ciphers = body.take(sizes[0])
        for size in sizes[1:]:
            body.take(size)
        body.end()
        found = [ciphers[at + 1 : at + 3] for at in range(0, len(ciphers), 3) if not ciphers[at]]
        if not found:
            raise NotClientHello("CLIENTHELLO_PARSE_FAILED")
        return ClientHello(version, ciphers=b"".join(found))


def parseClientHello(body: bytes) -> ClientHello:
    """
    Read the message behind its header.

    Raises:
        NotClientHello: it is malformed.
    """
    rest = _Bytes(body)
    version = rest.number(2)
    rest.take(32)
    session, ciphers = rest.vector(1), rest.vector(2)
    compressions = rest.vector(1)
    if len(session) > 32 or not ciphers or len(ciphers) % 2 or not compressions:
        raise NotClientHello("CLIENTHELLO_PARSE_FAILED")
    extensions: dict[int, bytes] = {}
    if rest:
        block = _Bytes(rest.vector(2))
        rest.end()
        while block:
            number = block.number(2)
            if number in extensions:
                raise NotClientHello("CLIENTHELLO_PARSE_FAILED")
            extensions[number] = block.vector(2)
    name = extensions.get(_SERVER_NAME)
    protocols = extensions.get(_ALPN)
    return ClientHello(
        version,
        "" if name is None else _serverName(name),
        () if protocols is None else _protocols(protocols),
        ciphers,
        extensions,
    )


def _serverName(extension: bytes) -> str:
    """Exactly one host name."""
    rest = _Bytes(extension, "ERROR_PARSING_EXTENSION")
    names = _Bytes(rest.vector(2), "ERROR_PARSING_EXTENSION")
    rest.end()
    kind = names.number(1)
    name = names.vector(2)
    names.end()
    if kind != 0 or not 0 < len(name) <= _LONGEST_NAME or b"\0" in name:
        raise NotClientHello("ERROR_PARSING_EXTENSION")
    return name.lower().decode("latin-1")


def _protocols(extension: bytes) -> tuple[str, ...]:
    """A malformed list is as good as none: the handshake itself will refuse it."""
    try:
        rest = _Bytes(extension)
        names = _Bytes(rest.vector(2))
        rest.end()
        found = []
        while names:
            found.append(names.vector(1))
    except NotClientHello:
        return ()
    return tuple(name.decode("latin-1") for name in found) if all(found) else ()


def _isVersion2(data: bytes) -> bool:
    return bool(data[0] & 0x80) and data[2] == _CLIENT_HELLO and data[3] == 3


def _notTLS(data: bytes) -> str:
    """The reason for a first record whose version is none."""
    if data.startswith(_HTTP):
        return "HTTP_REQUEST"
    return "HTTPS_PROXY_REQUEST" if data.startswith(b"CONNE") else "WRONG_VERSION_NUMBER"


class _Bytes:
    """Bytes that are read from the front; what is missing raises `reason`."""

    __slots__ = ("_data", "_position", "_reason")

    def __init__(self, data: bytes, reason: str = "CLIENTHELLO_PARSE_FAILED") -> None:
        self._data = data
        self._position = 0
        self._reason = reason

    def __bool__(self) -> bool:
        return self._position < len(self._data)

    def take(self, size: int) -> bytes:
        start = self._position
        self._position = end = start + size
        if end > len(self._data):
            raise NotClientHello(self._reason)
        return self._data[start:end]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """What follows a length of so many bytes."""
        return self.take(self.number(size))

    def end(self) -> None:
        if self:
            raise NotClientHello(self._reason)
