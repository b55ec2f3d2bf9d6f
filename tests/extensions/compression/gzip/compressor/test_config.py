"""Gzip's compressor."""

from __future__ import annotations

import zlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.compression.gzip.compressor import factories
from twisted_envoy.interfaces.compression import CompressorLibrary
from twisted_envoy.interfaces.extensions import IExtensionFactory

_TEXT = b"".join(b"%d: the quick brown fox\n" % (number * number) for number in range(3000))


def library(**fields: Any) -> CompressorLibrary:
    """What is built of such a config."""
    (factory,) = factories
    return factory.build(configOf(factory.typeURL, fields), Context())


def sizeOf(**fields: Any) -> int:
    """Of a text, compressed."""
    made = library(**fields).make()
    body = made.compress(_TEXT) + made.finish()
    assert zlib.decompress(body, 31) == _TEXT
    return len(body)


class GzipTests(SynchronousTestCase):
    def test_library(self) -> None:
        """What it is called."""
        self.assertTrue(IExtensionFactory.providedBy(factories[0]))
        made = library()
        self.assertEqual((made.encoding, made.statPrefix), (b"gzip", "gzip."))

    def test_everyFieldIsRead(self) -> None:
        """None is left over."""
        (factory,) = factories
        config = configOf(
            factory.typeURL,
            {
                "memory_level": 9,
                "compression_level": "COMPRESSION_LEVEL_4",
                "compression_strategy": "RLE",
                "window_bits": 15,
                "chunk_size": 4096,
            },
        )
        factory.build(config, Context())
        self.assertEqual(unreadFields(config), [])

    def test_defaults(self) -> None:
        """Envoy's: a window of 4 KiB, memory level 5."""
        self.assertEqual(
            sizeOf(),
            sizeOf(window_bits=12, memory_level=5, compression_level="COMPRESSION_LEVEL_6"),
        )

    def test_level(self) -> None:
        """More work, fewer bytes."""
        self.assertGreater(
            sizeOf(compression_level="BEST_SPEED"), sizeOf(compression_level="BEST_COMPRESSION")
        )

    def test_strategy(self) -> None:
        """Huffman codes alone find no repetitions."""
        self.assertGreater(sizeOf(compression_strategy="HUFFMAN_ONLY"), 2 * sizeOf())

    def test_window(self) -> None:
        """What is said in the stream's own words: a wider window finds more."""
        noise = bytes((number * number * 31 + number // 7) & 255 for number in range(3000))
        text = noise + bytes(5000) + noise
        sizes = []
        for bits in (9, 15):
            made = library(window_bits=bits).make()
            sizes.append(len(made.compress(text) + made.finish()))
        self.assertGreater(sizes[0], sizes[1] + 100)

    def test_memory(self) -> None:
        """It shows in the size."""
        self.assertNotEqual(sizeOf(memory_level=1), sizeOf(memory_level=9))

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.binary(max_size=300), max_size=6))
    def test_eachPieceCanBeReadAtOnce(self, pieces: list[bytes]) -> None:
        """What went in has come out, before the end."""
        made = library().make()
        reader = zlib.decompressobj(31)
        for piece in pieces:
            self.assertEqual(reader.decompress(made.compress(piece)), piece)
        self.assertEqual(reader.decompress(made.finish()), b"")
        self.assertTrue(reader.eof)
