"""Tests for `twisted_envoy.server.admin.runtime_page`."""

from __future__ import annotations

from tests.server.admin.support import PageTestCase
from twisted_envoy.server.admin.runtime_page import runtime, runtimeModify, valueText


class RuntimeTests(PageTestCase):
    """/runtime and /runtime_modify."""

    def test_empty(self) -> None:
        """No layers."""
        self.assertEqual(self.askJSON(runtime), {"entries": {}, "layers": []})

    def test_layers(self) -> None:
        """Each key with its value in each layer; the last one that has it wins."""
        self.server.runtime.layers = [("base", {"a.b": 1.0, "t": True}), ("over", {"a.b": 7.0})]
        self.assertEqual(
            self.askJSON(runtime),
            {
                "entries": {
                    "a.b": {"final_value": "7", "layer_values": ["1", "7"]},
                    "t": {"final_value": "true", "layer_values": ["true", ""]},
                },
                "layers": ["base", "over"],
            },
        )

    def test_values(self) -> None:
        """Texts of values."""
        for value, text in (("x", "x"), (2.5, "2.5"), (False, "false"), ({"a": 1}, '{"a": 1}')):
            self.assertEqual(valueText(value), text)

    def test_noAdminLayer(self) -> None:
        """There is nothing to modify."""
        self.assertEqual(self.ask(runtimeModify).code, 400)
        reply = self.ask(runtimeModify, "a=b")
        self.assertEqual((reply.code, reply.text()), (503, "No admin layer specified"))

    def test_modify(self) -> None:
        """Keys are set, and taken out by an empty value; of one given twice the first counts."""
        layer: dict[str, object] = {"old": "1", "gone": "2"}
        self.server.runtime.layers = [("admin", layer)]
        self.server.runtime.adminLayer = layer
        reply = self.ask(runtimeModify, "old=5&gone=&gone=3&new=x&none")
        self.assertEqual((reply.code, reply.text()), (200, "OK\n"))
        self.assertEqual(layer, {"old": "5", "new": "x"})
