"""Zstandard's compressor."""

from __future__ import annotations

from typing import Any

import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.compression.zstd.compressor import factories
from twisted_envoy.interfaces.compression import CompressorLibrary

_TEXT = b"".join(b"%d: the quick brown fox\n" % (number * number) for number in range(3000))
_DICTIONARY = "the quick brown fox jumps over the lazy dog " * 8


def library(**fields: Any) -> CompressorLibrary:
    """What is built of such a config."""
    (factory,) = factories
    return factory.build(configOf(factory.typeURL, fields), Context())


def bodyOf(text: bytes = _TEXT, **fields: Any) -> bytes:
    """A text, compressed."""
    made = library(**fields).make()
    return made.compress(text) + made.finish()


class ZstdTests(SynchronousTestCase):
    def test_library(self) -> None:
        """What it is called."""
        made = library()
        self.assertEqual((made.encoding, made.statPrefix), (b"zstd", "zstd."))

    def test_everyFieldIsRead(self) -> None:
        """None is left over."""
        (factory,) = factories
        config = configOf(
            factory.typeURL,
            {
                "compression_level": 5,
                "enable_checksum": True,
                "strategy": "GREEDY",
                "dictionary": {"inline_string": "abc"},
                "chunk_size": 4096,
            },
        )
        factory.build(config, Context())
        self.assertEqual(unreadFields(config), [])

    def test_level(self) -> None:
        """More work, fewer bytes; 3 is the default, 22 the most."""
        self.assertEqual(bodyOf(), bodyOf(compression_level=3))
        self.assertGreater(len(bodyOf()), len(bodyOf(compression_level=19)))
        self.assertEqual(bodyOf(compression_level=4000), bodyOf(compression_level=22))

    def test_checksum(self) -> None:
        """Four bytes at the end."""
        self.assertEqual(len(bodyOf(enable_checksum=True)), len(bodyOf()) + 4)

    def test_strategies(self) -> None:
        """Every one is known; they find different things."""
        names = "FAST DFAST GREEDY LAZY LAZY2 BTLAZY2 BTOPT BTULTRA BTULTRA2".split()
        bodies = [bodyOf(strategy=name) for name in ("DEFAULT", *names)]
        for body in bodies:
            self.assertEqual(zstandard.ZstdDecompressor().decompressobj().decompress(body), _TEXT)
        self.assertGreater(len({len(body) for body in bodies}), 4)

    def test_dictionary(self) -> None:
        """What both sides know need not be sent."""
        text = _DICTIONARY[100:200].encode()
        known = zstandard.ZstdCompressionDict(_DICTIONARY.encode())
        body = bodyOf(text, dictionary={"inline_string": _DICTIONARY})
        self.assertLess(len(body), len(bodyOf(text)))
        reader = zstandard.ZstdDecompressor(dict_data=known).decompressobj()
        self.assertEqual(reader.decompress(body), text)

    def test_bodiesOverlap(self) -> None:
        """Two at a time are two."""
        made = library(enable_checksum=True)
        one, other = made.make(), made.make()
        first = one.compress(b"a" * 1000)
        second = other.compress(b"b" * 1000)
        first += one.compress(b"c") + one.finish()
        second += other.finish()
        for body, text in ((first, b"a" * 1000 + b"c"), (second, b"b" * 1000)):
            self.assertEqual(zstandard.ZstdDecompressor().decompressobj().decompress(body), text)

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.binary(max_size=300), max_size=6))
    def test_eachPieceCanBeReadAtOnce(self, pieces: list[bytes]) -> None:
        """What went in has come out, before the end."""
        made = library().make()
        reader = zstandard.ZstdDecompressor().decompressobj()
        for piece in pieces:
            self.assertEqual(reader.decompress(made.compress(piece)), piece)
        reader.decompress(made.finish())
        self.assertTrue(reader.eof)
