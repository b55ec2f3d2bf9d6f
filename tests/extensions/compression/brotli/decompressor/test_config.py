"""Brotli's decompressor."""

from __future__ import annotations

from typing import Any

import brotli
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.compression.brotli.decompressor import factories
from twisted_envoy.interfaces.compression import DecompressorLibrary


def library(**fields: Any) -> DecompressorLibrary:
    """What is built of such a config."""
    (factory,) = factories
    return factory.build(configOf(factory.typeURL, fields), Context())


class BrotliTests(SynchronousTestCase):
    def test_everyFieldIsRead(self) -> None:
        """None is left over."""
        (factory,) = factories
        fields = {"chunk_size": 8192, "disable_ring_buffer_reallocation": True}
        config = configOf(factory.typeURL, fields)
        made = factory.build(config, Context())
        self.assertEqual((made.encoding, made.statPrefix), (b"br", "brotli."))
        self.assertEqual(unreadFields(config), [])

    def test_bodies(self) -> None:
        """What is none, and what comes after one, are problems."""
        made = library().make()
        self.assertEqual(made.decompress(brotli.compress(b"hello")), b"hello")
        self.assertEqual((made.decompress(b""), made.problem), (b"", ""))
        self.assertEqual(made.decompress(b"x"), b"")
        self.assertEqual(made.problem, "brotli_redundant_input")
        made = library().make()
        made.decompress(b"hello world " * 40)
        self.assertEqual(made.problem, "brotli_error")

    def test_large(self) -> None:
        """More than a chunk."""
        text = b"".join(b"%d\n" % (number * number) for number in range(50_000))
        made = library(chunk_size=4096).make()
        self.assertEqual(made.decompress(brotli.compress(text)), text)
        self.assertEqual(made.problem, "")

    def test_bomb(self) -> None:
        """It ends soon after a thousand times its size, sooner in smaller chunks."""
        bomb = brotli.compress(bytes(30_000_000))
        sizes = []
        for chunk in (4096, 65536):
            made = library(chunk_size=chunk).make()
            sizes.append(len(made.decompress(bomb)))
            self.assertEqual(made.problem, "brotli_output_overflow")
        self.assertLess(sizes[0], len(bomb) * 1000 + 65536)
        self.assertLess(sizes[0], sizes[1])

    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=2000), st.integers(1, 50))
    def test_anySplit(self, text: bytes, size: int) -> None:
        """However it comes."""
        body = brotli.compress(text)
        made = library().make()
        parts = [made.decompress(body[at : at + size]) for at in range(0, len(body), size)]
        self.assertEqual(b"".join(parts), text)
        self.assertEqual(made.problem, "")

    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=200))
    def test_anything(self, data: bytes) -> None:
        """Never raises."""
        library().make().decompress(data)
