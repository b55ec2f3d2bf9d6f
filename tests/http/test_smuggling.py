"""
No upstream sees a request that its client did not send.

Each shape says which requests may get through, and how the client is answered; the upstream reads
so strictly that no other parser could read something else (see tests.http.smuggling). What passes
and what does not was compared with real Envoy, shape by shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hpack import Encoder
from twisted.trial.unittest import SynchronousTestCase

from tests.http.manager import ORIGIN, PROXIED, run
from tests.http.smuggling import INNER, Upstream
from twisted_envoy.testing import MemoryEnvoy, Peer

NEXT = b"GET /next HTTP/1.1\r\nhost: a\r\n\r\n"
SIZE = len(INNER)
GET = b"GET / HTTP/1.1\r\nhost: a\r\n"
POST = b"POST / HTTP/1.1\r\nhost: a\r\n"
LENGTH = POST + b"content-length:"
CODING = POST + b"transfer-encoding:"
CHUNKED = CODING + b" chunked\r\n\r\n"
LAST = b"0\r\n\r\n"
INSIDE = b"%x\r\n%b\r\n0\r\n\r\n" % (SIZE, INNER)
CHUNKS = b"3\r\nabc\r\n"

BAD = ((), (400,))
"""Refused: nothing gets through."""
UNKNOWN = ((), (501,))
ONE = ((b"/",), (200,))
TWO = ((b"/", b"/next"), (200, 200))

LENGTHS: dict[str, tuple[bytes, Any]] = {
    "with chunked": (LENGTH + b" 6\r\ntransfer-encoding: chunked\r\n\r\n" + LAST + INNER, BAD),
    "behind chunked": (CODING + b" chunked\r\ncontent-length: 6\r\n\r\n" + LAST + INNER, BAD),
    "two": (LENGTH + b" 0\r\ncontent-length: %d\r\n\r\n" % SIZE + INNER, BAD),
    "two alike": (LENGTH + b" 3\r\ncontent-length: 3\r\n\r\nabc" + INNER, BAD),
    "a list": (LENGTH + b" 0, %d\r\n\r\n" % SIZE + INNER, BAD),
    "a list alike": (LENGTH + b" 3, 3\r\n\r\nabc" + INNER, BAD),
    "plus": (LENGTH + b" +3\r\n\r\nabc" + INNER, BAD),
    "minus": (LENGTH + b" -3\r\n\r\nabc" + INNER, BAD),
    "hexadecimal": (LENGTH + b" 0x3\r\n\r\nabc" + INNER, BAD),
    "underscore": (LENGTH + b" 1_0\r\n\r\nabc" + INNER, BAD),
    "blank inside": (LENGTH + b" 1 0\r\n\r\nabc" + INNER, BAD),
    "thirty digits": (LENGTH + b" " + b"1" * 30 + b"\r\n\r\n" + INNER, BAD),
    "2 ** 64": (LENGTH + b" 18446744073709551616\r\n\r\n" + INNER, BAD),
    "empty": (LENGTH + b"\r\n\r\n" + INNER, BAD),
    "vertical tab": (LENGTH + b" \x0b3\r\n\r\nabc" + INNER, BAD),
    "form feed": (LENGTH + b" 3\x0c\r\n\r\nabc" + INNER, BAD),
    "NUL": (LENGTH + b" 3\0\r\n\r\nabc" + INNER, BAD),
    "digits that are not ASCII": (LENGTH + " \u0663\r\n\r\nabc".encode() + INNER, BAD),
    "fraction": (LENGTH + b" 3.0\r\n\r\nabc" + INNER, BAD),
    "folded": (LENGTH + b" 0\r\n %d\r\n\r\n" % SIZE + INNER, BAD),
    "zeros before": (LENGTH + b" 003\r\n\r\nabc" + NEXT, TWO),
    "blanks behind": (LENGTH + b" 3 \t\r\n\r\nabc" + NEXT, TWO),
    "a tab before": (LENGTH + b"\t3\r\n\r\nabc" + NEXT, TWO),
    "blank before the colon": (POST + b"content-length : %d\r\n\r\n" % SIZE + INNER, BAD),
    "tab before the colon": (POST + b"content-length\t: %d\r\n\r\n" % SIZE + INNER, BAD),
    "of a GET": (GET + b"content-length: %d\r\n\r\n" % SIZE + INNER, ONE),
    "of a HEAD": (
        b"HEAD" + GET[3:] + b"content-length: %d\r\n\r\n" % SIZE + INNER + NEXT,
        ((b"/", b"/next"), (200, 200)),
    ),
    "with expect": (
        LENGTH + b" %d\r\nexpect: 100-continue\r\n\r\n" % SIZE + INNER,
        ((b"/",), (100, 200)),
    ),
    "named by connection": (
        LENGTH + b" %d\r\nconnection: content-length\r\n\r\n" % SIZE + INNER,
        ONE,
    ),
}

CODINGS: dict[str, tuple[bytes, Any]] = {
    "x": (CODING + b" xchunked\r\n\r\n" + LAST + INNER, UNKNOWN),
    "identity": (CODING + b" identity\r\n\r\n" + LAST + INNER, UNKNOWN),
    "empty": (CODING + b"\r\n\r\n" + LAST + INNER, UNKNOWN),
    "two": (CODING + b" chunked\r\ntransfer-encoding: identity\r\n\r\n" + LAST + INNER, UNKNOWN),
    "twice": (CODING + b" chunked\r\ntransfer-encoding: chunked\r\n\r\n" + LAST + INNER, UNKNOWN),
    "identity, chunked": (CODING + b" identity, chunked\r\n\r\n" + LAST + INNER, UNKNOWN),
    "chunked, identity": (CODING + b" chunked, identity\r\n\r\n" + LAST + INNER, UNKNOWN),
    "gzip, chunked": (CODING + b" gzip, chunked\r\n\r\n" + LAST + INNER, UNKNOWN),
    "quoted": (CODING + b' "chunked"\r\n\r\n' + LAST + INNER, UNKNOWN),
    "comma": (CODING + b" ,chunked\r\n\r\n" + LAST + INNER, UNKNOWN),
    "parameter": (CODING + b" chunked;q=1\r\n\r\n" + LAST + INNER, UNKNOWN),
    "no-break space": (CODING + b" \xa0chunked\r\n\r\n" + LAST + INNER, UNKNOWN),
    "vertical tab": (CODING + b" \x0bchunked\r\n\r\n" + LAST + INNER, BAD),
    "NUL": (CODING + b" chunked\0\r\n\r\n" + LAST + INNER, BAD),
    "CR behind": (CODING + b" chunked\rx: y\r\n\r\n" + LAST + INNER, BAD),
    "blank before the colon": (
        POST + b"transfer-encoding : chunked\r\n\r\n" + LAST + INNER,
        BAD,
    ),
    "folded first line": (
        b"POST / HTTP/1.1\r\n transfer-encoding: chunked\r\nhost: a\r\n\r\n" + LAST + INNER,
        BAD,
    ),
    "HTTP/1.0": (
        CODING.replace(b"1.1", b"1.0") + b" chunked\r\n\r\n" + LAST + INNER,
        ((), (426,)),
    ),
    "upper case": (CODING + b" CHUNKED\r\n\r\n" + LAST + NEXT, TWO),
    "blanks behind": (CODING + b" chunked \t\r\n\r\n" + LAST + NEXT, TWO),
    "no blank": (CODING + b"chunked\r\n\r\n" + LAST + NEXT, TWO),
    "tab": (CODING + b"\tchunked\r\n\r\n" + LAST + NEXT, TWO),
    "folded": (CODING + b"\r\n chunked\r\n\r\n" + LAST + NEXT, TWO),
    "behind a bare LF": (POST + b"x: y\ntransfer-encoding: chunked\r\n\r\n" + LAST + NEXT, TWO),
    "behind a bare CR": (
        POST + b"x: y\rtransfer-encoding: chunked\r\n\r\n" + LAST + INNER,
        ((b"/",), (200, 400)),
    ),
    "underscore": (
        POST + b"transfer_encoding: chunked\r\n\r\n" + LAST + INNER,
        ((b"/",), (200, 400)),
    ),
    "named by connection": (
        CODING + b" chunked\r\nconnection: transfer-encoding\r\n\r\n" + INSIDE,
        ONE,
    ),
    "of a GET": (b"GET" + CHUNKED[4:] + INSIDE, ONE),
}

BODIES: dict[str, tuple[bytes, Any]] = {
    "a request inside": (INSIDE, ONE),
    "extension": (b"3;a=b\r\nabc\r\n" + LAST + NEXT, TWO),
    "extension up to LF": (b"3;a\nabc\r\n" + LAST + INNER, BAD),
    "extension with CR": (b"3;a\rb\r\nabc\r\n" + LAST + INNER, BAD),
    "extension with quote": (b'3;a="\r\nabc\r\n' + LAST + NEXT, TWO),
    "extension with NUL": (b"3;a\0b\r\nabc\r\n" + LAST + NEXT, TWO),
    "extension without end": (b"3;" + b"a" * 70_000 + b"\r\nabc\r\n" + LAST + INNER, ((), (431,))),
    "0x": (b"0x3\r\nabc\r\n" + LAST + INNER, BAD),
    "plus": (b"+3\r\nabc\r\n" + LAST + INNER, BAD),
    "minus": (b"-3\r\nabc\r\n" + LAST + INNER, BAD),
    "underscore": (b"1_0\r\nabc\r\n" + LAST + INNER, BAD),
    "blank before": (b" 3\r\nabc\r\n" + LAST + INNER, BAD),
    "blank behind": (b"3 \r\nabc\r\n" + LAST + NEXT, TWO),
    "tab behind": (b"3\t\r\nabc\r\n" + LAST + NEXT, TWO),
    "no size": (b"\r\nabc\r\n" + LAST + INNER, BAD),
    "2 ** 64 + 3": (b"10000000000000003\r\nabc\r\n" + LAST + INNER, BAD),
    "2 ** 32 + 3": (b"100000003\r\nabc\r\n" + LAST + INNER, ((), ())),
    "zeros before": (b"0" * 200 + b"3\r\nabc\r\n" + LAST + NEXT, TWO),
    "no digit": (b"3g\r\nabc\r\n" + LAST + INNER, BAD),
    "digits that are not ASCII": ("\u0663\r\nabc\r\n".encode() + LAST + INNER, BAD),
    "LF everywhere": (b"3\nabc\n0\n\n" + INNER, BAD),
    "LF behind the size": (b"3\nabc\r\n" + LAST + INNER, BAD),
    "LF behind the data": (b"3\r\nabc\n" + LAST + NEXT, TWO),
    "nothing behind the data": (b"3\r\nabc" + LAST + INNER, BAD),
    "too much data": (b"3\r\nabcdef\r\n" + LAST + INNER, BAD),
    "CR behind the data": (b"3\r\nabc\rx" + LAST + INNER, BAD),
    "LF at the end": (CHUNKS + b"0\r\n\n" + NEXT, TWO),
    "three zeros": (CHUNKS + b"000\r\n\r\n" + NEXT, TWO),
    "trailer": (CHUNKS + b"0\r\nx: y\r\n\r\n" + NEXT, TWO),
    "trailer content-length": (CHUNKS + b"0\r\ncontent-length: 3\r\n\r\n" + NEXT, TWO),
    "trailer transfer-encoding": (CHUNKS + b"0\r\ntransfer-encoding: x\r\n\r\n" + NEXT, TWO),
    "trailer host": (CHUNKS + b"0\r\nhost: evil\r\n\r\n" + NEXT, TWO),
    "trailer request": (CHUNKS + b"0\r\n" + INNER, BAD),
    "trailer with blank": (CHUNKS + b"0\r\nx : y\r\n\r\n" + INNER, BAD),
    "trailer folded": (CHUNKS + b"0\r\nx: y\r\n z\r\n\r\n" + NEXT, TWO),
}

HEADS: dict[str, tuple[bytes, Any]] = {
    "LF alone": (b"GET / HTTP/1.1\nhost: a\n\n" + NEXT, TWO),
    "LF at the end": (GET + b"\n" + NEXT, TWO),
    "CR alone": (b"GET / HTTP/1.1\rhost: a\r\r" + INNER, BAD),
    "CR CR LF": (b"GET / HTTP/1.1\r\nhost: a\r\r\n\r\n" + NEXT, TWO),
    "folded": (GET + b"x: y\r\n z\r\n\r\n" + NEXT, TWO),
    "empty lines before": (b"\r\n\r\n" + GET + b"\r\n", ONE),
    "blank before": (b" " + GET + b"\r\n", BAD),
    "no colon": (GET + b"nocolon\r\n\r\n", BAD),
    "no name": (GET + b": x\r\n\r\n", BAD),
    "NUL in a name": (GET + b"x\0y: z\r\n\r\n", BAD),
    "bracket in a name": (GET + b"x(y): z\r\n\r\n", BAD),
    "8 bits in a name": (GET + b"x\xff: z\r\n\r\n", BAD),
    "control in a value": (GET + b"x: \x01\r\n\r\n", BAD),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", BAD),
    "host with blank": (b"GET / HTTP/1.1\r\nhost: a b\r\n\r\n", BAD),
    "host with slash": (b"GET / HTTP/1.1\r\nhost: a/b\r\n\r\n", BAD),
    "absolute": (b"GET http://b/x HTTP/1.1\r\nhost: a\r\n\r\n", ((b"/x",), (200,))),
    "absolute without host": (b"GET http:///x HTTP/1.1\r\nhost: a\r\n\r\n", BAD),
    "blank in the path": (b"GET /a b HTTP/1.1\r\nhost: a\r\n\r\n", BAD),
    "version in the path": (b"GET /smuggled HTTP/1.1 HTTP/1.1\r\nhost: a\r\n\r\n", BAD),
    "tab in the path": (b"GET /a\tb HTTP/1.1\r\nhost: a\r\n\r\n", BAD),
    "NUL in the path": (b"GET /a\0b HTTP/1.1\r\nhost: a\r\n\r\n", BAD),
    "CR in the path": (b"GET /a\rb HTTP/1.1\r\nhost: a\r\n\r\n", BAD),
    "8 bits in the path": (b"GET /\xff HTTP/1.1\r\nhost: a\r\n\r\n", BAD),
    "encoded line end": (
        b"GET /%0d%0aGET%20/smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
        ((b"/%0d%0aGET%20/smuggled",), (200,)),
    ),
    "no path": (b"GET HTTP/1.1\r\nhost: a\r\n\r\n", BAD),
    "HTTP/0.9": (b"GET /smuggled\r\n\r\n", ((), (426,))),
    "HTTP/2.0": (b"GET /smuggled HTTP/2.0\r\nhost: a\r\n\r\n", ((), (426,))),
    "HTTP/1": (b"GET /smuggled HTTP/1\r\nhost: a\r\n\r\n", BAD),
    "http/1.1": (b"GET /smuggled http/1.1\r\nhost: a\r\n\r\n", BAD),
    "odd method": (b"GE(T /smuggled HTTP/1.1\r\nhost: a\r\n\r\n", BAD),
    "two blanks": (b"GET  /  HTTP/1.1\r\nhost: a\r\n\r\n", ONE),
    "preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + INNER, ((), ())),
    "pipelined": (GET + b"\r\n" + NEXT, TWO),
}

UPGRADE = GET + b"connection: upgrade\r\nupgrade: websocket\r\n"
CONNECT = b"CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n"


class SmugglingCase(SynchronousTestCase):
    """One envoy for each shape, its upstream, and somebody else who uses both."""

    def start(self, accepts: bool = False, *arguments: Any, **manager: Any) -> MemoryEnvoy:
        """A proxy and its upstream."""
        self.envoy = run(arguments[0] if arguments else [PROXIED], **manager)
        self.upstream = self.envoy.listen(ORIGIN, Upstream(accepts))
        return self.envoy

    def client(self, pieces: Iterable[bytes]) -> Peer:
        """A client that says this."""
        client = self.envoy.connect("web")
        for piece in pieces:
            client.write(piece)
            self.envoy.settle()
        return client

    def finish(self, name: str) -> None:
        """The upstream could read everything; somebody else gets his own answer."""
        upstream = self.upstream
        self.assertIsNone(upstream.problem, name)
        self.assertEqual([r for r in upstream.requests if r.target == b"/smuggled"], [], name)
        victim = self.client([b"GET /victim HTTP/1.1\r\nhost: a\r\n\r\n"])
        self.assertTrue(victim.received.endswith(b"\r\n\r\n/victim"), name)
        self.envoy.stop()

    def targets(self) -> tuple[bytes, ...]:
        """What the upstream was asked for."""
        return tuple(one.target for one in self.upstream.requests)


class HTTP1Tests(SmugglingCase):
    """Shapes of HTTP/1.1."""

    def tries(self, shapes: dict[str, tuple[bytes, Any]], before: bytes = b"") -> None:
        """Each shape at once, and in small pieces."""
        for name, (data, (targets, statuses)) in shapes.items():
            data = before + data
            for step in (len(data), 1 if len(data) < 2000 else 999):
                self.start()
                client = self.client(data[at : at + step] for at in range(0, len(data), step))
                self.assertEqual(self.targets(), targets, name)
                found = re.findall(rb"HTTP/1\.1 (\d{3}) ", client.received)
                self.assertEqual(tuple(map(int, found)), statuses, name)
                self.finish(name)

    def test_lengths(self) -> None:
        """content-length in all its spellings, alone and in company."""
        self.tries(LENGTHS)

    def test_codings(self) -> None:
        """transfer-encoding in all its spellings."""
        self.tries(CODINGS)

    def test_chunks(self) -> None:
        """Sizes, extensions, ends and trailers of chunks."""
        self.tries(BODIES, CHUNKED)

    def test_heads(self) -> None:
        """Line ends, names, targets, versions."""
        self.tries(HEADS)

    def test_largestLength(self) -> None:
        """2 ** 64 - 1 is a length; nothing behind it is a request."""
        self.start()
        self.client([LENGTH + b" 18446744073709551615\r\n\r\n" + INNER])
        self.assertEqual(self.targets(), ())
        self.envoy.stop()

    def test_underscores(self) -> None:
        """content_length is dropped, or refused, where the config says so."""
        for action, requests in (("DROP_HEADER", 1), ("REJECT_REQUEST", 0)):
            self.start(common_http_protocol_options={"headers_with_underscores_action": action})
            self.client([POST + b"content_length: %d\r\n\r\n" % SIZE])
            self.assertEqual(len(self.upstream.requests), requests)
            self.finish(action)


class TunnelTests(SmugglingCase):
    """What is behind an upgrade or CONNECT."""

    def tunnel(self, accepts: bool, *pieces: bytes) -> Peer:
        """A client of a proxy that lets both through."""
        kinds = [{"upgrade_type": "websocket"}, {"upgrade_type": "CONNECT"}]
        connect = {"match": {"connect_matcher": {}}, "route": {"cluster": "origin"}}
        self.start(accepts, [connect, PROXIED], upgrade_configs=kinds)
        return self.client(pieces)

    def test_accepted(self) -> None:
        """Once the upstream has agreed, all else is the tunnel's."""
        for head in (UPGRADE, UPGRADE + b"transfer-encoding: chunked\r\n", CONNECT):
            for pieces in ((head + b"\r\n" + INNER,), (head + b"\r\n", INNER)):
                self.tunnel(True, *pieces)
                self.assertEqual(len(self.upstream.requests), 1)
                self.assertEqual(self.upstream.tunnelled, INNER)
                self.upstream.accepts = False
                self.finish(repr(head))

    def test_refused(self) -> None:
        """Nothing is sent on before the upstream has agreed, and when it does not, never."""
        for head in (UPGRADE, UPGRADE + b"transfer-encoding: chunked\r\n"):
            for pieces in ((head + b"\r\n" + INNER,), (head + b"\r\n", INNER)):
                client = self.tunnel(False, *pieces)
                self.assertEqual((self.targets(), self.upstream.tunnelled), ((b"/",), b""))
                self.assertEqual(client.received.count(b"HTTP/1.1 "), 1)
                self.assertIn(b"\r\nconnection: close\r\n", client.received)
                self.finish(repr(head))

    def test_notAllowed(self) -> None:
        """An upgrade that the proxy does not allow: 403, and nothing behind it is read."""
        head = UPGRADE.replace(b"websocket", b"other")
        client = self.tunnel(True, head + b"\r\n" + INNER, INNER)
        self.assertEqual(self.targets(), ())
        self.assertTrue(client.received.startswith(b"HTTP/1.1 403 "))
        self.assertEqual(client.received.count(b"HTTP/1.1 "), 1)
        self.assertIn(b"\r\nconnection: close\r\n", client.received)
        self.finish("other")

    def test_connectWithLength(self) -> None:
        """A CONNECT has no body."""
        lines = {b"content-length: %d\r\n" % SIZE: 400, b"transfer-encoding: chunked\r\n": 501}
        for line, status in lines.items():
            client = self.tunnel(True, CONNECT + line + b"\r\n" + LAST + INNER)
            self.assertEqual(self.targets(), ())
            self.assertTrue(client.received.startswith(b"HTTP/1.1 %d " % status), line)
            self.upstream.accepts = False
            self.finish(repr(line))

    def test_onlyAName(self) -> None:
        """`upgrade` without `connection: upgrade` is none; `h2c` is none here."""
        for more in (b"upgrade: websocket\r\n", b"connection: upgrade\r\nupgrade: h2c\r\n"):
            self.tunnel(False, GET + more + b"\r\n" + NEXT)
            self.assertEqual(self.targets(), (b"/", b"/next"))
            self.finish(repr(more))


