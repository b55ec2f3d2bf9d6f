"""Header blocks of ours, read by the hpack library."""

from __future__ import annotations

from hpack import Decoder, NeverIndexedHeaderTuple
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h2 import hpack_encoder
from twisted_envoy.codec.h2.hpack_encoder import fieldWriter

few = settings(max_examples=200, deadline=None, database=None)
names = st.one_of(
    st.sampled_from((b":status", b":path", b"cookie", b"x-request-id", b"via", b"x-a")),
    st.binary(min_size=1, max_size=200),
)
values = st.one_of(st.sampled_from((b"", b"200", b"/", b"a" * 300)), st.binary(max_size=300))


class EncoderTests(SynchronousTestCase):
    """What a field is written as."""

    @few
    @given(st.booleans(), st.lists(st.tuples(names, values), max_size=10))
    def test_anyFields(self, coded: bool, fields: list[tuple[bytes, bytes]]) -> None:
        """The library reads what was written, the second time too."""
        write = fieldWriter(coded)
        for _ in range(2):
            block = b"".join(map(write, fields))
            decoder = Decoder()
            decoder.max_header_list_size = 1 << 20
            self.assertEqual(list(decoder.decode(block, raw=True)), fields)
            self.assertEqual(len(decoder.header_table.dynamic_entries), 0)

    def test_forms(self) -> None:
        """A number for what the static table has, a name's number, or both as texts."""
        write = fieldWriter(False)
        self.assertEqual(write((b":status", b"200")), b"\x88")
        self.assertEqual(write((b":path", b"/a")), b"\x04\x02/a")
        self.assertEqual(write((b"server", b"me")), b"\x0f\x27\x02me")
        self.assertEqual(write((b"x", b"")), b"\0\x01x\0")
        self.assertEqual(write((b"accept", b"")), b"\x0f\x04\0")
        self.assertEqual(fieldWriter(True)((b"x", b"aaaaaaaa")), b"\0\x01x\x85\x18\xc6\x31\x8c\x63")

    def test_secrets(self) -> None:
        """Nobody may put credentials into a table, and nobody keeps them here."""
        for name in (b"authorization", b"cookie", b"set-cookie", b"proxy-authorization"):
            field = name, b"secret"
            found = Decoder().decode(fieldWriter(True)(field), raw=True)
            self.assertIsInstance(found[0], NeverIndexedHeaderTuple)
            self.assertNotIn(field, hpack_encoder._coded)

    def test_whatIsKeptIsBounded(self) -> None:
        """Many different fields push one another out; long ones are not kept."""
        write = fieldWriter(True)
        for count in range(5000):
            write((b"x-count", b"%d" % count))
            write((b"x-name-%d" % count, b"a" * 400))
        self.assertLessEqual(len(hpack_encoder._coded), 2048)
        self.assertLessEqual(len(hpack_encoder._coded._names), 2048)
        self.assertNotIn((b"x-name-1", b"a" * 400), hpack_encoder._coded)
