"""The linter as a whole: when it speaks, and that it is silent about what is right."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster
from tests.server.lint.support import linted
from twisted_envoy.errors import ConfigError
from twisted_envoy.server.build import buildServer
from twisted_envoy.server.options import ServerOptions

ROOT = Path(__file__).resolve().parent.parent.parent.parent
ODD = bootstrap(
    [], [cluster("b", "internal:nobody", "internal:nobody"), cluster("a", "internal:none")]
)


class LintTests(SynchronousTestCase):
    """`twisted_envoy.server.lint.lint`."""

    def test_order(self) -> None:
        """As in the text."""
        found = [one.problem.split("'")[1] for one in linted(ODD)]
        self.assertEqual(found, ["nobody", "nobody", "none"])

    def test_ownConfigs(self) -> None:
        """Nothing is odd about the examples."""
        for path in sorted((ROOT / "configs").glob("*.yaml")):
            self.assertEqual(linted(path.read_text()), [], path.name)

    def build(self, validating: bool) -> list[str]:
        """What is logged of ODD."""
        logged: list[str] = []
        mode = "Validate" if validating else "Serve"

        def observe(event: dict[str, object]) -> None:
            problem = event.get("problem")
            if isinstance(problem, ConfigError):
                logged.append(str(problem))

        globalLogPublisher.addObserver(observe)
        try:
            buildServer(ServerOptions(configYAML=ODD, mode=mode), Clock())
        finally:
            globalLogPublisher.removeObserver(observe)
        return logged

    def test_validate(self) -> None:
        """It speaks when a bootstrap is only to be checked: file, line, column, path, problem."""
        first, *_ = self.build(True)
        self.assertRegex(first, r"^--config-yaml:\d+:\d+: static_resources\.clusters\[0\]\.")

    def test_serve(self) -> None:
        """It is silent otherwise."""
        self.assertEqual(self.build(False), [])
