"""Bootstraps that are refused, and where the error points."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.errors import ConfigError
from twisted_envoy.testing import MemoryEnvoy


class RefusalTestCase(SynchronousTestCase):
    """A case that reads errors."""

    def refused(self, text: str) -> ConfigError:
        """What building raises; it has a path, and a position inside the text."""
        with self.assertRaises(ConfigError) as caught:
            MemoryEnvoy(text)
        problem = caught.exception
        assert problem.position is not None, problem
        self.assertEqual(problem.position.file, "<bootstrap>")
        self.assertNotEqual(problem.path, "")
        self.assertIn(f"<bootstrap>:{problem.position.line}:", str(problem))
        return problem

    def pointedAt(self, text: str, problem: ConfigError) -> str:
        """What stands at the position."""
        assert problem.position is not None
        return text.splitlines()[problem.position.line - 1][problem.position.column - 1 :]

    def assertRefused(self, text: str, message: str, at: str = "") -> None:
        """It is refused with this text, which points at what begins so."""
        problem = self.refused(text)
        self.assertIn(message, problem.problem)
        found = self.pointedAt(text, problem)
        self.assertTrue(found.startswith(at), f"{problem} points at {found!r}")
