"""Numbers in headers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.numbers import UINT32, wholeNumber


class NumberTests(SynchronousTestCase):
    """What is a number, and what is none."""

    def test_numbers(self) -> None:
        """Blanks around, a plus and zeros before it are taken."""
        for text in (b"7", b" 7\t", b"+7", b"007", b" +07 "):
            self.assertEqual(wholeNumber(text), 7, text)

    def test_none(self) -> None:
        """Nothing else is a number."""
        texts = (b"", b" ", b"+", b"-0", b"-1", b"+ 1", b"++1", b"1,2", b"0x1", b"1.0", b"\xb2")
        for text in texts:
            self.assertIsNone(wholeNumber(text), text)

    def test_bounds(self) -> None:
        """What does not fit is none, however many zeros it begins with."""
        self.assertEqual(wholeNumber(b"18446744073709551615"), (1 << 64) - 1)
        self.assertIsNone(wholeNumber(b"18446744073709551616"))
        self.assertEqual(wholeNumber(b"0" * 5000 + b"1"), 1)
        self.assertIsNone(wholeNumber(b"9" * 5000))
        self.assertEqual(wholeNumber(b"4294967295", UINT32), UINT32)
        self.assertIsNone(wholeNumber(b"4294967296", UINT32))
