"""HTTP/2 frames as they are written here, and what came back, per stream."""

from __future__ import annotations

from typing import Any

import hpack
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.parity.exchanges import exchange, scrubbedText

Headers = list[tuple[str, str]]
MAGIC = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def opening(settings: dict[int, int] | None = None) -> bytes:
    """The preface, SETTINGS and a large window for the connection."""
    first = SettingsFrame(0, settings=settings or {})
    return MAGIC + first.serialize() + WindowUpdateFrame(0, window_increment=1 << 20).serialize()


def block(headers: Headers) -> bytes:
    """An HPACK block that needs no table of names."""
    encoded: bytes = hpack.Encoder().encode(
        [hpack.NeverIndexedHeaderTuple(name, value) for name, value in headers], huffman=False
    )
    return encoded


def head(stream: int, headers: Headers, *flags: str) -> bytes:
    """HEADERS; END_HEADERS unless `CONTINUES` is among the flags."""
    more = [] if "CONTINUES" in flags else ["END_HEADERS"]
    kept = [flag for flag in flags if flag != "CONTINUES"]
    made: bytes = HeadersFrame(stream, data=block(headers), flags=[*more, *kept]).serialize()
    return made


def asked(
    path: str = "/", *headers: tuple[str, str], method: str = "GET", authority: str = "test"
) -> Headers:
    """The headers of a request."""
    pseudo = [(":method", method), (":scheme", "http"), (":path", path), (":authority", authority)]
    return [*pseudo, *headers]


def get(stream: int = 1, path: str = "/", *headers: tuple[str, str]) -> bytes:
    """A request without a body."""
    return head(stream, asked(path, *headers), "END_STREAM")


def data(stream: int, text: bytes, *flags: str) -> bytes:
    """DATA."""
    made: bytes = DataFrame(stream, data=text, flags=list(flags)).serialize()
    return made


def raw(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Any frame, as wrong as wanted."""
    return (
        len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload
    )


def reset(stream: int, code: int = 8) -> bytes:
    """RST_STREAM."""
    made: bytes = RstStreamFrame(stream, error_code=code).serialize()
    return made


def _frames(received: bytes) -> list[Frame]:
    found = []
    at = 0
    while len(received) - at >= 9:
        frame, size = Frame.parse_frame_header(memoryview(received[at : at + 9]))
        if len(received) - at - 9 < size:
            break
        try:
            frame.parse_body(memoryview(received[at + 9 : at + 9 + size]))
        except HyperframeError:
            break
        found.append(frame)
        at += 9 + size
    return found


def _shown(fields: Any) -> list[str]:
    return sorted(scrubbedText(f"\n{name}: {value}")[1:] for name, value in fields)


def events(answer: tuple[bytes, str]) -> dict[str, Any]:
    """
    What came: for each stream its events, DATA joined; the connection's own, without what only
    keeps it going (acknowledgements, windows); and how it ended.
    """
    decoder = hpack.Decoder()
    streams: dict[str, list[Any]] = {}
    joined = b""
    for frame in _frames(answer[0]):
        seen = streams.setdefault("connection" if not frame.stream_id else f"{frame.stream_id}", [])
        if isinstance(frame, (HeadersFrame, ContinuationFrame)):
            joined += frame.data
            if "END_HEADERS" in frame.flags:
                seen.append(_shown(decoder.decode(joined)))
                joined = b""
        elif isinstance(frame, DataFrame):
            text = scrubbedText(frame.data.decode("latin-1"))
            if seen and isinstance(seen[-1], str) and seen[-1].startswith("DATA "):
                seen[-1] += text
            elif text:
                seen.append("DATA " + text)
        elif isinstance(frame, RstStreamFrame):
            seen.append(f"RST {frame.error_code}")
        elif isinstance(frame, GoAwayFrame):
            seen.append(f"GOAWAY {frame.error_code} {frame.last_stream_id}")
        elif isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
            seen.append(sorted(frame.settings.items()))
        elif isinstance(frame, PingFrame):
            seen.append(f"PING {frame.opaque_data!r} {sorted(frame.flags)}")
        elif isinstance(frame, PriorityFrame):
            seen.append("PRIORITY")
        if "END_STREAM" in frame.flags:
            seen.append("END")
    return {**streams, "end": answer[1]}


def http2(port: int, conversations: dict[str, bytes | list[bytes]]) -> dict[str, dict[str, Any]]:
    """
    Hold named conversations over HTTP/2.

    Args:
        conversations: name -> frames behind the usual opening, or several texts of them.
    """
    texts = []
    for one in conversations.values():
        first, *rest = [one] if isinstance(one, bytes) else one
        isWhole = first.startswith((MAGIC, b"GET "))
        texts.append([first, *rest] if isWhole else [opening(), first, *rest])
    answers = exchange(port, texts)
    return dict(zip(conversations, map(events, answers), strict=True))
