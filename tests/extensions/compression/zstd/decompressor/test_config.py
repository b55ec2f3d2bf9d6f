"""Zstandard's decompressor."""

from __future__ import annotations

import base64
from typing import Any

import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.compression.zstd.decompressor import factories
from twisted_envoy.interfaces.compression import DecompressorLibrary

_SAMPLES = [b"the quick brown fox %d jumps over the lazy dog" % number for number in range(500)]
_DICTIONARY = zstandard.train_dictionary(2048, _SAMPLES)


def library(**fields: Any) -> DecompressorLibrary:
    """What is built of such a config."""
    (factory,) = factories
    return factory.build(configOf(factory.typeURL, fields), Context())


def read(body: bytes, **fields: Any) -> tuple[bytes, str]:
    """What a body stands for, and the problem with it."""
    made = library(**fields).make()
    return made.decompress(body), made.problem


def dictionaries() -> list[dict[str, str]]:
    """The field."""
    return [{"inline_bytes": base64.b64encode(_DICTIONARY.as_bytes()).decode()}]


class ZstdTests(SynchronousTestCase):
    def test_everyFieldIsRead(self) -> None:
        """None is left over."""
        (factory,) = factories
        config = configOf(factory.typeURL, {"dictionaries": dictionaries(), "chunk_size": 8192})
        made = factory.build(config, Context())
        self.assertEqual((made.encoding, made.statPrefix), (b"zstd", "zstd."))
        self.assertEqual(unreadFields(config), [])

    def test_bodies(self) -> None:
        """One or several frames; what is none is a problem."""
        body = zstandard.compress(b"hello")
        self.assertEqual(read(body), (b"hello", ""))
        self.assertEqual(read(body + zstandard.compress(b" you")), (b"hello you", ""))
        self.assertEqual(read(b"hello"), (b"", "zstd_generic_error"))

    def test_checksum(self) -> None:
        """One that is wrong is counted as such."""
        body = zstandard.ZstdCompressor(write_checksum=True).compress(b"hello")
        wrong = body[:-1] + bytes((body[-1] ^ 1,))
        self.assertEqual(read(wrong)[1], "zstd_checksum_wrong_error")

    def test_memory(self) -> None:
        """A window of 1 GiB is too much."""
        head = b"\x28\xb5\x2f\xfd\x00\xa0"
        self.assertEqual(read(head + bytes(8)), (b"", "zstd_memory_error"))

    def test_bomb(self) -> None:
        """It ends at a thousand times its size, to the chunk."""
        bomb = zstandard.compress(bytes(3_000_000))
        for chunk in (4096, 65536):
            plain, problem = read(bomb, chunk_size=chunk)
            self.assertEqual(problem, "zstd_generic_error")
            self.assertLessEqual(len(plain), len(bomb) * 1000 + chunk)

    def test_dictionary(self) -> None:
        """The one that a frame names; however it comes."""
        text = _SAMPLES[0] * 3
        body = zstandard.ZstdCompressor(dict_data=_DICTIONARY).compress(text)
        self.assertNotEqual(read(body)[1], "")
        made = library(dictionaries=dictionaries()).make()
        parts = [made.decompress(bytes((one,))) for one in body]
        self.assertEqual((b"".join(parts), made.problem), (text, ""))
        plain = zstandard.compress(text)
        self.assertEqual(read(plain, dictionaries=dictionaries()), (text, ""))
        self.assertEqual(read(b"x" * 20, dictionaries=dictionaries())[1], "zstd_generic_error")

    def test_wrongDictionary(self) -> None:
        """It has a number, or it is none."""
        error = self.assertRaises(
            ConfigError, library, dictionaries=[{"inline_string": "no dictionary"}]
        )
        self.assertEqual(error.problem, "not a dictionary that Zstandard has made")

    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=2000), st.integers(1, 50))
    def test_anySplit(self, text: bytes, size: int) -> None:
        """However it comes."""
        body = zstandard.compress(text)
        made = library().make()
        parts = [made.decompress(body[at : at + size]) for at in range(0, len(body), size)]
        self.assertEqual(b"".join(parts), text)
        self.assertEqual(made.problem, "")

    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=200))
    def test_anything(self, data: bytes) -> None:
        """Never raises."""
        read(data)
        read(data, dictionaries=dictionaries())
