"""Each module has its tests at the mirrored path."""

from __future__ import annotations

import ast
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "twisted_envoy"
TESTS = ROOT / "tests"

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def hasBehaviour(tree: ast.Module) -> bool:
    """
    Does a module do something?

    Names of other modules, constants, `factories` and classes without a body that runs (interfaces,
    settings, counters with annotations only) have nothing to test.
    """
    return any(
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and runs(node)
        for node in ast.walk(tree)
    )


def runs(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Is there more than a docstring in it?"""
    return any(
        not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        and not isinstance(node, ast.Pass)
        for node in function.body
    )


def mirrorOf(path: Path) -> Path:
    """
    tests/network/test_chain.py of twisted_envoy/network/chain.py.

    A package's own is test_NAME in its folder, and test_public.py for twisted_envoy itself.
    """
    relative = path.relative_to(PACKAGE)
    name = relative.stem
    if name == "__init__":
        name = relative.parent.name or "public"
    return TESTS / relative.parent / f"test_{name}.py"


class MirrorTests(SynchronousTestCase):
    """Nobody has to search for a test, or for what a test is about."""

    def test_everyModuleHasTests(self) -> None:
        """A module that does something has a test module at the mirrored path."""
        missing = [
            str(path.relative_to(ROOT))
            for path in sorted(PACKAGE.rglob("*.py"))
            if hasBehaviour(ast.parse(path.read_text("utf-8"))) and not mirrorOf(path).exists()
        ]
        self.assertEqual(missing, [], "modules without tests")

    def test_everyPackageIsMirrored(self) -> None:
        """A folder of tests has an __init__.py, so that trial finds what is in it."""
        missing = [
            str(folder.relative_to(ROOT))
            for folder in sorted({path.parent for path in TESTS.rglob("test_*.py")})
            if not (folder / "__init__.py").exists()
        ]
        self.assertEqual(missing, [])

    def test_everyTestModuleTests(self) -> None:
        """A test module has at least one test."""
        empty = [
            str(path.relative_to(ROOT))
            for path in sorted(TESTS.rglob("test_*.py"))
            if not any(
                isinstance(node, _DEFINITIONS) and node.name.startswith("test_")
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
            )
        ]
        self.assertEqual(empty, [])


class RuleTests(SynchronousTestCase):
    """The rule itself."""

    def test_mirrorOf(self) -> None:
        """Path for path."""
        for path, expected in (
            ("network/chain.py", "network/test_chain.py"),
            ("service.py", "test_service.py"),
            ("__init__.py", "test_public.py"),
            ("formatter/operators/__init__.py", "formatter/operators/test_operators.py"),
        ):
            self.assertEqual(mirrorOf(PACKAGE / path), TESTS / expected)

    def test_hasBehaviour(self) -> None:
        """Declarations do nothing."""
        for text in ("x = 1", "class A:\n    b: int", 'def f():\n    """Doc."""', "import os"):
            self.assertFalse(hasBehaviour(ast.parse(text)), text)
        self.assertTrue(hasBehaviour(ast.parse("class A:\n    def f(self):\n        return 1")))
