"""Tests for twisted_envoy.formatter.operators.entry; error texts are those of Envoy 1.40."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import bareRecord
from twisted_envoy.formatter.operators.entry import (
    UNSET,
    Arguments,
    Entry,
    Operators,
    compileCommand,
    constant,
    cut,
    number,
    text,
    typed,
)
from twisted_envoy.formatter.parser import Command, FormatError

TABLE: Operators = {
    "BARE": number(lambda record: 5),
    "OPTIONAL": Entry(lambda command, table: constant(command.arguments), Arguments.OPTIONAL),
    "REQUIRED": Entry(
        lambda command, table: constant(command.arguments), Arguments.REQUIRED, length=True
    ),
}


class CompileCommandTests(SynchronousTestCase):
    def problem(self, *command: object) -> str:
        made = Command(*command)  # type: ignore[arg-type]
        return str(self.assertRaises(FormatError, compileCommand, made, TABLE))

    def test_whatIsAllowed(self) -> None:
        """Arguments and lengths where the entry takes them."""
        for command in (
            Command("BARE"),
            Command("OPTIONAL"),
            Command("OPTIONAL", "x"),
            Command("REQUIRED", "x", 3),
        ):
            operator = compileCommand(command, TABLE)
            self.assertEqual(
                operator.value(bareRecord()), 5 if command.name == "BARE" else command.arguments
            )

    def test_whatIsNot(self) -> None:
        """Each kind of misuse has its words."""
        nothing = "BARE does not take any parameters or length"
        self.assertEqual(self.problem("BARE", "x"), nothing)
        self.assertEqual(self.problem("BARE", "", 3), nothing)
        self.assertEqual(self.problem("REQUIRED"), "REQUIRED requires parameters")
        self.assertEqual(
            self.problem("OPTIONAL", "x", 3), "OPTIONAL does not allow length to be specified."
        )
        self.assertEqual(self.problem("NOPE", "x", 3), "Not supported field in StreamInfo: NOPE")


class OperatorTests(SynchronousTestCase):
    def test_number(self) -> None:
        """A number in JSON, its digits in a text, nothing when it is unset."""
        some = number(lambda record: 12).make(Command("X"), {})
        none = number(lambda record: None).make(Command("X"), {})

        self.assertEqual((some.value(bareRecord()), some.text(bareRecord())), (12, "12"))
        self.assertEqual((none.value(bareRecord()), none.text(bareRecord())), (None, None))

    def test_text(self) -> None:
        """The same in both."""
        made = text(lambda record: "a").make(Command("X"), {})

        self.assertEqual((made.value(bareRecord()), made.text(bareRecord())), ("a", "a"))

    def test_typedIsCutAsTextOnly(self) -> None:
        """JSON keeps the whole value."""
        made = typed(lambda record: {"a": "b"}, 4)

        self.assertEqual((made.value(bareRecord()), made.text(bareRecord())), ({"a": "b"}, '{"a"'))

    def test_cut(self) -> None:
        """At most so many characters; unset stays unset."""
        self.assertEqual(cut(lambda record: "hello", 2)(bareRecord()), "he")
        self.assertEqual(cut(lambda record: "hello", 0)(bareRecord()), "")
        self.assertIsNone(cut(lambda record: None, 2)(bareRecord()))

    def test_unset(self) -> None:
        """No value in either form."""
        self.assertEqual((UNSET.value(bareRecord()), UNSET.text(bareRecord())), (None, None))
