"""Bodies that leave smaller than they came."""

from __future__ import annotations

import zlib
from typing import Any

import brotli
import zstandard

from tests.extensions.filters.http.support import FilterCase, named, typed

TYPE = "envoy.extensions.filters.http.compressor.v3.Compressor"
ROUTE_TYPE = "envoy.extensions.filters.http.compressor.v3.CompressorPerRoute"
BODY = b"x" * 200
TRAILERS = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nt: 1\r\n\r\n"
GZIP = "accept-encoding: gzip"


def library(kind: str, name: str = "l", **fields: Any) -> dict[str, Any]:
    """A compressor_library."""
    typeURL = f"envoy.extensions.compression.{kind}.compressor.v3.{kind.capitalize()}"
    return named(name, typeURL, **fields)


def compressor(kind: str = "gzip", name: str = "l", **fields: Any) -> dict[str, Any]:
    """A filter, named like its kind."""
    return named(kind, TYPE, compressor_library=library(kind, name), **fields)


def answer(*headers: str, body: bytes = BODY, status: str = "200 OK") -> bytes:
    """What an origin says."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def unchunked(text: bytes) -> bytes:
    """The body of a chunked message."""
    rest = text.partition(b"\r\n\r\n")[2]
    body = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if not int(size, 16):
            return body
        body += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]


class CompressorCase(FilterCase):
    """One gzip compressor, and what was counted."""

    answer = answer("content-type: text/plain")

    def begin(self, **fields: Any) -> None:
        self.start(compressor(**fields))

    def fetch(self, *headers: str, path: str = "/", accepted: str = GZIP) -> bytes:
        """The answer when the origin adds these headers."""
        if headers:
            self.answer = answer(*headers)
        return self.get(path, *([accepted] if accepted else []))

    def count(self, name: str, kind: str = "gzip") -> int:
        return self.envoy.stat(f"http.web.compressor.l.{kind}.{name}")


class ResponseTests(CompressorCase):
    def test_compressed(self) -> None:
        """Smaller, and said to be."""
        self.begin(response_direction_config={})
        got = self.fetch()
        self.assertEqual(zlib.decompress(unchunked(got), 31), BODY)
        self.assertIn(b"\r\ncontent-encoding: gzip\r\n", got)
        self.assertIn(b"\r\nvary: Accept-Encoding\r\n", got)
        self.assertNotIn(b"content-length", got)
        self.assertNotIn(b"x-envoy-compression-status", got)
        self.assertIn(b"\r\naccept-encoding: gzip\r\n", self.asked())
        self.assertEqual(self.count("response.compressed"), 1)
        self.assertEqual(self.count("response.total_uncompressed_bytes"), 200)
        self.assertEqual(self.count("response.total_compressed_bytes"), len(unchunked(got)))
        self.assertEqual(self.count("header_compressor_used"), 1)
        self.assertEqual(self.count("request.not_compressed"), 1)

    def test_libraries(self) -> None:
        """Each by its own name."""
        for kind, encoding, read in (
            ("brotli", "br", brotli.decompress),
            ("zstd", "zstd", lambda b: zstandard.ZstdDecompressor().decompressobj().decompress(b)),
        ):
            self.start(compressor(kind))
            got = self.fetch(accepted=f"accept-encoding: {encoding}")
            self.assertEqual(read(unchunked(got)), BODY)
            self.assertIn(f"content-encoding: {encoding}\r\n".encode(), got)
            self.assertEqual(self.count("compressed", kind), 1)

    def test_notWelcome(self) -> None:
        """Left as it is, but for a word to caches; each reason is counted."""
        self.begin(response_direction_config={})
        for accepted, stat in (
            ("", "no_accept_header"),
            ("accept-encoding: identity", "header_identity"),
            ("accept-encoding: deflate", "header_not_valid"),
        ):
            got = self.fetch(accepted=accepted)
            self.assertTrue(got.endswith(BODY))
            self.assertIn(b"\r\nvary: Accept-Encoding\r\n", got)
            self.assertEqual(self.count(stat), 1)
        self.fetch(accepted="accept-encoding: *")
        self.assertEqual(self.count("header_wildcard"), 1)
        self.assertEqual(self.count("response.not_compressed"), 3)

    def test_leftAlone(self) -> None:
        """What is too small, of another kind, compressed already or not to be changed."""
        self.begin(response_direction_config={})
        for header in (
            "content-type: image/png",
            "content-encoding: br",
            "cache-control: public, No-Transform",
        ):
            got = self.fetch(header)
            self.assertTrue(got.endswith(BODY), header)
            self.assertNotIn(b"vary", got)
        self.answer = answer(body=b"x" * 29)
        self.assertNotIn(b"vary", self.get("/", GZIP))
        self.assertEqual(self.count("response.content_length_too_small"), 1)

    def test_upgrade(self) -> None:
        """Nobody compresses what comes after one."""
        hcm = {"upgrade_configs": [{"upgrade_type": "websocket"}]}
        self.start(compressor(), **hcm)
        self.answer = b"HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nraw"
        got = self.get("/", "connection: upgrade", "upgrade: websocket", GZIP)
        self.assertTrue(got.endswith(b"\r\n\r\nraw"))

    def test_noBody(self) -> None:
        """A response without one is only marked for caches."""
        self.begin(response_direction_config={})
        self.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 200\r\n\r\n"
        got = self.send(b"HEAD / HTTP/1.1\r\nhost: h\r\naccept-encoding: gzip\r\n\r\n").received
        self.assertIn(b"content-length: 200\r\n", got)
        self.assertIn(b"vary: Accept-Encoding\r\n", got)

    def test_trailers(self) -> None:
        """The last bytes come before them."""
        self.answer = TRAILERS
        options = {"enable_trailers": True}
        cluster = {"http_protocol_options": options}
        self.start(compressor(), http_protocol_options=options, cluster=cluster)
        got = self.get("/", GZIP)
        self.assertEqual(zlib.decompress(unchunked(got), 31), b"hello")
        self.assertTrue(got.endswith(b"\r\n0\r\nt: 1\r\n\r\n"))

    def test_pieces(self) -> None:
        """Each is sent when it comes."""
        self.answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"
        self.begin()
        client = self.envoy.connect("web")
        self.get("/", GZIP, client=client)
        read = zlib.decompressobj(31)
        first = unchunked(client.received + b"0\r\n")
        self.assertEqual(read.decompress(first), b"hello")
        self.origin.connections[0].write(b"0\r\n\r\n")
        self.envoy.settle()
        self.assertEqual(zlib.decompress(unchunked(client.received), 31), b"hello")

    def test_vary(self) -> None:
        """One more name, unless it is there; its case counts, as in Envoy."""
        self.begin()
        for given, expected in (
            ("Accept-Encoding", b"Accept-Encoding"),
            ("x", b"x, Accept-Encoding"),
            ("accept-encoding", b"accept-encoding, Accept-Encoding"),
        ):
            self.assertIn(b"\r\nvary: %s\r\n" % expected, self.fetch(f"vary: {given}"))

    def test_localReply(self) -> None:
        """Those of a route are compressed too."""
        self.start(
            compressor(response_direction_config={"common_config": {"min_content_length": 5}}),
            direct=True,
        )
        got = self.get("/d", GZIP)
        self.assertEqual(zlib.decompress(unchunked(got), 31), b"hello")


class FieldTests(CompressorCase):
    def test_enabled(self) -> None:
        """A switch in the config, under one of runtime."""
        flag = {"default_value": False, "runtime_key": "on"}
        self.begin(response_direction_config={"common_config": {"enabled": flag}})
        self.assertNotIn(b"content-encoding", self.fetch())
        self.envoy.server.runtime.modify({"on": "true"})
        self.assertIn(b"content-encoding", self.fetch())

    def test_leastAndTypes(self) -> None:
        """Ones of one's own."""
        common = {"min_content_length": 201, "content_type": ["Image/PNG"]}
        self.begin(response_direction_config={"common_config": common})
        self.assertNotIn(b"content-encoding", self.fetch("content-type: image/png"))
        self.answer = answer("content-type: image/png; a=b", body=b"x" * 201)
        self.assertIn(b"content-encoding", self.get("/", GZIP))
        self.answer = answer("content-type: text/plain", body=b"x" * 201)
        self.assertNotIn(b"content-encoding", self.get("/", GZIP))

    def test_typeMatchers(self) -> None:
        """They count, not the names."""
        common = {"content_type_matcher": [{"prefix": "image/"}], "content_type": ["text/plain"]}
        self.begin(response_direction_config={"common_config": common})
        self.assertIn(b"content-encoding", self.fetch("content-type: image/png"))
        self.assertNotIn(b"content-encoding", self.fetch("content-type: text/plain"))

    def test_etag(self) -> None:
        """A strong one goes away; or becomes weak; or nothing is compressed."""
        tags = ('"a"', 'W/"a"', "w/a", "x")
        expected = {
            "": (None, b'W/"a"', b"w/a", None),
            "weaken_etag_on_compress": (b'W/"a"', b'W/"a"', b"w/a", b"W/x"),
        }
        for field, results in expected.items():
            self.begin(response_direction_config={field: True} if field else {})
            for tag, result in zip(tags, results, strict=True):
                got = self.fetch(f"etag: {tag}")
                self.assertIn(b"content-encoding", got)
                if result is None:
                    self.assertNotIn(b"etag", got)
                else:
                    self.assertIn(b"\r\netag: %s\r\n" % result, got)
        self.begin(response_direction_config={"disable_on_etag_header": True})
        got = self.fetch("etag: W/a")
        self.assertIn(b"etag: W/a\r\n", got)
        self.assertNotIn(b"content-encoding", got)
        self.assertEqual(self.count("not_compressed_etag"), 1)
        both = {"disable_on_etag_header": True, "weaken_etag_on_compress": True}
        self.begin(response_direction_config=both)
        self.assertIn(b"etag: W/a\r\n", self.fetch("etag: a"))

    def test_removesAcceptEncoding(self) -> None:
        """So that the upstream does not compress; not where this filter does not."""
        self.begin(response_direction_config={"remove_accept_encoding_header": True})
        self.assertIn(b"content-encoding: gzip", self.fetch())
        self.assertNotIn(b"accept-encoding", self.asked())
        common = {"enabled": {"default_value": False}}
        self.begin(
            response_direction_config={
                "remove_accept_encoding_header": True,
                "common_config": common,
            }
        )
        self.fetch()
        self.assertIn(b"accept-encoding", self.asked())

    def test_statuses(self) -> None:
        """Some are left alone."""
        self.begin(response_direction_config={"uncompressible_response_codes": [206]})
        self.answer = answer(status="206 Partial Content")
        self.assertNotIn(b"content-encoding", self.get("/", GZIP))
        self.answer = answer(status="404 Not Found")
        self.assertIn(b"content-encoding", self.get("/", GZIP))

    def test_oldFields(self) -> None:
        """Envoy's deprecated ones, whose stats have no direction."""
        self.begin(
            content_length=150,
            content_type=["a/b"],
            disable_on_etag_header=True,
            remove_accept_encoding_header=True,
            runtime_enabled={"default_value": True, "runtime_key": "on"},
        )
        self.assertIn(b"content-encoding", self.fetch("content-type: a/b"))
        self.assertNotIn(b"accept-encoding", self.asked())
        self.assertNotIn(b"content-encoding", self.fetch("content-type: text/plain"))
        self.assertNotIn(b"content-encoding", self.fetch("etag: a"))
        self.answer = answer(body=b"x" * 149)
        self.assertNotIn(b"content-encoding", self.get("/", GZIP))
        self.envoy.server.runtime.modify({"on": "false"})
        self.assertNotIn(b"content-encoding", self.fetch("content-type: a/b"))
        self.assertEqual((self.count("compressed"), self.count("not_compressed")), (1, 4))

    def test_chooseFirst(self) -> None:
        """This one, when a client likes both as much."""
        self.start(compressor(), compressor("brotli", choose_first=True))
        got = self.fetch(accepted="accept-encoding: gzip, br")
        self.assertIn(b"content-encoding: br\r\n", got)
        self.assertEqual(self.count("header_compressor_used", "brotli"), 1)
        self.assertEqual(self.count("header_compressor_overshadowed"), 1)


