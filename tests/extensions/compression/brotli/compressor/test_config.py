"""Brotli's compressor."""

from __future__ import annotations

from typing import Any

import brotli
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.compression.brotli.compressor import factories
from twisted_envoy.interfaces.compression import CompressorLibrary

_TEXT = b"".join(b"%d: the quick brown fox\n" % (number * number) for number in range(3000))


def library(**fields: Any) -> CompressorLibrary:
    """What is built of such a config."""
    (factory,) = factories
    return factory.build(configOf(factory.typeURL, fields), Context())


def bodyOf(text: bytes = _TEXT, **fields: Any) -> bytes:
    """A text, compressed."""
    made = library(**fields).make()
    body = made.compress(text) + made.finish()
    assert brotli.decompress(body) == text
    return body


class BrotliTests(SynchronousTestCase):
    def test_library(self) -> None:
        """What it is called."""
        made = library()
        self.assertEqual((made.encoding, made.statPrefix), (b"br", "brotli."))

    def test_fields(self) -> None:
        """All are read but one that the package cannot obey."""
        (factory,) = factories
        config = configOf(
            factory.typeURL,
            {
                "quality": 5,
                "encoder_mode": "TEXT",
                "window_bits": 12,
                "input_block_bits": 20,
                "chunk_size": 4096,
                "disable_literal_context_modeling": True,
            },
        )
        factory.build(config, Context())
        self.assertEqual(unreadFields(config), ["disable_literal_context_modeling"])

    def test_defaults(self) -> None:
        """Envoy's."""
        explicit = bodyOf(quality=3, window_bits=18, input_block_bits=24, encoder_mode="GENERIC")
        self.assertEqual(bodyOf(), explicit)

    def test_quality(self) -> None:
        """More work, fewer bytes."""
        self.assertGreater(len(bodyOf(quality=0)), len(bodyOf(quality=9)))

    def test_window(self) -> None:
        """A wider one finds more."""
        noise = bytes((number * number * 31 + number // 7) & 255 for number in range(3000))
        text = noise + bytes(range(256)) * 40 + noise
        self.assertGreater(len(bodyOf(text, window_bits=10)), len(bodyOf(text, window_bits=20)))

    def test_mode(self) -> None:
        """It shows in the bytes."""
        generic = bodyOf(quality=11)
        self.assertNotEqual(generic, bodyOf(quality=11, encoder_mode="FONT"))

    def test_blocks(self) -> None:
        """It shows in the bytes."""
        text = _TEXT * 3
        small = bodyOf(text, quality=9, input_block_bits=16)
        self.assertNotEqual(small, bodyOf(text, quality=9, input_block_bits=20))

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.binary(max_size=300), max_size=6))
    def test_eachPieceCanBeReadAtOnce(self, pieces: list[bytes]) -> None:
        """What went in has come out, before the end."""
        made = library().make()
        reader = brotli.Decompressor()
        for piece in pieces:
            self.assertEqual(reader.process(made.compress(piece)), piece)
        reader.process(made.finish())
        self.assertTrue(reader.is_finished())