def frame(kind: int, flags: int, payload: bytes, stream: int = 1) -> bytes:
    """A frame of HTTP/2."""
    head = len(payload).to_bytes(3, "big") + bytes((kind, flags))
    return head + stream.to_bytes(4, "big") + payload


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, b"", 0)
LINES = b"\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"
PSEUDO = {":method": b"POST", ":scheme": b"http", ":path": b"/", ":authority": b"a"}
TEXTS = (b"a\r\nb: c", b"a\nb", b"a\rb", b"a\0b", b"a\x01", b"a\x7f", b"a" + LINES)
NAMES = (
    *(b"a\r\nb", b"a\nb", b"a:b", b"a b", b"a ", b"Abc", b"", b"a\0", b"a\t", b"a(b", b"a\xff"),
    *(b"content-length: 5\r\nx", b"transfer-encoding ", b"transfer-encoding:"),
)
FORBIDDEN = (
    *((b"transfer-encoding", b"chunked"), (b"connection", b"keep-alive"), (b"keep-alive", b"x")),
    *((b"proxy-connection", b"x"), (b"upgrade", b"websocket"), (b"te", b"gzip")),
    *((b":foo", b"x"), (b":status", b"200"), (b":protocol", b"websocket"), (b":path", b"/b")),
    *((b":authority", b"b"), (b":method", b"GET"), (b":scheme", b"https")),
)
BAD_PSEUDO = {
    ":path": (
        *(b"/ HTTP/1.1\r\nhost: b" + LINES, b"/ HTTP/1.1", b"/a b", b"/\nx", b"", b"x", b"*"),
        *(b"http://b/x", b"/\tx", b"/\0", b"/a#b"),
    ),
    ":method": (
        *(b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\nGET", b"GET /smuggled", b"", b"G(T"),
        b"GET\t/x",
    ),
    ":authority": (b"a" + LINES, b"a b", b"a/b", b"u@a", b"", b"a?b", b"a#b", b"a\\b"),
    ":scheme": (b"http" + LINES, b"http x", b"", b"http://b/x?"),
}
LIES = (b"1", b"50", b"3, 0", b"+3", b"3 ", b"-1", b"3\r\nx: y", b"", b"0x3", b"2", b"4", b"3.0")


class HTTP2Tests(SmugglingCase):
    """Requests of HTTP/2 for an upstream of HTTP/1.1."""

    def request(
        self,
        more: Iterable[tuple[bytes, bytes]] = (),
        body: tuple[bytes, ...] = (),
        trailers: Iterable[tuple[bytes, bytes]] = (),
        **pseudo: bytes,
    ) -> Peer:
        """A request as it stands; keywords replace pseudo-headers."""
        encoder = Encoder()

        def block(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
            return b"".join(encoder.encode([pair], huffman=False) for pair in pairs)

        known = {name.encode(): pseudo.get(name[1:], value) for name, value in PSEUDO.items()}
        last = list(trailers)
        pieces = [PREFACE, frame(1, 4 if body or last else 5, block([*known.items(), *more]))]
        for number, data in enumerate(body, 1):
            pieces.append(frame(0, number == len(body) and not last, data))
        if last:
            pieces.append(frame(1, 5, block(last)))
        self.start(http2_protocol_options={"allow_connect": True})
        return self.client(pieces)

    def refuses(self, name: object, *arguments: Any, **pseudo: bytes) -> None:
        """Nothing gets through, and the connection or the stream is over."""
        self.request(*arguments, **pseudo)
        self.assertEqual(self.targets(), (), name)
        self.finish(repr(name))

    def passes(self, *arguments: Any, **pseudo: bytes) -> Any:
        """One request gets through."""
        self.request(*arguments, **pseudo)
        self.assertEqual(len(self.upstream.requests), 1)
        (request,) = self.upstream.requests
        self.finish(repr(arguments))
        return request

    def test_values(self) -> None:
        """Line ends and controls in values."""
        for text in TEXTS:
            self.refuses(text, [(b"x", text)])

    def test_blanksAroundValues(self) -> None:
        """Blanks and 8 bits in values are no danger."""
        for text in (b"a\tb", b"a\xff"):
            self.assertIn((b"x", text), self.passes([(b"x", text)]).headers)

    def test_names(self) -> None:
        """Line ends, colons, blanks, upper case in names."""
        for name in NAMES:
            self.refuses(name, [(name, b"chunked")])

    def test_forbidden(self) -> None:
        """HTTP/1.1's own headers, and pseudo-headers that are unknown, late or there twice."""
        for pair in FORBIDDEN:
            self.refuses(pair, [pair], (LAST + INNER,))

    def test_pseudoHeaders(self) -> None:
        """What must not be in path, method, authority and scheme."""
        for name, values in BAD_PSEUDO.items():
            for value in values:
                self.refuses((name, value), **{name[1:]: value})

    def test_hosts(self) -> None:
        """:authority is the host; another one is not seen."""
        request = self.passes([(b"host", b"b")])
        self.assertEqual([v for n, v in request.headers if n == b"host"], [b"a"])
        self.refuses("two hosts", [(b"host", b"b"), (b"host", b"c")])

    def test_lengthsThatLie(self) -> None:
        """A content-length that is none, or is not the body's."""
        for value in LIES:
            self.refuses(value, [(b"content-length", value)], (b"abc",))
        for value in (b"3", b"0"):
            self.refuses(value, [(b"content-length", b"3"), (b"content-length", value)], (b"abc",))
        self.refuses("no body", [(b"content-length", b"5")])
        self.refuses("two frames", [(b"content-length", b"4")], (b"abc", b"def"))

    def test_lengthZero(self) -> None:
        """A body behind content-length 0: the request may be there, nothing of the body is."""
        self.request([(b"content-length", b"0")], (INNER,))
        self.assertLessEqual(len(self.upstream.requests), 1)
        self.assertEqual(b"".join(one.body for one in self.upstream.requests), b"")
        self.finish("0")

    def test_bodies(self) -> None:
        """Bodies that look like chunks or requests stay bodies, whatever the method."""
        for method in (b"POST", b"GET", b"HEAD", b"DELETE"):
            request = self.passes((), (LAST + INNER, INNER), method=method)
            self.assertEqual(request.body, LAST + INNER + INNER)

    def test_trailers(self) -> None:
        """Trailers do not get to the upstream by default; bad ones end the request."""
        for pair in ((b"x", b"y"), (b"host", b"b")):
            self.assertEqual(self.passes((), (b"abc",), [pair]).body, b"abc")
        for pair in (
            *((b":path", b"/smuggled"), (b"transfer-encoding", b"chunked")),
            *((b"x", b"y" + LINES), (b"x\r\n\r\n" + INNER, b"y")),
        ):
            self.refuses(pair, (), (b"abc",), [pair])

    def test_connect(self) -> None:
        """CONNECT and extended CONNECT where nobody allows them."""
        for pairs in (
            *([], [(b":path", b"/smuggled"), (b":scheme", b"http")]),
            [(b":protocol", b"websocket"), (b":path", b"/smuggled"), (b":scheme", b"http")],
            [(b":protocol", b"a\r\nx: y"), (b":path", b"/smuggled"), (b":scheme", b"http")],
        ):
            encoder = Encoder()
            block = encoder.encode([(b":method", b"CONNECT"), (b":authority", b"a:80"), *pairs])
            self.start(http2_protocol_options={"allow_connect": True})
            self.client([PREFACE, frame(1, 4, block), frame(0, 0, INNER)])
            self.assertEqual(self.targets(), ())
            self.finish(repr(pairs))


class CountTests(SynchronousTestCase):
    """There are as many shapes as promised."""

    def test_count(self) -> None:
        """At least sixty."""
        ones = (LENGTHS, CODINGS, BODIES, HEADS, TEXTS, NAMES, FORBIDDEN, LIES)
        self.assertGreaterEqual(sum(map(len, ones)), 60)