class StatusHeaderTests(CompressorCase):
    """As measured with real Envoy."""

    def status(self, *headers: str, **more: Any) -> list[bytes]:
        got = self.fetch(*headers, **more).partition(b"\r\n\r\n")[0]
        name = b"x-envoy-compression-status: "
        return [line[len(name) :] for line in got.split(b"\r\n") if line.startswith(name)]

    def test_reasons(self) -> None:
        """The first that holds; none where it is the client's choice."""
        self.begin(
            response_direction_config={
                "status_header_enabled": True,
                "disable_on_etag_header": True,
                "uncompressible_response_codes": [404],
                "common_config": {"min_content_length": 50},
            }
        )
        for headers, expected in (
            (("x: y",), b"Compressed;OriginalLength=200"),
            (("content-type: image/png", "etag: a"), b"ContentTypeNotAllowed"),
            (("etag: a",), b"EtagNotAllowed"),
        ):
            self.assertEqual(self.status(*headers), [b"gzip;" + expected])
        self.answer = answer(status="404 Not Found")
        self.assertEqual(self.status(), [b"gzip;StatusCodeNotAllowed"])
        self.answer = answer("etag: a", body=b"x")
        self.assertEqual(self.status(), [b"gzip;ContentLengthTooSmall"])
        self.assertEqual(self.status(accepted=""), [b"gzip;ContentLengthTooSmall"])
        self.assertEqual(self.count("response.content_length_too_small"), 4)
        for header in ("content-encoding: br", "cache-control: no-transform"):
            self.assertEqual(self.status(header), [])
        self.assertEqual(self.status("x: y", accepted="accept-encoding: br"), [])
        self.assertEqual(self.count("not_compressed_etag"), 1)

    def test_noBody(self) -> None:
        """Nothing is said, and a problem keeps caches out of it."""
        config = {"status_header_enabled": True, "disable_on_etag_header": True}
        self.begin(response_direction_config=config)
        head = b"HEAD / HTTP/1.1\r\nhost: h\r\naccept-encoding: gzip\r\n\r\n"
        for header, isMarked in ((b"", True), (b"etag: a\r\n", False)):
            self.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 200\r\n" + header + b"\r\n"
            got = self.send(head).received
            self.assertNotIn(b"x-envoy-compression-status", got)
            self.assertIs(b"vary" in got, isMarked)
        self.assertEqual(self.count("not_compressed_etag"), 0)

    def test_two(self) -> None:
        """Each says its own."""
        config = {"status_header_enabled": True}
        self.start(
            compressor(response_direction_config=config),
            compressor("brotli", response_direction_config=config),
        )
        said = self.status("content-type: image/png")
        self.assertEqual(said, [b"br;ContentTypeNotAllowed", b"gzip;ContentTypeNotAllowed"])


