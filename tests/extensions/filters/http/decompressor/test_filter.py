"""Bodies that go on without their encoding."""

from __future__ import annotations

import gzip
from typing import Any

import brotli
import zstandard

from tests.extensions.filters.http.compressor.test_filter import answer, unchunked
from tests.extensions.filters.http.support import FilterCase, named

TYPE = "envoy.extensions.filters.http.decompressor.v3.Decompressor"
BODY = b"hello world " * 20
GZIP = gzip.compress(BODY)


def library(kind: str) -> dict[str, Any]:
    """A decompressor_library."""
    typeURL = f"envoy.extensions.compression.{kind}.decompressor.v3.{kind.capitalize()}"
    return named("L", typeURL)


def decompressor(kind: str = "gzip", **fields: Any) -> dict[str, Any]:
    """The filter."""
    return named(kind, TYPE, decompressor_library=library(kind), **fields)


class DecompressorCase(FilterCase):
    answer = answer("content-encoding: gzip", body=GZIP)

    def begin(self, **fields: Any) -> None:
        self.start(decompressor(**fields))

    def fetch(self, *headers: str, body: bytes = GZIP) -> bytes:
        """The answer when the origin says this."""
        self.answer = answer(*headers, body=body)
        return self.get()

    def count(self, name: str, kind: str = "gzip") -> int:
        return self.envoy.stat(f"http.web.decompressor.L.{kind}.{name}")


class ResponseTests(DecompressorCase):
    def test_decompressed(self) -> None:
        """Larger, and without the words that are true no more."""
        self.begin()
        got = self.fetch("content-encoding: GZIP", "etag: a")
        self.assertEqual(unchunked(got), BODY)
        self.assertNotIn(b"content-encoding", got)
        self.assertNotIn(b"content-length", got)
        self.assertIn(b"etag: a\r\n", got)
        self.assertEqual(self.count("response.decompressed"), 1)
        self.assertEqual(self.count("response.total_compressed_bytes"), len(GZIP))
        self.assertEqual(self.count("response.total_uncompressed_bytes"), len(BODY))
        self.assertEqual(self.count("request.not_decompressed"), 0)

    def test_libraries(self) -> None:
        """Each by its own name."""
        for kind, encoding, pack in (
            ("brotli", "br", brotli.compress),
            ("zstd", "zstd", zstandard.compress),
        ):
            self.start(decompressor(kind))
            got = self.fetch(f"content-encoding: {encoding}", body=pack(BODY))
            self.assertEqual(unchunked(got), BODY)
            self.assertEqual(self.count("response.decompressed", kind), 1)
            self.assertIn(f"accept-encoding: {encoding}\r\n".encode(), self.asked())

    def test_several(self) -> None:
        """The first of them is taken off; another first one is left alone."""
        self.begin()
        got = self.fetch("content-encoding: gzip, br")
        self.assertIn(b"content-encoding: br\r\n", got)
        self.assertEqual(unchunked(got), BODY)
        self.assertTrue(self.fetch("content-encoding: br,gzip").endswith(GZIP))
        self.assertTrue(self.fetch().endswith(GZIP))
        self.assertEqual(self.count("response.not_decompressed"), 2)

    def test_noTransform(self) -> None:
        """Obeyed, unless that is to be ignored."""
        headers = ("content-encoding: gzip", "cache-control: public, No-Transform")
        self.begin()
        self.assertTrue(self.fetch(*headers).endswith(GZIP))
        self.begin(
            response_direction_config={"common_config": {"ignore_no_transform_header": True}}
        )
        self.assertEqual(unchunked(self.fetch(*headers)), BODY)

    def test_enabled(self) -> None:
        """A switch; what is off is not advertised."""
        flag = {"default_value": False, "runtime_key": "on"}
        self.begin(response_direction_config={"common_config": {"enabled": flag}})
        self.assertTrue(self.fetch("content-encoding: gzip").endswith(GZIP))
        self.assertNotIn(b"accept-encoding", self.asked())
        self.envoy.server.runtime.modify({"on": "true"})
        self.assertEqual(unchunked(self.fetch("content-encoding: gzip")), BODY)

    def test_broken(self) -> None:
        """It ends where it could be read no more, and is counted."""
        self.begin()
        self.assertEqual(unchunked(self.fetch("content-encoding: gzip", body=BODY)), b"")
        self.assertEqual(self.count("decompressor_library.zlib_data_error"), 1)
        self.assertEqual(self.count("response.decompressed"), 1)

    def test_noBody(self) -> None:
        """Neither one nor the other."""
        self.begin()
        self.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\ncontent-encoding: gzip\r\n\r\n"
        got = self.send(b"HEAD / HTTP/1.1\r\nhost: h\r\n\r\n").received
        self.assertIn(b"content-encoding: gzip\r\n", got)
        self.assertEqual(self.count("response.not_decompressed"), 0)

    def test_trailers(self) -> None:
        """They tell both sizes, beside those that were there."""
        options = {"enable_trailers": True}
        expected = (
            b"x-envoy-decompressor-l-compressed-bytes: %d\r\n"
            b"x-envoy-decompressor-l-uncompressed-bytes: %d\r\n\r\n" % (len(GZIP), len(BODY))
        )
        for more in (b"", b"t: 1\r\n"):
            self.start(
                decompressor(),
                http_protocol_options=options,
                cluster={"http_protocol_options": options},
            )
            head = (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-encoding: gzip\r\n\r\n"
            )
            chunk = b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(GZIP), GZIP, more)
            self.answer = head + chunk
            got = self.get()
            self.assertEqual(unchunked(got), BODY)
            self.assertTrue(got.endswith(b"\r\n0\r\n" + more + expected), got)


