"""
RFC 9113 and RFC 7541, section by section: what is sent to a server, and what must come back.

Each line of a table is a wrong frame (or a right one) on a fresh connection. The answer is read
with hyperframe, an implementation that is not ours. `GOAWAY` and `RST` carry the code; `close` is
an end without GOAWAY (as Envoy ends a connection whose message is malformed); `ok` means that the
connection still answers PING.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import (
    EH,
    ES,
    PADDED,
    PING,
    PREFACE,
    PRIO,
    block,
    frame,
    headers,
    number,
    parse,
    rst,
    setting,
    window,
)
from tests.codec.h2.support import REQUEST, RESPONSE, OverLibrary, Side
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.settings import HTTP2Settings

PROTOCOL, FLOW, CLOSED, SIZE, REFUSED, COMPRESSION = 1, 3, 5, 6, 7, 9
POST = ((b":method", b"POST"), *REQUEST[1:])


def fields(*more: tuple[bytes, bytes], leave: bytes = b"", base: object = REQUEST) -> bytes:
    """A whole request on stream 1 with more fields, or without one."""
    kept = [pair for pair in base if pair[0] != leave]  # type: ignore[attr-defined]
    return headers(1, [*kept, *more])


OPEN = headers(1, POST, EH)
HALF_CLOSED = headers(1)

CONNECTION = {
    # 3.4, 3.5, 4.1, 4.2
    "3.4 bad preface": (b"INVALID CONNECTION PREFACE\r\n\r\n", f"GOAWAY {PROTOCOL}"),
    "3.4 no settings first": (PREFACE + PING, f"GOAWAY {PROTOCOL}"),
    "3.4 ack first": (PREFACE + frame(4, 1, 0), f"GOAWAY {PROTOCOL}"),
}
STREAM = {
    "4.1 unknown type": (frame(0x16, 0, 0, b"12345678"), "ok"),
    "4.1 undefined flags": (frame(6, 0x16, 0, b"12345678"), "ok"),
    "4.1 reserved bit": (frame(6, 0, 1 << 31, b"12345678"), "ok"),
    "4.2 DATA of 2^14": (OPEN + frame(0, 0, 1, bytes(16384)), "ok"),
    "4.2 DATA too long": (OPEN + frame(0, 0, 1, bytes(16385)), f"GOAWAY {SIZE}"),
    "4.2 HEADERS too long": (frame(1, ES | EH, 1, bytes(16385)), f"GOAWAY {SIZE}"),
    "4.3 bad index": (frame(1, ES | EH, 1, b"\xff\xff\xff\xff\xff\x01"), f"GOAWAY {COMPRESSION}"),
    "4.3 PRIORITY in a block": (
        frame(1, ES, 1, block()) + frame(2, 0, 1, number(0) + b"\xff"),
        f"GOAWAY {PROTOCOL}",
    ),
    "4.3 HEADERS in a block": (
        frame(1, ES, 1, block()) + headers(3),
        f"GOAWAY {PROTOCOL}",
    ),
    "4.3 unknown in a block": (frame(1, ES, 1, block()) + frame(22, 0, 0), f"GOAWAY {PROTOCOL}"),
    # 5.1
    "5.1 idle: DATA": (frame(0, ES, 1, b"test"), f"GOAWAY {PROTOCOL}"),
    "5.1 idle: RST": (rst(1), f"GOAWAY {PROTOCOL}"),
    "5.1 idle: WINDOW_UPDATE": (window(1, 100), f"GOAWAY {PROTOCOL}"),
    "5.1 idle: CONTINUATION": (frame(9, EH, 1, block()), f"GOAWAY {PROTOCOL}"),
    "5.1 half closed: DATA": (HALF_CLOSED + frame(0, ES, 1, b"test"), f"RST {CLOSED}"),
    "5.1 half closed: HEADERS": (HALF_CLOSED + headers(1), f"RST {CLOSED}"),
    "5.1 half closed: CONTINUATION": (HALF_CLOSED + frame(9, EH, 1, b""), f"GOAWAY {PROTOCOL}"),
    "5.1 half closed: WINDOW_UPDATE": (HALF_CLOSED + window(1, 1), "ok"),
    "5.1 half closed: PRIORITY": (HALF_CLOSED + frame(2, 0, 1, number(0) + b"\x01"), "ok"),
    "5.1 reset: DATA": (OPEN + rst(1) + frame(0, ES, 1, b"test"), f"RST {CLOSED}"),
    "5.1 reset: HEADERS": (OPEN + rst(1) + headers(1), f"RST {CLOSED}"),
    "5.1 reset: CONTINUATION": (OPEN + rst(1) + frame(9, EH, 1, b""), f"GOAWAY {PROTOCOL}"),
    "5.1 reset: RST": (OPEN + rst(1) + rst(1), "ok"),
    "5.1.1 even": (headers(2), f"GOAWAY {PROTOCOL}"),
    "5.1.1 smaller": (headers(5) + headers(3), f"GOAWAY {PROTOCOL}"),
    "5.1.1 larger": (headers(5) + headers(7), "ok"),
    "5.3.1 HEADERS on itself": (
        frame(1, ES | EH | PRIO, 1, number(1) + b"\xff" + block()),
        f"GOAWAY {PROTOCOL}",
    ),
    "5.3.1 PRIORITY on itself": (frame(2, 0, 2, number(2) + b"\xff"), f"GOAWAY {PROTOCOL}"),
    "5.5 unknown frame": (frame(0xFF, 0, 0, b"x"), "ok"),
    # 6
    "6.1 DATA on 0": (frame(0, ES, 0, b"test"), f"GOAWAY {PROTOCOL}"),
    "6.1 pad too long": (OPEN + frame(0, ES | PADDED, 1, b"\x05test"), f"GOAWAY {PROTOCOL}"),
    "6.1 pad without byte": (OPEN + frame(0, ES | PADDED, 1), f"GOAWAY {SIZE}"),
    "6.1 padded": (OPEN + frame(0, PADDED, 1, b"\x03x123"), "ok"),
    "6.2 no END_HEADERS then HEADERS": (frame(1, ES, 1, block()) + headers(3), "GOAWAY 1"),
    "6.2 on 0": (headers(0), f"GOAWAY {PROTOCOL}"),
    "6.2 pad too long": (frame(1, ES | EH | PADDED, 1, b"\xff" + block()), f"GOAWAY {PROTOCOL}"),
    "6.3 on 0": (frame(2, 0, 0, number(0) + b"\xff"), f"GOAWAY {PROTOCOL}"),
    "6.3 size": (frame(2, 0, 1, b"1234"), f"GOAWAY {SIZE}"),
    "6.3 idle": (frame(2, 0, 9, number(0) + b"\xff") + HALF_CLOSED, "ok"),
    "6.4 on 0": (rst(0), f"GOAWAY {PROTOCOL}"),
    "6.4 idle": (rst(3), f"GOAWAY {PROTOCOL}"),
    "6.4 size": (OPEN + frame(3, 0, 1, b"123"), f"GOAWAY {SIZE}"),
    "6.5 ack with payload": (frame(4, 1, 0, b"x"), f"GOAWAY {SIZE}"),
    "6.5 on a stream": (frame(4, 0, 1), f"GOAWAY {PROTOCOL}"),
    "6.5 size": (frame(4, 0, 0, b"123"), f"GOAWAY {SIZE}"),
    "6.5.2 push": (setting(2, 2), f"GOAWAY {PROTOCOL}"),
    "6.5.2 window": (setting(4, 1 << 31), f"GOAWAY {FLOW}"),
    "6.5.2 frame below": (setting(5, 16383), f"GOAWAY {PROTOCOL}"),
    "6.5.2 frame above": (setting(5, 1 << 24), f"GOAWAY {PROTOCOL}"),
    "6.5.2 unknown": (setting(0xFF, 1), "ok"),
    "6.5.2 connect": (setting(8, 2), f"GOAWAY {PROTOCOL}"),
    "6.6 push": (OPEN + frame(5, EH, 1, number(2)), f"GOAWAY {PROTOCOL}"),
    "6.7 on a stream": (frame(6, 0, 1, b"12345678"), f"GOAWAY {PROTOCOL}"),
    "6.7 size": (frame(6, 0, 0, b"1234567"), f"GOAWAY {SIZE}"),
    "6.7 ack": (frame(6, 1, 0, b"12345678"), "ok"),
    "6.8 on a stream": (frame(7, 0, 1, bytes(8)), f"GOAWAY {PROTOCOL}"),
    "6.8 size": (frame(7, 0, 0, bytes(7)), f"GOAWAY {SIZE}"),
    "6.8 then PING": (frame(7, 0, 0, bytes(8)), "ok"),
    "6.9 zero on connection": (window(0, 0), f"GOAWAY {PROTOCOL}"),
    "6.9 zero on a stream": (OPEN + window(1, 0), f"RST {PROTOCOL}"),
    "6.9 size": (frame(8, 0, 0, b"123"), f"GOAWAY {SIZE}"),
    "6.9.1 connection": (window(0, 2**31 - 1), f"GOAWAY {FLOW}"),
    "6.9.1 stream": (OPEN + window(1, 2**31 - 1), f"RST {FLOW}"),
    "6.9.2 above by SETTINGS": (
        OPEN + window(1, 1) + setting(4, 2**31 - 1) + window(1, 1),
        f"GOAWAY {FLOW}",
    ),
    "6.10 CONTINUATIONs": (
        frame(1, ES, 1, block()[:1]) + frame(9, 0, 1, block()[1:4]) + frame(9, EH, 1, block()[4:]),
        "ok",
    ),
    "6.10 then DATA": (frame(1, 0, 1, block()) + frame(0, 0, 1, b"x"), f"GOAWAY {PROTOCOL}"),
    "6.10 on 0": (frame(1, ES, 1, block()) + frame(9, EH, 0), f"GOAWAY {PROTOCOL}"),
    "6.10 on another": (frame(1, ES, 1, block()) + frame(9, EH, 3), f"GOAWAY {PROTOCOL}"),
    "6.10 after END_HEADERS": (OPEN + frame(9, EH, 1, b""), f"GOAWAY {PROTOCOL}"),
    "7 GOAWAY of an unknown code": (frame(7, 0, 0, number(0) + number(0xFF)), "ok"),
    "7 RST of an unknown code": (OPEN + frame(3, 0, 1, number(0xFF)), "ok"),
    # 8
    "8.1 HEADERS without END_STREAM": (OPEN + headers(1, POST, EH), f"GOAWAY {PROTOCOL}"),
    "8.1 trailers": (OPEN + headers(1, [(b"x", b"y")]), "ok"),
    "8.1 pseudo in trailers": (OPEN + headers(1, REQUEST), "close"),
    "8.2 upper case": (fields((b"X-TEST", b"ok")), "close"),
    "8.2 empty name": (fields((b"", b"ok")), "close"),
    "8.2 bad name": (fields((b"a b", b"ok")), "close"),
    "8.2 NUL": (fields((b"a", b"o\0k")), "close"),
    "8.2 CR": (fields((b"a", b"o\rk")), "close"),
    "8.2 LF": (fields((b"a", b"o\nk")), "close"),
    "8.2.2 connection": (fields((b"connection", b"keep-alive")), "close"),
    "8.2.2 proxy-connection": (fields((b"proxy-connection", b"a")), "close"),
    "8.2.2 keep-alive": (fields((b"keep-alive", b"a")), "close"),
    "8.2.2 upgrade": (fields((b"upgrade", b"a")), "close"),
    "8.2.2 transfer-encoding": (fields((b"transfer-encoding", b"chunked")), "close"),
    "8.2.2 te": (fields((b"te", b"trailers, deflate")), "close"),
    "8.2.2 te: trailers": (fields((b"te", b"trailers")), "ok"),
    "8.3 unknown pseudo": (fields(base=((b":test", b"ok"), *REQUEST)), "close"),
    "8.3 response's pseudo": (fields(base=((b":status", b"200"), *REQUEST)), "close"),
    "8.3 pseudo after": (
        fields((b":path", b"/"), leave=b":path", base=(*REQUEST, (b"x", b"y"))),
        "close",
    ),
    "8.3.1 empty path": (fields((b":path", b""), leave=b":path"), "close"),
    "8.3.1 no method": (fields(leave=b":method"), "close"),
    "8.3.1 no scheme": (fields(leave=b":scheme"), "close"),
    "8.3.1 no path": (fields(leave=b":path"), "close"),
    "8.3.1 two methods": (fields((b":method", b"GET")), "close"),
    "8.3.1 two schemes": (fields((b":scheme", b"http")), "close"),
    "8.3.1 two paths": (fields((b":path", b"/")), "close"),
    "8.3.1 bad method": (fields(base=((b":method", b"G T"), *REQUEST[1:])), "close"),
    "8.5 CONNECT with a path": (fields(base=((b":method", b"CONNECT"), *REQUEST[1:])), "close"),
    "8.5 CONNECT without authority": (headers(1, [(b":method", b"CONNECT")]), "close"),
    "8.5 protocol not allowed": (
        fields(base=((b":method", b"CONNECT"), (b":protocol", b"websocket"), *REQUEST[1:])),
        "close",
    ),
    "8.1.1 length and END_STREAM": (fields((b"content-length", b"1")), "close"),
    "8.1.1 two lengths": (fields((b"content-length", b"1"), (b"content-length", b"2")), "close"),
    "8.1.1 length of no number": (fields((b"content-length", b"+1")), "close"),
    "8.1.1 DATA too long": (
        headers(1, [*POST, (b"content-length", b"1")], EH) + frame(0, ES, 1, b"test"),
        f"RST {PROTOCOL}",
    ),
    "8.1.1 DATAs too short": (
        headers(1, [*POST, (b"content-length", b"9")], EH)
        + frame(0, 0, 1, b"test")
        + frame(0, ES, 1, b"test"),
        f"RST {PROTOCOL}",
    ),
    "8.1.1 DATA and trailers too short": (
        headers(1, [*POST, (b"content-length", b"9")], EH)
        + frame(0, 0, 1, b"test")
        + headers(1, [(b"x", b"y")]),
        "close",
    ),
    # RFC 7541
    "2.3.3 index 0": (frame(1, ES | EH, 1, block() + b"\x80"), f"GOAWAY {COMPRESSION}"),
    "2.3.3 index past the table": (frame(1, ES | EH, 1, block() + b"\xc6"), "GOAWAY 9"),
    "4.2 update at the end": (frame(1, ES | EH, 1, block() + b"\x21"), f"GOAWAY {COMPRESSION}"),
    "5.2 padding above 7 bits": (
        frame(1, ES | EH, 1, block() + b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff"),
        f"GOAWAY {COMPRESSION}",
    ),
    "5.2 padded with zeros": (
        frame(1, ES | EH, 1, block() + b"\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90"),
        f"GOAWAY {COMPRESSION}",
    ),
    "5.2 EOS": (
        frame(
            1, ES | EH, 1, block() + b"\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f"
        ),
        f"GOAWAY {COMPRESSION}",
    ),
    "6.1 index": (frame(1, ES | EH, 1, block() + b"\xff\x80\x80\x80\x80\x10"), "GOAWAY 9"),
    "6.3 table above": (
        frame(1, ES | EH, 1, b"\x3f\xe2\x1f" + block()),
        f"GOAWAY {COMPRESSION}",
    ),
}
AFTER_END = {
    "5.1 closed: DATA": (frame(0, ES, 1, b"test"), f"GOAWAY {CLOSED}"),
    "5.1 closed: HEADERS": (headers(1), f"GOAWAY {CLOSED}"),
    "5.1 closed: CONTINUATION": (frame(9, EH, 1, b""), f"GOAWAY {PROTOCOL}"),
    "5.1 closed: WINDOW_UPDATE": (window(1, 1), "ok"),
    "5.1 closed: RST": (rst(1), "ok"),
    "5.1 closed: PRIORITY": (frame(2, 0, 1, number(0) + b"\x01"), "ok"),
}


ENDS = ("close", f"GOAWAY {PROTOCOL}")


def outcome(side: Side, data: bytes) -> str:
    """Feed bytes and a PING; tell what came of it."""
    side.wire.take()
    details = side.receive(data + PING)
    answers = parse(side.wire.take())
    names = [type(answer).__name__ for answer in answers]
    if details is not None:
        if names and names[-1] == "GoAwayFrame":
            return f"GOAWAY {answers[-1].error_code}"
        return "close"
    if names[-1:] != ["PingFrame"]:
        return f"no answer but {names}"
    for answer in answers:
        if type(answer).__name__ == "RstStreamFrame":
            return f"RST {answer.error_code}"
    return "ok"


class ConformanceTests(SynchronousTestCase):
    """A server's answers to frames that no client should send."""

    def check(self, data: bytes, expected: str, name: str, settings: HTTP2Settings) -> None:
        whole = Side(False, settings)
        self.assertEqual(outcome(whole, data), expected, name)

    def test_connection(self) -> None:
        """From the first byte."""
        for name, (data, expected) in CONNECTION.items():
            self.check(data, expected, name, HTTP2Settings())

    def test_frames(self) -> None:
        """After the preface."""
        for name, (data, expected) in STREAM.items():
            self.check(PREFACE + frame(4, 0, 0) + data, expected, name, HTTP2Settings())

    def test_streamErrors(self) -> None:
        """With streamErrors a malformed message resets its stream and nothing else."""
        settings = HTTP2Settings(streamErrors=True)
        for name, (data, expected) in STREAM.items():
            if expected == "close":
                expected = f"RST {PROTOCOL}"
            self.check(PREFACE + frame(4, 0, 0) + data, expected, name, settings)

    def test_inPieces(self) -> None:
        """A malformed message is one when it comes in CONTINUATIONs, too."""
        checked = 0
        for name, (data, expected) in STREAM.items():
            size = int.from_bytes(data[:3], "big")
            if expected == "close" and len(data) == 9 + size and data[4] & EH:
                payload, flags = data[9:], data[4] & ~EH
                pieces = frame(1, flags, 1, payload[:4]) + frame(9, EH, 1, payload[4:])
                side = Side(False)
                self.assertIn(outcome(side, PREFACE + frame(4, 0, 0) + pieces), ENDS, name)
                checked += 1
        self.assertGreater(checked, 25)

    def test_afterTheEndOfAStream(self) -> None:
        """Stream 1 was answered."""
        for name, (data, expected) in AFTER_END.items():
            side = Side(False)
            side.receive(PREFACE + frame(4, 0, 0) + HALF_CLOSED)
            side.owner.requests[0].encoder.encodeHeaders(HeaderMap(RESPONSE), True)
            self.assertEqual(outcome(side, data), expected, name)

    def test_concurrency(self) -> None:
        """5.1.2: a stream too many is refused, the others go on."""
        side = Side(False, HTTP2Settings(maxConcurrentStreams=1))
        data = PREFACE + frame(4, 0, 0) + OPEN + headers(3)
        self.assertEqual(outcome(side, data), f"RST {REFUSED}")
        self.assertEqual(side.stats.stream_refused_errors.value, 1)
        self.assertEqual(len(side.owner.requests), 1)

    def test_everySplitPoint(self) -> None:
        """Where the bytes are cut does not matter."""
        data = PREFACE + setting(4, 1000) + OPEN + frame(0, PADDED, 1, b"\x03x123") + window(1, 5)
        data += frame(1, ES, 3, block()[:3]) + frame(9, EH, 3, block()[3:])
        data += headers(1, [(b"x", b"y")]) + frame(7, 0, 0, bytes(8))
        for cut in range(len(data)):
            side = Side(False)
            self.assertIsNone(side.receive(data[:cut]))
            self.assertIsNone(side.receive(data[cut:]))
            kinds = [request.kinds() for request in side.owner.requests]
            self.assertEqual(kinds, [["headers", "data", "trailers"], ["headers"]], cut)
            self.assertEqual(side.owner.goAways, [0])


class LibraryConformanceTests(OverLibrary, ConformanceTests):
    """The same over the reference core."""
