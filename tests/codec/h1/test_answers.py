"""Heads of answers that come again."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h1.answers import KnownAnswers
from twisted_envoy.codec.h1.fields import splitLines
from twisted_envoy.codec.http import CodecError
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

GET = (b"GET", False)
HEAD = (b"HEAD", False)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"


class KnownAnswersTests(SynchronousTestCase):
    """KnownAnswers."""

    def setUp(self) -> None:
        self.known = KnownAnswers(HTTP1Settings(), HeaderLimits())

    def find(self, block: bytes, asked: tuple[bytes, bool] = GET):  # type: ignore[no-untyped-def]
        """As a codec does."""
        lines = splitLines(block)
        assert lines is not None
        return self.known.find(asked, block, lines)

    def test_fromTheSecondTimeOn(self) -> None:
        """What came once is known when it comes again, and is one object from then on."""
        self.assertIsNone(self.find(OK))
        head = self.find(OK)
        self.assertEqual((head.status, head.length), (200, 5))
        self.assertIs(self.find(bytes(bytearray(OK))), head)

    def test_byMethod(self) -> None:
        """An answer to HEAD has no body."""
        for _ in range(2):
            self.find(OK)
            self.find(OK, HEAD)
        self.assertEqual(self.find(OK).length, 5)
        self.assertEqual(self.find(OK, HEAD).length, 0)

    def test_faults(self) -> None:
        """What is no answer is none when it comes again."""
        bad = b"HTTP/1.1 200 OK\r\ncontent-length: 5, 6\r\n\r\n"
        self.assertIsNone(self.find(bad))
        for _ in range(2):
            with self.assertRaises(CodecError):
                self.find(bad)

    def test_bounded(self) -> None:
        """Heads that are another one each time push others out, in the end."""
        self.find(OK)
        self.assertIsNotNone(self.find(OK))
        for number in range(100):
            self.assertIsNone(self.find(OK.replace(b"5", b"%d" % (number + 10))))
        self.assertIsNone(self.find(OK))
