"""Tests of twisted_envoy.codec.h2.library_blocks."""

from __future__ import annotations

from hpack import Decoder, Encoder
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h2.failures import ConnectionFailure
from twisted_envoy.codec.h2.library_blocks import Blocks, entering, literal

ID = b"x-request-id"
RESPONSE = ((b":status", b"200"), (b"server", b"nginx"), (b"x-odd", b"1"))

names = st.sampled_from((b":status", b"server", b"date", b"x-odd", b"x-a", ID, b"content-length"))
values = st.sampled_from((b"", b"200", b"1", b"nginx", b"v" * 40, b"w" * 126, b"w" * 127))
messages = st.lists(st.lists(st.tuples(names, values), max_size=6), max_size=12)


class LiteralTests(SynchronousTestCase):
    @given(st.binary(min_size=1, max_size=300), st.binary(max_size=40000))
    def test_anySize(self, name: bytes, value: bytes) -> None:
        """It decodes to itself, and leaves the table as it was."""
        decoder = Decoder()
        self.assertEqual(list(decoder.decode(literal(name, value), raw=True)), [(name, value)])
        self.assertEqual(len(decoder.header_table.dynamic_entries), 0)


class EnteringTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """Indexes of the static table, literals of all kinds."""
        for block, expected in (
            (b"", []),
            (b"\x88\x82", [False, False]),
            (b"\x40\x01a\x01b", [True]),
            (b"\x76\x01b", [True]),
            (b"\x00\x01a\x01b\x88", [False, False]),
            (b"\x10\x01a\x01b", [False]),
            (b"\x0f\x0d\x01b", [False]),
        ):
            self.assertEqual(entering(block), expected)

    def test_dependsOnTheTable(self) -> None:
        """The dynamic table, by index or for a name; and a change of its size."""
        for block in (b"\xbe", b"\x7e\x01b", b"\x0f\x2f\x01b", b"\x3f\xe1\x1f\x88", b"\x20"):
            self.assertIsNone(entering(block))

    def test_longNumber(self) -> None:
        """A number has an end, as in the decoder of our own."""
        with self.assertRaises(ConnectionFailure):
            entering(b"\x00\x7f" + b"\x80" * 1000 + b"\x00a\x00")


class BlocksTests(SynchronousTestCase):
    @given(messages)
    def test_asTheLibrary(self, sent: list[list[tuple[bytes, bytes]]]) -> None:
        """What is kept means what the library would say, and leaves its table as it would."""
        encoder, plain = Encoder(), Decoder()
        decoder = Decoder()
        blocks = Blocks(decoder, Encoder())
        for fields in [each for one in sent for each in (one, one)]:
            block = encoder.encode(fields)
            found = blocks.decoded.get(block)
            if found is None:
                found = blocks.decode(block)
            self.assertEqual(list(found), list(plain.decode(block, raw=True)))
            self.assertEqual(
                list(decoder.header_table.dynamic_entries), list(plain.header_table.dynamic_entries)
            )

    @given(messages)
    def test_encodes(self, sent: list[list[tuple[bytes, bytes]]]) -> None:
        """What is sent is what was meant, in its order."""
        blocks = Blocks(Decoder(), Encoder())
        decoder = Decoder()
        for fields in [tuple(each) for one in sent for each in (one, one, one)]:
            block = blocks.encoded.get(fields)
            if block is None:
                block = blocks.encode(fields)
            self.assertEqual(tuple(decoder.decode(block, raw=True)), fields)

    def test_repeatedLiterals(self) -> None:
        """A peer that never refers to the table is decoded once."""
        decoder = Decoder()
        blocks = Blocks(decoder, Encoder())
        block = b"\x88\x76\x05nginx\x0f\x0d\x0214"
        first = blocks.decode(block)
        self.assertIs(blocks.decode(block), first)
        self.assertEqual(len(decoder.header_table.dynamic_entries), 2)

    def test_identifiers(self) -> None:
        """A new request id leaves the table, and what is kept, as they were."""
        encoder = Encoder()
        blocks = Blocks(Decoder(), encoder)
        sizes = []
        for number in range(6):
            blocks.encode((*RESPONSE, (ID, b"%d" % number), (b"x-after", b"1")))
            sizes.append(len(encoder.header_table.dynamic_entries))
        self.assertEqual(sizes, [3] * 6)
        self.assertIn(RESPONSE, blocks.encoded)

    def test_bounded(self) -> None:
        """Not everything is kept, and nothing that is very long."""
        blocks = Blocks(Decoder(), Encoder())
        for number in range(1000):
            blocks.decode(literal(b"a", b"%d" % number))
        self.assertLessEqual(len(blocks._free), 64)
        blocks.decode(literal(b"a", b"x" * 1000))
        self.assertNotIn(literal(b"a", b"x" * 1000), blocks._free)
