"""HPACK's Huffman code, ours beside the hpack library's."""

from __future__ import annotations

from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h2 import huffman
from twisted_envoy.codec.h2.failures import ConnectionFailure

few = settings(max_examples=200, deadline=None, database=None)
library = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


class HuffmanTests(SynchronousTestCase):
    """Both ways."""

    @few
    @given(st.binary(max_size=200))
    def test_anyBytes(self, text: bytes) -> None:
        """The library writes the same, and it is read again."""
        coded = huffman.encode(text)
        self.assertEqual(coded, library.encode(text))
        self.assertEqual(huffman.decode(coded), text)
        self.assertEqual(huffman.decode(coded), text)

    def test_eachByte(self) -> None:
        """Every code is right, before and behind another."""
        for byte in range(256):
            text = bytes((byte, 0x30, byte))
            self.assertEqual(huffman.decode(library.encode(text)), text)

    def test_wrong(self) -> None:
        """Padding is at most seven ones; the end of a string has no place in one."""
        for data in (
            b"\xff",
            b"\x84\x49\x50\x9f\xff",
            b"\x83\x49\x50\x90",
            b"\x49\x51\xff\xff\xff\xfa\x7f",
            b"\xff\xff\xff\xff",
        ):
            with self.assertRaises(ConnectionFailure, msg=data) as caught:
                huffman.decode(data)
            self.assertEqual(caught.exception.code, 9)

    def test_whatIsKeptIsBounded(self) -> None:
        """Many different texts push one another out."""
        for count in range(5000):
            text = b"%d" % count
            self.assertEqual(huffman.decode(library.encode(text)), text)
        self.assertLessEqual(len(huffman._kept), 2048)
