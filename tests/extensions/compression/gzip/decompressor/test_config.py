"""Gzip's decompressor."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.compression.gzip.decompressor import factories
from twisted_envoy.interfaces.compression import DecompressorLibrary

BOMB = gzip.compress(bytes(3_000_000))


def library(**fields: Any) -> DecompressorLibrary:
    """What is built of such a config."""
    (factory,) = factories
    return factory.build(configOf(factory.typeURL, fields), Context())


def read(body: bytes, **fields: Any) -> tuple[bytes, str]:
    """What a body stands for, and the problem with it."""
    made = library(**fields).make()
    return made.decompress(body), made.problem


class GzipTests(SynchronousTestCase):
    def test_everyFieldIsRead(self) -> None:
        """None is left over."""
        (factory,) = factories
        fields = {"window_bits": 9, "chunk_size": 8192, "max_inflate_ratio": 5}
        config = configOf(factory.typeURL, fields)
        made = factory.build(config, Context())
        self.assertEqual((made.encoding, made.statPrefix), (b"gzip", "gzip."))
        self.assertEqual(unreadFields(config), [])

    def test_bodies(self) -> None:
        """One member is read; what follows is dropped, as in Envoy."""
        body = gzip.compress(b"hello")
        for given_ in (body, body + b"XYZ", body + gzip.compress(b"more")):
            self.assertEqual(read(given_), (b"hello", ""))
        self.assertEqual(read(b"hello"), (b"", "zlib_data_error"))
        self.assertEqual(read(zlib.compress(b"hello")), (b"", "zlib_data_error"))
        self.assertEqual(read(body[:-8]), (b"hello", ""))

    def test_bomb(self) -> None:
        """It ends at so many times its size, as in Envoy to the byte."""
        plain, problem = read(BOMB)
        self.assertEqual(problem, "zlib_data_error")
        self.assertEqual(len(plain), -(-len(BOMB) * 100 // 4096) * 4096)
        plain, _ = read(BOMB, max_inflate_ratio=20, chunk_size=8192)
        self.assertEqual(len(plain), -(-len(BOMB) * 20 // 8192) * 8192)

    def test_window(self) -> None:
        """A body that needs a wider one cannot be read."""
        noise = bytes(i * i % 251 for i in range(3000)) * 3
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        body = packer.compress(noise) + packer.flush()
        self.assertEqual(read(body)[0], noise)
        self.assertEqual(read(body, window_bits=9)[1], "zlib_data_error")

    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=2000), st.integers(1, 50))
    def test_anySplit(self, text: bytes, size: int) -> None:
        """However it comes."""
        body = gzip.compress(text)
        made = library().make()
        parts = [made.decompress(body[at : at + size]) for at in range(0, len(body), size)]
        self.assertEqual(b"".join(parts), text)
        self.assertEqual(made.problem, "")

    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=200))
    def test_anything(self, data: bytes) -> None:
        """Never raises."""
        read(data)
        read(gzip.compress(b"a")[:10] + data)
