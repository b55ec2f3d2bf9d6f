"""Header blocks of ours, read by the hpack library."""

from __future__ import annotations

from hpack import Decoder, NeverIndexedHeaderTuple
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h2 import hpack_encoder
from twisted_envoy.codec.h2.hpack_encoder import Encoder

few = settings(max_examples=200, deadline=None, database=None)
names = st.one_of(
    st.sampled_from((b":status", b":path", b"cookie", b"x-request-id", b"via", b"x-a", b"x-b")),
    st.binary(min_size=1, max_size=200),
)
values = st.one_of(st.sampled_from((b"", b"200", b"/", b"a" * 300)), st.binary(max_size=300))
messages = st.lists(st.tuples(names, values), max_size=8)
turns = st.lists(
    st.tuples(st.sampled_from(range(5)), messages, st.lists(st.integers(0, 5000), max_size=3)),
    max_size=15,
)


def reader() -> Decoder:
    decoder = Decoder()
    decoder.max_header_list_size = 1 << 20
    return decoder


class EncoderTests(SynchronousTestCase):
    """What fields are written as."""

    @few
    @given(st.booleans(), st.sampled_from((0, 100, 4096, 1 << 20)), turns)
    def test_anyBlocks(
        self, coded: bool, most: int, turns: list[tuple[int, list[tuple[bytes, bytes]], list[int]]]
    ) -> None:
        """The library reads what was written, however blocks repeat and tables change."""
        encoder, decoder = Encoder(coded, most), reader()
        known: list[list[tuple[bytes, bytes]]] = [[(b"a", b"b")]]
        for repeat, fields, sizes in turns:
            known.append(fields)
            for size in sizes:
                encoder.resize(size)
                decoder.max_allowed_table_size = min(size, 4096)
            for _ in range(3):
                written = [*fields, *known[repeat % len(known)]]
                block = encoder.encode(written)
                self.assertEqual(list(decoder.decode(block, raw=True)), written)

    def test_forms(self) -> None:
        """A number for what the static table has, a name's number, or both as texts."""
        encoder = Encoder(False, 4096)
        for field, block in (
            ((b":status", b"200"), b"\x88"),
            ((b":path", b"/a"), b"\x04\x02/a"),
            ((b"server", b"me"), b"\x0f\x27\x02me"),
            ((b"x", b""), b"\0\x01x\0"),
            ((b"accept", b""), b"\x0f\x04\0"),
        ):
            self.assertEqual(encoder.encode([field]), block)
        block = Encoder(True, 4096).encode([(b"x", b"aaaaaaaa")])
        self.assertEqual(block, b"\0\x01x\x85\x18\xc6\x31\x8c\x63")

    def test_table(self) -> None:
        """What comes again enters the table, and is a number then."""
        encoder = Encoder(False, 4096)
        fields = [(b"server", b"me"), (b"x", b"y"), (b"etag", b"today")]
        first, second, third, fourth = (encoder.encode(fields) for _ in range(4))
        etag = b"\x0f\x13\x05today"
        self.assertEqual(first, b"\x0f\x27\x02me\0\x01x\x01y" + etag)
        self.assertEqual(second, b"\x76\x02me\x40\x01x\x01y" + etag)
        self.assertEqual(third, b"\xbf\xbe" + etag)
        self.assertEqual(fourth, third)

    def test_fullTable(self) -> None:
        """Nothing leaves it, but when much lacks it is filled with what comes now."""
        encoder, decoder = Encoder(True, 4096), reader()
        many = [[(b"x-%d" % number, b"v" * 40)] for number in range(200)]
        for _ in range(3):
            sizes = []
            for fields in many:
                block = encoder.encode(fields)
                self.assertEqual(list(decoder.decode(block, raw=True)), fields)
                sizes.append(len(block))
        self.assertIn(sum(size == 1 for size in sizes), (53, 54))
        for _ in range(1100):
            decoder.decode(encoder.encode(many[-1]))
        self.assertEqual(len(encoder.encode(many[-1])), 1)

    def test_smallerTable(self) -> None:
        """The peer hears of the smallest size and of the last."""
        encoder = Encoder(True, 4096)
        encoder.resize(5000)
        self.assertEqual(encoder.encode([(b":status", b"200")]), b"\x88")
        encoder.resize(0)
        encoder.resize(100)
        self.assertEqual(encoder.encode([(b":status", b"200")]), b"\x20\x3f\x45\x88")
        self.assertEqual(encoder.encode([(b":status", b"200")]), b"\x88")

    def test_secrets(self) -> None:
        """Nobody may put credentials into a table, and nobody keeps them here."""
        encoder = Encoder(True, 4096)
        for name in (b"authorization", b"cookie", b"set-cookie", b"proxy-authorization"):
            field = name, b"secret"
            for _ in range(3):
                found = reader().decode(encoder.encode([field]), raw=True)
                self.assertIsInstance(found[0], NeverIndexedHeaderTuple)
            self.assertNotIn(field, hpack_encoder._coded)
            self.assertNotIn(field, encoder._pieces)

    def test_whatIsKeptIsBounded(self) -> None:
        """Many different fields push one another out; long ones are not kept."""
        encoder = Encoder(True, 4096)
        for count in range(5000):
            encoder.encode([(b"etag", b"%d" % count), (b"x-name-%d" % count, b"a" * 400)])
        self.assertLessEqual(len(hpack_encoder._coded), 2048)
        self.assertLessEqual(len(hpack_encoder._coded._names), 2048)
        self.assertNotIn((b"x-name-1", b"a" * 400), hpack_encoder._coded)
        self.assertLessEqual(len(encoder._pieces), 512)
        self.assertLessEqual(len(encoder._pieces._seen), 256)
