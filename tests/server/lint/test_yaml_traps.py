"""Tests for twisted_envoy.server.lint.yaml_traps."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.server.lint.support import at, linted

TEXT = """
static_resources:
  clusters:
  - name: c
    metadata:
      filter_metadata:
        ns: {a: y, b: [N], c: "n", d: 'y', e: yes, deep: {f: n}, n: 1, g: !!str y}
layered_runtime:
  layers:
  - name: l
    static_layer: {x: Y}
"""


class TrapTests(SynchronousTestCase):
    def test_structs(self) -> None:
        """Bare one-letter flags, in depth; nothing that is quoted or longer."""
        found = linted(TEXT)
        self.assertEqual([at(TEXT, one)[0] for one in found], ["y", "N", "n", "Y"])
        self.assertIn("is the flag true here, as in Envoy", found[0].problem)
        self.assertIn("is the flag false here", found[1].problem)
        self.assertIn("static_resources.clusters[0].metadata", found[0].path)
        self.assertEqual(str(found[0].position), "--config-yaml:7:17")
