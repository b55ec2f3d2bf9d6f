"""Tests of twisted_envoy.config.yaml_structure."""

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config.yaml_cursor import Cursor
from twisted_envoy.config.yaml_structure import GUESS, NOTHING, SURE, Structure


class StructureTests(SynchronousTestCase):
    """Blocks and guessed keys."""

    def states(self, structure: Structure) -> list[tuple[str, str]]:
        return [(token.kind, token.state) for token in structure.tokens]

    def test_aGuessThatIsConfirmed(self) -> None:
        """A key is a guess until its colon; then it and the map it begins are sure."""
        cursor = Cursor("ab: c")
        structure = Structure(cursor)
        structure.guess()
        self.assertEqual(self.states(structure), [("map", GUESS), ("key", GUESS)])
        cursor.eat(2)
        self.assertTrue(structure.confirm())
        self.assertEqual(self.states(structure), [("map", SURE), ("key", SURE)])

    def test_aGuessThatIsDropped(self) -> None:
        """Without a colon in its line it was nothing."""
        structure = Structure(Cursor("ab"))
        structure.guess()
        structure.drop()
        self.assertEqual(self.states(structure), [("map", NOTHING), ("key", NOTHING)])
        self.assertFalse(structure.confirm())

    def test_keysEndAfter1024Characters(self) -> None:
        """A key that is too long is none."""
        cursor = Cursor("a" * 2000)
        structure = Structure(cursor)
        structure.guess()
        cursor.eat(1025)
        self.assertFalse(structure.confirm())

    def test_oneGuessAtATime(self) -> None:
        """A second guess in the same flow level is not made."""
        structure = Structure(Cursor("a"))
        structure.guess()
        structure.guess()
        self.assertEqual(len(structure.tokens), 2)

    def test_blocksEndByIndentation(self) -> None:
        """A block ends when something stands left of it."""
        cursor = Cursor("  - a\nb")
        structure = Structure(cursor)
        cursor.eat(2)
        structure.begin("seq")
        self.assertEqual(structure.column, 2)
        cursor.eat(4)
        structure.endHere()
        self.assertEqual([kind for kind, _ in self.states(structure)], ["seq", "end seq"])
        self.assertEqual(structure.column, -1)
