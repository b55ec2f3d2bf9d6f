"""Header blocks of others: the hpack library writes, or judges what is malformed."""

from __future__ import annotations

from hpack import Decoder as LibraryDecoder
from hpack import Encoder
from hpack.exceptions import HPACKError
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h2.failures import ConnectionFailure
from twisted_envoy.codec.h2.hpack_decoder import Decoder

few = settings(max_examples=200, deadline=None, database=None)
words = st.one_of(
    st.sampled_from((b":path", b"via", b"a", b"bb", b"c" * 100, b"d" * 900)),
    st.binary(min_size=1, max_size=50),
)
blocks = st.lists(
    st.tuples(
        st.lists(st.tuples(words, words), max_size=8),
        st.booleans(),
        st.sampled_from((None, None, None, 0, 100, 1000, 4096)),
    ),
    max_size=12,
)


class DecoderTests(SynchronousTestCase):
    """Of one connection."""

    def setUp(self) -> None:
        self.decoder = Decoder(4096, 1 << 20)

    @few
    @given(blocks)
    def test_anyBlocks(
        self, turns: list[tuple[list[tuple[bytes, bytes]], bool, int | None]]
    ) -> None:
        """What the library writes is read, with its table, Huffman's code and other sizes."""
        encoder, decoder = Encoder(), Decoder(4096, 1 << 20)
        for fields, coded, size in turns:
            if size is not None:
                encoder.header_table_size = size
            for _ in range(2):
                self.assertEqual(decoder.decode(encoder.encode(fields, coded)), fields)

    @settings(few, derandomize=True)  # a number may have more zeros in front than we take
    @given(blocks, st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=3))
    def test_wrongBlocks(
        self,
        turns: list[tuple[list[tuple[bytes, bytes]], bool, int | None]],
        changes: list[tuple[int, int]],
    ) -> None:
        """With bytes changed it is what the library says: the same fields, or malformed."""
        encoder, decoder, library = Encoder(), Decoder(4096, 1 << 20), LibraryDecoder(1 << 20)
        library.max_allowed_table_size = 4096
        for fields, coded, _ in turns:
            block = bytearray(encoder.encode(fields, coded))
            for place, byte in changes:
                if block:
                    block[place % len(block)] = byte
            try:
                expected = list(library.decode(bytes(block), raw=True))
            except (HPACKError, UnicodeError, IndexError):
                with self.assertRaises(ConnectionFailure):
                    decoder.decode(bytes(block))
                return
            self.assertEqual(decoder.decode(bytes(block)), expected)

    def test_whatABlockDid(self) -> None:
        """Whether the table was changed, or is needed to read it again."""
        for block, refers, entered, resized in (
            (b"\x82\x00\x01a\x01b", False, [], False),
            (b"\x82\x40\x01a\x01b", False, [(b"a", b"b")], False),
            (b"\xbe", True, [], False),
            (b"\x0f\x2f\x01c", True, [], False),
            (b"\x7e\x01c", True, [(b"a", b"c")], False),
            (b"\x20\x82", False, [], True),
        ):
            self.decoder.decode(block)
            found = self.decoder.refers, self.decoder.entered, self.decoder.resized
            self.assertEqual(found, (refers, entered, resized), block)

    def test_later(self) -> None:
        """What other blocks have put there is there when one is read; not more than there is."""
        for count in range(1000):
            self.decoder.enterLater([(b"a", b"%d" % count), (b"b", b"")])
        self.assertLess(len(self.decoder.later), 300)
        self.assertEqual(self.decoder.decode(b"\xbf\xbe"), [(b"a", b"999"), (b"b", b"")])
        self.assertEqual(self.decoder.decode(b"\xc1\xc0"), [(b"a", b"998"), (b"b", b"")])
        self.assertLess(len(self.decoder._entries), 129)

    def test_laterWhole(self) -> None:
        """However many there were, all that fits into the table is there."""
        for most in range(250, 270):
            decoder = Decoder(4096, 100_000)
            for count in range(most):
                decoder.enterLater([(b"a", b"%03d" % count)])
            oldest = 4096 // 36  # bytes of each
            index = b"\xff" + bytes((61 + oldest - 0x7F,))
            self.assertEqual(decoder.decode(index), [(b"a", b"%03d" % (most - oldest))])

    def test_malformed(self) -> None:
        """Each ends the connection with COMPRESSION_ERROR."""
        for block in (
            b"\x80",
            b"\xbe",
            b"\x7e\x01c",
            b"\xff",
            b"\xff\x80\x80\x80\x80\x80\x01",
            b"\x00",
            b"\x00\x01",
            b"\x00\x05a",
            b"\x00\x01a\x7f",
            b"\x82\x20",
            b"\x3f\xe2\x1f",
            b"\x00\x01a\x81\x00",
        ):
            with self.assertRaises(ConnectionFailure, msg=block) as caught:
                self.decoder.decode(block)
            self.assertEqual(caught.exception.code, 9)

    def test_tooLong(self) -> None:
        """A few bytes may stand for many, up to a limit."""
        self.decoder = Decoder(4096, 100_000)
        self.decoder.decode(b"\x40\x01a\x7f\xa1\x1e" + b"b" * 4000)
        self.assertEqual(len(self.decoder.decode(b"\xbe" * 24)), 24)
        with self.assertRaises(ConnectionFailure) as caught:
            self.decoder.decode(b"\xbe" * 25)
        self.assertEqual(caught.exception.code, 11)

    def test_tableThatMustShrink(self) -> None:
        """Once the peer knows of a smaller table it says so in its next block."""
        self.decoder.allowed = 100
        with self.assertRaises(ConnectionFailure):
            self.decoder.decode(b"\x82")
        self.decoder.decode(b"\x3f\x45\x82")

    def test_entryAboveTheTable(self) -> None:
        """It empties the table and does not enter."""
        self.decoder.decode(b"\x3f\x21\x40\x01a\x01b")
        self.decoder.decode(b"\xbe")
        self.decoder.decode(b"\x40\x01a\x40" + b"c" * 64)
        with self.assertRaises(ConnectionFailure):
            self.decoder.decode(b"\xbe")
