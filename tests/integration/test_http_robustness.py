"""Slow, broken and hostile clients and upstreams: answered or closed, and nobody else notices."""

from __future__ import annotations

import socket
from typing import Any

from hpack import Encoder

from tests.integration.http_bootstraps import HTTP2, answering, proxy
from tests.integration.http_programs import HELLO, Beside, HTTPProgramTestCase, heard, memory
from tests.integration.programs import PATIENCE, Program, connected, portOf

MEGABYTE = 1 << 20
GROWTH = 48 * MEGABYTE
GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n" + HELLO.encode()


def frame(kind: int, flags: int, payload: bytes, stream: int = 0) -> bytes:
    """A frame of HTTP/2."""
    head = len(payload).to_bytes(3, "big") + bytes((kind, flags))
    return head + stream.to_bytes(4, "big") + payload


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, b"")
HEADERS = Encoder().encode(
    [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a")]
)
OPEN = PREFACE + frame(1, 4, HEADERS, 1)
PROTOCOL_ERROR = 1
ENHANCE_YOUR_CALM = 11
CHUNK = 64 * 1024
FLOOD = 16 * MEGABYTE


def goAways(data: bytes) -> list[int]:
    """The error codes of the GOAWAY frames in what a server said."""
    codes = []
    while len(data) >= 9:
        end = 9 + int.from_bytes(data[:3], "big")
        if data[3] == 7:
            codes.append(int.from_bytes(data[13:17], "big"))
        data = data[end:]
    return codes


class RobustCase(HTTPProgramTestCase):
    """One program; somebody else uses it all the time."""

    def start(self, text: str) -> int:
        """The program; its port, when it serves."""
        self.program = self.serve(text)
        self.port = self.program.port("web")
        self.unharmed()
        self.before = memory(self.program)
        return self.port

    def unharmed(self) -> None:
        """Other clients get their answers."""
        self.assertEqual(self.curl(self.port), HELLO)
        self.assertEqual(self.curl(self.port, "--http2-prior-knowledge"), HELLO)

    def survived(self) -> None:
        """It still serves, has not grown, and has nothing to complain about."""
        self.unharmed()
        self.assertLess(memory(self.program) - self.before, GROWTH)
        self.quiet(self.program)

    def stat(self, name: str) -> int:
        """A counter of the program's."""
        for line in self.program.admin("stats").splitlines():
            if line.startswith(f"{name}: "):
                return int(line.rpartition(" ")[2])
        raise KeyError(name)


class SlowTests(RobustCase):
    """Clients that take their time."""

    def setUp(self) -> None:
        super().setUp()
        self.start(
            answering(
                HELLO,
                request_headers_timeout="0.3s",
                stream_idle_timeout="0.6s",
                delayed_close_timeout="0.1s",
                drain_timeout="0.1s",
                common_http_protocol_options={"idle_timeout": "0.6s"},
            )
        )

    def test_heads(self) -> None:
        """A head that does not end: 408."""
        for head in (b"G", GET[:20], GET[:-2]):
            answer = self.says(self.port, head)
            self.assertTrue(answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n"), (head, answer))
        self.assertEqual(self.stat("http.web.downstream_rq_header_timeout"), 3)
        self.survived()

    def test_drips(self) -> None:
        """A head that comes byte by byte does not get more time."""
        with connected(self.port) as client:
            client.settimeout(0.05)
            said, answer = iter(b"GET / HTTP/1.1\r\nx: " + b"y" * 1000), b""
            for byte in said:
                try:
                    client.sendall(bytes([byte]))
                    if not (data := client.recv(1000)):
                        break
                    answer += data
                except TimeoutError:
                    pass
                except OSError:
                    break
            self.assertTrue(answer.startswith(b"HTTP/1.1 408 "), answer)
            self.assertGreater(len(list(said)), 900)
        self.survived()

    def test_silence(self) -> None:
        """Nothing, a part of HTTP/2's preface, the preface alone: closed when idle too long."""
        for said in (b"", PREFACE[:10], PREFACE[:24], PREFACE):
            answer = self.says(self.port, said)
            self.assertNotIn(b"HTTP/1.1", answer)
        self.survived()

    def test_http2Heads(self) -> None:
        """HEADERS without their end."""
        answer = self.says(self.port, PREFACE + frame(1, 0, HEADERS, 1))
        self.assertTrue(answer)
        self.survived()


class SlowBodyTests(RobustCase):
    """Bodies that do not come."""

    def test_bodies(self) -> None:
        """A body that stops: 408 once the stream was idle too long; HTTP/2 the same."""
        origin = self.origin()
        Beside(lambda: [self.accept(origin).recv(100) for _ in range(20)])
        program = self.serve(
            proxy(
                portOf(origin),
                stream_idle_timeout="0.4s",
                delayed_close_timeout="0.1s",
                drain_timeout="0.1s",
                common_http_protocol_options={"idle_timeout": "0.6s"},
            )
        )
        port = program.port("web")
        for head in (
            b"content-length: 10\r\n\r\nabc",
            b"transfer-encoding: chunked\r\n\r\n5\r\nab",
        ):
            answer = self.says(port, b"POST / HTTP/1.1\r\nhost: a\r\n" + head)
            self.assertTrue(answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n"), answer)
        answer = self.says(port, OPEN + frame(0, 0, b"abc", 1))
        self.assertIn(b"stream timeout", answer)
        self.assertIn("http.web.downstream_rq_idle_timeout: 3\n", program.admin("stats"))
        self.quiet(program)


class HostileTests(RobustCase):
    """Clients that send garbage, or too much."""

    def setUp(self) -> None:
        super().setUp()
        self.start(answering(HELLO, delayed_close_timeout="0.1s"))

    def test_garbage(self) -> None:
        """What is no HTTP is answered 400, or closed."""
        for said in (
            *(b"\0" * 1000, b"\r\n" * 1000 + b"\0", b"hello\r\n\r\n", bytes(range(256)) * 10),
            *(
                b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(100),
                b"GET / HTTP/1.1\r\n\0\r\n",
            ),
        ):
            answer = self.says(self.port, said, end=True)
            self.assertTrue(answer.startswith(b"HTTP/1.1 4") or not answer, (said[:20], answer))
        self.survived()

    def test_garbageInHTTP2(self) -> None:
        """Frames that are wrong end the connection with a GOAWAY."""
        for said in (
            *(b"\xff" * 1000, frame(9, 4, b"", 1), frame(0, 0, b"abc", 1), frame(1, 4, b"\xff", 1)),
            *(frame(6, 0, b"abc"), frame(8, 0, bytes(4)), frame(4, 0, b"abc"), frame(3, 0, b"", 1)),
            *(frame(1, 4, HEADERS, 2), frame(1, 4, HEADERS, 0), frame(5, 4, bytes(8), 1)),
        ):
            answer = self.says(self.port, PREFACE + said)
            self.assertEqual(len(goAways(answer)), 1, (said[:20], answer))
            self.assertNotEqual(goAways(answer), [0])
        self.survived()

    def test_truncated(self) -> None:
        """Connections that end everywhere."""
        request = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nab"
        whole = OPEN + frame(0, 0, b"abc", 1)
        for text in (request, whole):
            for place in range(0, len(text), 3):
                self.says(self.port, text[:place], end=True)
        self.survived()

    def floods(self, start: bytes, piece: bytes, reads: bool = True) -> bytes:
        """
        Send a piece again and again, and wait for the other side to end the connection.

        Args:
            reads: what it says is read at once; else when all is sent, or no more can be: a kernel
                drops acknowledgements behind bytes that nobody reads, for half a minute.
        Returns:
            What it said.
        """
        pieces = piece * (CHUNK // len(piece) + 1)
        with connected(self.port) as client:
            if not reads:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.settimeout(1.0)
            hears = Beside(lambda: heard(client)) if reads else None
            try:
                client.sendall(start)
                for _ in range(FLOOD // CHUNK):
                    client.sendall(pieces)
            except OSError:
                pass
            if hears is None:
                client.settimeout(PATIENCE)
                return heard(client)
            hears.join()
            answer: bytes = hears.result
            return answer

    def test_heads(self) -> None:
        """Heads without end: 431."""
        for piece in (b"y" * 1000, b"x: " + b"y" * 1000 + b"\r\n", b"a: b\r\n"):
            answer = self.floods(b"GET / HTTP/1.1\r\nx: ", piece)
            self.assertTrue(answer.startswith(b"HTTP/1.1 431 ") or not answer, answer[:100])
        self.survived()

    def test_bodies(self) -> None:
        """Chunks' extensions and trailers without end."""
        head = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
        for start, piece in ((b"3;", b"a" * 1000), (b"0\r\n", b"a: b\r\n"), (b"", b"0" * 1000)):
            self.floods(head + start, piece)
        self.survived()

    def test_pipelined(self) -> None:
        """Requests without end of a client that does not read: closed."""
        self.floods(b"", GET, reads=False)
        self.assertGreaterEqual(self.stat("http1.response_flood"), 1)
        self.survived()

    def test_rapidReset(self) -> None:
        """HEADERS and RST_STREAM, again and again."""
        with connected(self.port) as client:
            client.sendall(PREFACE)
            for first in range(1, 20_000, 200):
                for stream in range(first, first + 200, 2):
                    reset = frame(3, 0, b"\0\0\0\x08", stream)
                    client.sendall(frame(1, 4, HEADERS, stream) + reset)
            client.shutdown(socket.SHUT_WR)
            heard(client)
        self.survived()

    def test_frames(self) -> None:
        """Frames that cost the sender nothing, without end: closed with a GOAWAY."""
        headers = PREFACE + frame(1, 0, HEADERS, 1)
        opened = PREFACE + frame(1, 4, HEADERS, 1)
        floods: dict[str, tuple[bytes, bytes]] = {
            "CONTINUATION": (headers, frame(9, 0, b"\x00\x01a\x01b", 1)),
            "empty CONTINUATION": (headers, frame(9, 0, b"", 1)),
            "empty DATA": (opened, frame(0, 0, b"", 1)),
            "PRIORITY": (opened, frame(2, 0, b"\0\0\0\0\x10", 1)),
            "WINDOW_UPDATE": (opened, frame(8, 0, b"\0\0\0\1", 1)),
        }
        for name, (start, piece) in floods.items():
            codes = goAways(self.floods(start, piece))
            self.assertEqual(len(codes), 1, name)
            self.assertIn(codes[0], (PROTOCOL_ERROR, ENHANCE_YOUR_CALM), name)
        self.survived()

    def test_answeredFrames(self) -> None:
        """PING and SETTINGS of a client that does not read the answers: closed."""
        for piece in (frame(6, 0, bytes(8)), frame(4, 0, b"")):
            self.floods(PREFACE, piece, reads=False)
        self.assertGreaterEqual(self.stat("http2.outbound_control_flood"), 2)
        self.survived()


class UpstreamTests(RobustCase):
    """Upstreams that do not behave."""

    def setUp(self) -> None:
        super().setUp()
        self.listening = self.origin()
        self.answer, self.end = OK, True
        self._serving = Beside(self.serveAll)

    def serveAll(self) -> None:
        """Answer each connection's first words with what the test wants."""
        self._kept: list[socket.socket] = []
        try:
            while True:
                connection, _ = self.listening.accept()
                connection.recv(1 << 16)
                connection.sendall(self.answer)
                if self.end:
                    connection.shutdown(socket.SHUT_WR)
                self._kept.append(connection)
        except OSError:
            for one in self._kept:
                one.close()

    def run_(self, cluster: dict[str, Any] | None = None) -> Program:
        """A proxy before it, and a listener of the same that others use."""
        routes = [
            {
                "match": {"prefix": "/broken"},
                "route": {"cluster": "origin", "timeout": "0.5s"},
            },
            {
                "match": {"prefix": "/"},
                "direct_response": {"status": 200, "body": {"inline_string": HELLO}},
            },
        ]
        self.start(proxy(portOf(self.listening), routes, cluster))
        self.addCleanup(self.listening.shutdown, socket.SHUT_RDWR)
        return self.program

    def gets(self, answer: bytes, end: bool = True) -> tuple[int, str]:
        """What a client hears when the upstream says this: status, and how it ended for curl."""
        self.answer, self.end = answer, end
        text = self.curl(
            self.port,
            "-o",
            "/dev/null",
            "-w",
            "%{http_code} %{exitcode}",
            path="/broken",
            status=None,
        )
        status, _, rest = text.partition(" ")
        return int(status), rest.split("curl:")[0].strip()

    def test_http1(self) -> None:
        """Each of these is an answer of ours, or the end of what had begun."""
        self.run_()
        head = b"HTTP/1.1 200 OK\r\n"
        cases = {
            b"": (503, "0"),
            b"\0garbage\r\n\r\n": (502, "0"),
            head[:10]: (502, "0"),
            head + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd": (502, "0"),
            head + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n": (502, "0"),
            head + b"transfer-encoding: gzip\r\n\r\nabc": (502, "0"),
            head + (b"x: " + b"y" * 1000 + b"\r\n") * 200 + b"\r\n": (502, "0"),
            head + b"x: y\r\n" * 150 + b"\r\n": (502, "0"),
            head + b"content-length: 10\r\n\r\nabc": (200, "18"),
            head + b"transfer-encoding: chunked\r\n\r\n5\r\nabc": (200, "18"),
            head + b"transfer-encoding: chunked\r\n\r\nzz\r\nabc": (200, "18"),
            head + b"\r\nabc": (200, "0"),
            b"HTTP/1.1 99 X\r\ncontent-length: 0\r\n\r\n": (502, "0"),
            frame(4, 0, b""): (502, "0"),
            OK + OK: (200, "0"),
            b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000 + OK: (200, "0"),
        }
        for answer, expected in cases.items():
            self.assertEqual(self.gets(answer), expected, answer[:80])
        self.assertEqual(self.gets(b"", end=False), (504, "0"))
        self.assertEqual(self.gets(head[:10], end=False), (504, "0"))
        self.assertEqual(self.gets(OK), (200, "0"))
        self.survived()

    def test_http2(self) -> None:
        """The same of an upstream that should speak HTTP/2."""
        self.run_(HTTP2)
        settings = frame(4, 0, b"")
        headers = frame(1, 4, Encoder().encode([(b":status", b"200")]), 1)
        whole = settings + headers + frame(0, 1, HELLO.encode(), 1)
        for answer in (
            *(b"", b"\0garbage\r\n\r\n", OK, settings[:5], settings, settings + b"\xff" * 100),
            *(settings + headers[:-1], settings + frame(1, 4, b"\xff", 1)),
            *(settings + frame(1, 4, Encoder().encode([(b"x", b"y")]), 1),),
            *(settings + frame(3, 0, b"\0\0\0\2", 1), settings + frame(7, 0, bytes(8))),
            settings + frame(1, 4, Encoder().encode([(b":status", b"abc")]), 1),
        ):
            status, _ = self.gets(answer)
            self.assertIn(status, (502, 503), answer[:80])
        self.assertEqual(self.gets(settings + headers)[1], "18")
        self.assertEqual(self.gets(whole), (200, "0"))
        self.assertEqual(self.gets(settings, end=False), (504, "0"))
        self.survived()