class ChainTests(CompressorCase):
    def test_byType(self) -> None:
        """One that does not compress such a type does not take part."""
        only = {"common_config": {"content_type": ["text/html"]}}
        self.start(compressor(response_direction_config=only), compressor("brotli"))
        got = self.fetch("content-type: text/plain", accepted="accept-encoding: gzip, br;q=0.5")
        self.assertIn(b"content-encoding: br\r\n", got)

    def test_acceptEncodingIsGone(self) -> None:
        """What an earlier filter removed, a later one does not see."""
        self.start(compressor(remove_accept_encoding_header=True), compressor("brotli"))
        got = self.fetch(accepted="accept-encoding: gzip, br")
        self.assertIn(b"content-encoding: gzip\r\n", got)
        self.assertEqual(self.count("no_accept_header", "brotli"), 1)


class RouteTests(CompressorCase):
    def begin(self, override: dict[str, Any], **fields: Any) -> None:
        route = {"gzip": typed(ROUTE_TYPE, **override)}
        self.start(compressor(**fields), route=route)

    def test_disabled(self) -> None:
        """No responses there."""
        self.begin({"disabled": True})
        self.assertNotIn(b"content-encoding", self.fetch(path="/r"))
        self.assertIn(b"content-encoding", self.fetch(path="/"))

    def test_enabled(self) -> None:
        """A word about responses switches them on."""
        off = {"common_config": {"enabled": {"default_value": False}}}
        self.begin({"overrides": {"response_direction_config": {}}}, response_direction_config=off)
        self.assertIn(b"content-encoding", self.fetch(path="/r"))
        self.assertNotIn(b"content-encoding", self.fetch(path="/"))

    def test_removesAcceptEncoding(self) -> None:
        """Said here too."""
        remove = {"response_direction_config": {"remove_accept_encoding_header": True}}
        self.begin({"overrides": remove})
        self.assertIn(b"content-encoding", self.fetch(path="/r"))
        self.assertNotIn(b"accept-encoding", self.asked())

    def test_library(self) -> None:
        """Another one, which the body is really compressed by; counted in the same place."""
        self.begin({"overrides": {"compressor_library": library("zstd")}})
        got = self.fetch(path="/r", accepted="accept-encoding: zstd")
        self.assertIn(b"content-encoding: zstd\r\n", got)
        body = zstandard.ZstdDecompressor().decompressobj().decompress(unchunked(got))
        self.assertEqual(body, BODY)
        self.assertNotIn(b"content-encoding", self.fetch(path="/r"))
        self.assertEqual((self.count("compressed"), self.count("header_not_valid")), (1, 1))


