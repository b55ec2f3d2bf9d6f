"""Tests for twisted_envoy.formatter.json_format; expected lines are Envoy 1.40's."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import bareRecord, fullRecord
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.parser import FormatError

UNSET = "%PROTOCOL%"


class CompileJSONTests(SynchronousTestCase):
    def test_typesAreKept(self) -> None:
        """A leaf that is one command keeps its type, a mixed one is a text."""
        format = compileJSON(
            {
                "sent": "%BYTES_SENT%",
                "absent": UNSET,
                "mixed": "a-%BYTES_SENT%-%PROTOCOL%",
                "flag": "%FILTER_STATE(bool)%",
                "state": "%FILTER_STATE(str)%",
                "struct": "%CLUSTER_METADATA(cns)%",
                "literal": "100%%",
            }
        )

        self.assertEqual(
            format(fullRecord()),
            '{"absent":null,"flag":true,"literal":"100%","mixed":"a-6--","sent":6,'
            '"state":"hello \\"q\\"","struct":{"d":{"n":null,"x":"y\\"q"},"s":"str"}}\n',
        )

    def test_otherLeaves(self) -> None:
        """Numbers, booleans and nulls of the config are printed as they are."""
        format = compileJSON({"a": 1, "b": [1, "2.5", True, None, "x"], "c": None, "d": 1.5})

        self.assertEqual(
            format(bareRecord()), '{"a":1,"b":[1,"2.5",true,null,"x"],"c":null,"d":1.5}\n'
        )

    def test_keysAreSortedAtEachLevel(self) -> None:
        """By code point, nested ones too; a key is no format."""
        format = compileJSON({"b": "1", "B": {"é": "2", "_": "3"}, "10": "4", "%X%": "5"})

        self.assertEqual(
            format(bareRecord()), '{"%X%":"5","10":"4","B":{"_":"3","é":"2"},"b":"1"}\n'
        )

    def test_emptyThings(self) -> None:
        """Empty objects, lists and texts stay."""
        self.assertEqual(compileJSON({})(bareRecord()), "{}\n")
        self.assertEqual(
            compileJSON({"a": {}, "b": [], "c": ""})(bareRecord()), '{"a":{},"b":[],"c":""}\n'
        )

    def test_unsetWithoutOmitting(self) -> None:
        """null in objects and lists."""
        format = compileJSON({"l": [UNSET, "x"], "m": {"p": UNSET}, "mix": UNSET * 2})

        self.assertEqual(format(bareRecord()), '{"l":[null,"x"],"m":{"p":null},"mix":"--"}\n')

    def test_omitEmptyValues(self) -> None:
        """Unset members and objects that became empty go; lists and texts stay."""
        struct: dict[str, object] = {
            "l": [UNSET, "x", UNSET],
            "k": [],
            "m": {"a": {"b": UNSET}},
            "n": None,
            "o": [{"b": UNSET}],
            "p": [[UNSET]],
            "q": {"x": UNSET, "y": "z"},
            "e": "",
            "mix": UNSET * 2,
            "set": "%BYTES_SENT%",
        }

        line = compileJSON(struct, omitEmpty=True)(bareRecord())

        self.assertEqual(
            line, '{"e":"","k":[],"l":["x"],"mix":"","o":[],"p":[[]],"q":{"y":"z"},"set":0}\n'
        )
        self.assertEqual(compileJSON({"a": UNSET}, omitEmpty=True)(bareRecord()), "{}\n")

    def test_textsAreEscaped(self) -> None:
        """What a format gives is a JSON string whatever it holds."""
        line = compileJSON({'k"\n': 'é"\\/\n\x01%%%BYTES_SENT%\t'})(bareRecord())

        self.assertEqual(line, '{"k\\"\\n":"é\\"\\\\/\\n\\u0001%0\\t"}\n')
        self.assertEqual(json.loads(line), {'k"\n': 'é"\\/\n\x01%0\t'})

    def test_wrongLeaf(self) -> None:
        """An error deep inside is Envoy's, about the format."""
        error = self.assertRaises(FormatError, compileJSON, {"a": {"b": ["%REQ(x%"]}})

        self.assertIn("Incorrect configuration: %REQ(x%.", str(error))