class RequestTests(DecompressorCase):
    def post(self, *headers: str, body: bytes = GZIP) -> bytes:
        """What the origin is sent."""
        lines = [f"content-length: {len(body)}", *headers, "", ""]
        self.send(b"POST / HTTP/1.1\r\nhost: h\r\n" + "\r\n".join(lines).encode() + body)
        return self.origin.connections[-1].received

    def test_decompressed(self) -> None:
        """By default too."""
        self.begin()
        got = self.post("content-encoding: gzip")
        self.assertEqual(unchunked(got), BODY)
        self.assertNotIn(b"content-encoding", got)
        self.assertEqual(self.count("request.decompressed"), 1)

    def test_off(self) -> None:
        """Left alone."""
        flag = {"default_value": False, "runtime_key": "on"}
        self.begin(request_direction_config={"common_config": {"enabled": flag}})
        self.assertTrue(self.post("content-encoding: gzip").endswith(GZIP))
        self.assertEqual(self.count("request.not_decompressed"), 1)

    def test_trailers(self) -> None:
        """They tell both sizes."""
        options = {"enable_trailers": True}
        self.start(
            decompressor(),
            http_protocol_options=options,
            cluster={"http_protocol_options": options},
        )
        head = b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\ncontent-encoding: gzip"
        chunk = b"%x\r\n%s\r\n0\r\nt: 1\r\n\r\n" % (len(GZIP), GZIP)
        self.send(head + b"\r\n\r\n" + chunk)
        got = self.asked()
        self.assertEqual(unchunked(got), BODY)
        self.assertIn(b"\r\n0\r\nt: 1\r\nx-envoy-decompressor-l-compressed-bytes: ", got)

    def test_advertised(self) -> None:
        """At the end of what is accepted; once; or not at all."""
        self.begin()
        for given, expected in (
            ("br", b"br,gzip"),
            ("gzip;q=0.5, br", b"br,gzip"),
            ("gzip", b"gzip"),
            ("br;q=0.3 , deflate,,GZIP;q=0", b"br;q=0.3,deflate,GZIP;q=0,gzip"),
        ):
            self.get("/", f"accept-encoding: {given}")
            last = self.asked().rpartition(b"accept-encoding: ")[2].partition(b"\r\n")[0]
            self.assertEqual(last, expected)
        self.begin(request_direction_config={"advertise_accept_encoding": False})
        self.get()
        self.assertNotIn(b"accept-encoding", self.asked())