class RequestTests(CompressorCase):
    def post(self, *headers: str, body: bytes = BODY) -> bytes:
        """What the origin is sent."""
        lines = [f"content-length: {len(body)}", *headers, "", ""]
        self.send(b"POST / HTTP/1.1\r\nhost: h\r\n" + "\r\n".join(lines).encode() + body)
        return self.origin.connections[-1].received

    def test_compressed(self) -> None:
        """Only when one says so; counted apart."""
        self.begin(request_direction_config={})
        got = self.post("content-type: text/plain")
        self.assertEqual(zlib.decompress(unchunked(got), 31), BODY)
        self.assertIn(b"content-encoding: gzip\r\n", got)
        self.assertNotIn(b"content-length", got)
        self.assertEqual(self.count("request.compressed"), 1)
        self.assertEqual(self.count("request.total_uncompressed_bytes"), 200)

    def test_leftAlone(self) -> None:
        """What is small, of another kind or compressed already."""
        self.begin(request_direction_config={})
        for header in ("content-type: image/png", "content-encoding: br"):
            self.assertTrue(self.post(header).endswith(BODY))
        self.assertTrue(self.post(body=b"x" * 29).endswith(b"x" * 29))
        self.assertEqual(self.count("request.not_compressed"), 3)
        self.assertEqual(self.count("request.content_length_too_small"), 1)

    def test_runtime(self) -> None:
        """A switch."""
        flag = {"default_value": False, "runtime_key": "on"}
        self.begin(request_direction_config={"common_config": {"enabled": flag}})
        self.assertTrue(self.post().endswith(BODY))
        self.envoy.server.runtime.modify({"on": "true"})
        self.assertIn(b"content-encoding: gzip\r\n", self.post())

    def test_trailers(self) -> None:
        """The last bytes come before them."""
        self.start(
            compressor(request_direction_config={}),
            http_protocol_options={"enable_trailers": True},
        )
        self.send(
            b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
            b"5\r\nhello\r\n0\r\nt: 1\r\n\r\n"
        )
        self.assertEqual(zlib.decompress(unchunked(self.asked()), 31), b"hello")
