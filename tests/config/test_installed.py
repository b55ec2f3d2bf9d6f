"""Tests of twisted_envoy.config.installed."""

from __future__ import annotations

from importlib import metadata
from types import ModuleType, SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config.installed import Installed, bare, installed


class InstalledTests(SynchronousTestCase):
    """Entry points of packages."""

    def load(self, value: object) -> Installed:
        """What one entry point gives."""

        def load() -> object:
            if isinstance(value, Exception):
                raise value
            return value

        points = [
            SimpleNamespace(name="h/a.B", value="a:b", load=load, dist=SimpleNamespace(name="ab")),
            SimpleNamespace(name="a.Other", value="a:c", load=None),
        ]
        self.patch(metadata, "entry_points", lambda group: points)
        (found,) = installed("a.B")
        return found

    def test_factories(self) -> None:
        """A factory, several, or a module's."""
        made = ModuleType("a")
        self.assertEqual(self.load(made).factories, ())
        made.factories = [1, 2]  # type: ignore[attr-defined]
        self.assertEqual(self.load(made).factories, (1, 2))
        self.assertEqual(self.load([3]).factories, (3,))
        self.assertEqual(self.load(4).factories, (4,))

    def test_problems(self) -> None:
        """Whatever goes wrong while it is imported is told, with entry point and package."""
        for problem, words in (
            (ImportError("x"), "cannot be loaded: ImportError: x"),
            (AttributeError("y"), "cannot be loaded: AttributeError: y"),
            (SyntaxError("z"), "cannot be loaded: SyntaxError: z"),
        ):
            found = self.load(problem)
            self.assertEqual(found.factories, ())
            self.assertEqual(
                found.unsuited("a.B"), f"entry point 'h/a.B = a:b' of package ab {words}"
            )

    def test_names(self) -> None:
        """A class that was given instead of its object is named by itself."""
        found = self.load(SimpleNamespace)
        self.assertIn("SimpleNamespace has no typeURL", found.unsuited("a.B"))

    def test_bare(self) -> None:
        """A type URL without its host."""
        self.assertEqual((bare("h/a.B"), bare("a.B")), ("a.B", "a.B"))
