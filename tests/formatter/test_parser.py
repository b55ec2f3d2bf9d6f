"""Tests for twisted_envoy.formatter.parser; error texts are those of Envoy 1.40."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.formatter.parser import Command, FormatError, parse


class ParseTests(SynchronousTestCase):
    def test_literals(self) -> None:
        """Text without percent signs is one part; `%%` is a percent sign."""
        self.assertEqual(parse(""), [])
        self.assertEqual(parse("a\nb"), ["a\nb"])
        self.assertEqual(parse("100%% sure%%"), ["100% sure%"])

    def test_commands(self) -> None:
        """A name, arguments in brackets, a length behind a colon."""
        self.assertEqual(
            parse("[%A% %B_1(x:y):12%%C:3%%D()%]"),
            ["[", Command("A"), " ", Command("B_1", "x:y", 12), Command("C", "", 3), Command("D")]
            + ["]"],
        )

    def test_percentSignsBesideCommands(self) -> None:
        """`%%` before and after a command."""
        self.assertEqual(parse("%%%A%"), ["%", Command("A")])
        self.assertEqual(parse("%A%%%x"), [Command("A"), "%x"])

    def test_argumentsEndAtTheFirstBracketThatFits(self) -> None:
        """Brackets and percent signs may stand inside."""
        self.assertEqual(parse("%A(a)b)%"), [Command("A", "a)b")])
        self.assertEqual(parse("%A(%Y-%m)%"), [Command("A", "%Y-%m")])
        self.assertEqual(parse("%REQ(x% and %REQ(y)%"), [Command("REQ", "x% and %REQ(y")])

    def test_wrongFormats(self) -> None:
        """The position is that of the percent sign, in bytes."""
        wrong = {
            "%REQ(x%": 0,
            "%REQ(x": 0,
            "REQ %": 4,
            "%": 0,
            "%req%": 0,
            "% A%": 0,
            "%A(x):-1%": 0,
            "%A(x):a%": 0,
            "%A(x):%": 0,
            "%A(x\ny)%": 0,
            "%A%%": 3,
            "é%": 2,
            "%A(x):99999999999999999999%": 0,
        }
        for source, position in wrong.items():
            error = self.assertRaises(FormatError, parse, source)
            self.assertEqual(
                str(error),
                f"Incorrect configuration: {source}. "
                f"Couldn't find valid command at position {position}",
            )

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.sampled_from(["%%", "%A%", "%B(x):3%", "t", "\n", "é"]), max_size=8))
    def test_partsComeBackInOrder(self, pieces: list[str]) -> None:
        """Writing the parts out again gives the same format."""
        written = [
            part.replace("%", "%%")
            if isinstance(part, str)
            else f"%{part.name}%"
            if part.name == "A"
            else "%B(x):3%"
            for part in parse("".join(pieces))
        ]

        self.assertEqual("".join(written), "".join(pieces))

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet="%A(:3)x\n", max_size=20))
    def test_anyTextParsesOrFailsAsAFormat(self, source: str) -> None:
        """Nothing else than FormatError comes out."""
        try:
            parse(source)
        except FormatError as error:
            self.assertIn("Couldn't find valid command", str(error))
