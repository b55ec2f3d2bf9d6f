"""Numbers and the static table, ours beside the hpack library's."""

from __future__ import annotations

from hpack.hpack import encode_integer
from hpack.table import HeaderTable
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h2.hpack import FIRST_DYNAMIC, STATIC, number, readNumber


class TableTests(SynchronousTestCase):
    """RFC 7541 appendix A and section 5.1."""

    def test_static(self) -> None:
        """The library has the same."""
        self.assertEqual(STATIC[1:], tuple(HeaderTable.STATIC_TABLE))
        self.assertEqual(len(STATIC), FIRST_DYNAMIC)

    def test_numbers(self) -> None:
        """Of any size and prefix."""
        for value in (0, 1, 14, 15, 16, 30, 31, 126, 127, 128, 254, 255, 1337, 16384, 1 << 30):
            for bits in range(4, 8):
                mask = (1 << bits) - 1
                expected = encode_integer(value, bits)
                self.assertEqual(number(value, mask, 0), expected, (value, bits))
                read = readNumber(b"x" + bytes(expected) + b"y", 1, mask)
                self.assertEqual(read, (value, 1 + len(expected)))
                expected[0] |= 0x80
                self.assertEqual(number(value, mask, 0x80), expected, (value, bits))
