"""docs/parity_map.md names tests that exist."""

from __future__ import annotations

import ast
import re

from twisted.trial.unittest import SynchronousTestCase

from tests.test_mirror import ROOT

PAGE = ROOT / "docs" / "parity_map.md"


def exists(name: str) -> bool:
    """Is there a test class, or a test of one or of what it inherits from, of that dotted name?"""
    *modules, last = name.split(".")
    kind, test = (modules.pop(), last) if last.startswith("test_") else (last, "")
    path = ROOT.joinpath(*modules).with_suffix(".py")
    if not path.is_file():
        return False
    classes = {
        node.name: node
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef)
    }
    found = classes.get(kind)
    if found is None or not test:
        return found is not None
    return any(isinstance(one, ast.FunctionDef) and one.name == test for one in found.body)


class MapTests(SynchronousTestCase):
    """The page."""

    def test_everyTestExists(self) -> None:
        """Every name in it; and there are some."""
        names = re.findall(r"`(tests\.[\w.]+)`", PAGE.read_text("utf-8"))
        self.assertGreater(len(names), 50)
        special = {"tests.parity"}
        self.assertEqual([one for one in names if one not in special and not exists(one)], [])

    def test_missing(self) -> None:
        """A test that is not there is found out."""
        here = "tests.test_parity_map"
        self.assertTrue(exists(f"{here}.MapTests.test_missing"))
        for name in ("MapTests.test_other", "Other", "Other.test_missing"):
            self.assertFalse(exists(f"{here}.{name}"))
        self.assertFalse(exists("tests.nowhere.MapTests"))
