"""Tests of twisted_envoy.config.yaml_cursor."""

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config.yaml_cursor import BREAK, DOCUMENT, Cursor


class CursorTests(SynchronousTestCase):
    """A place that moves."""

    def test_linesAndColumns(self) -> None:
        """Line breaks of the kind that the text began with start lines."""
        for text, newline in (("ab\ncd", "\n"), ("ab\r\ncd", "\r\n"), ("ab\rcd", "\r")):
            cursor = Cursor(text)
            cursor.eat(2)
            self.assertEqual((cursor.line, cursor.column), (0, 2))
            self.assertEqual(cursor.take(BREAK), newline)
            self.assertEqual((cursor.line, cursor.column), (1, 0))

    def test_theEnd(self) -> None:
        """At the end there is no character, and eating changes nothing."""
        cursor = Cursor("a")
        self.assertEqual(cursor.eat(5), "a")
        self.assertTrue(cursor.ended)
        self.assertEqual(cursor.character, "")
        self.assertEqual(cursor.take(DOCUMENT), "")

    def test_sees(self) -> None:
        """A document mark is one only with a blank or the end behind it."""
        self.assertTrue(Cursor("---").sees(DOCUMENT))
        self.assertTrue(Cursor("... x").sees(DOCUMENT))
        self.assertFalse(Cursor("---x").sees(DOCUMENT))
