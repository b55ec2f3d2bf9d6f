"""Tests for `twisted_envoy.server.runtime`; figures and texts as observed on Envoy 1.40."""

from __future__ import annotations

import os
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf
from twisted_envoy.errors import ConfigError
from twisted_envoy.server.runtime import (
    ENVIRONMENT,
    Runtime,
    buildRuntime,
    environmentValues,
)
from twisted_envoy.stats.scope import Store

LAYERED = "envoy.config.bootstrap.v3.LayeredRuntime"


class RuntimeTests(SynchronousTestCase):
    """Values and what they are taken for."""

    def test_kinds(self) -> None:
        """A value of the wrong kind is as good as none."""
        runtime = Runtime({"i": 3.0, "t": "4", "b": True, "p": 2.5, "x": "x", "inf": float("inf")})
        found = [runtime.integer(key) for key in ("i", "t", "b", "x", "inf", "none")]
        self.assertEqual(found, [3, 4, None, None, None, None])
        self.assertEqual([runtime.percent(key, 9) for key in ("p", "x", "none")], [2.5, 9, 9])
        self.assertEqual(
            [runtime.boolean(key, False) for key in ("b", "i", "none")], [True, False, False]
        )

    def test_unasked(self) -> None:
        """Keys that nobody asked for are listed."""
        runtime = Runtime({"a": 1, "b": 2, "c": 3})
        runtime.integer("b")
        self.assertEqual(runtime.unasked(), ["a", "c"])


class EnvironmentTests(SynchronousTestCase):
    """What the environment says."""

    def test_belowAllLayers(self) -> None:
        """It fills what no layer has; nothing counts or shows it."""
        text = "a=true, b=3,c=2.5,nothing,d=text"
        self.patch(os, "environ", {**os.environ, ENVIRONMENT: text})
        layer = {"name": "s", "static_layer": {"b": 4}}
        store = Store()
        runtime = buildRuntime(configOf(LAYERED, {"layers": [layer]}), store)

        self.assertEqual(environmentValues(), {"a": True, "b": 3, "c": 2.5, "d": "text"})
        self.assertIs(runtime.boolean("a", False), True)
        self.assertEqual((runtime.integer("b"), runtime.percent("c", 0.0)), (4, 2.5))
        self.assertEqual((runtime.values, runtime.unasked()), ({"b": 4}, []))
        self.assertEqual(store.gauges["runtime.num_keys"].value, 1)

    def test_none(self) -> None:
        """Without it there is nothing."""
        environment = {name: text for name, text in os.environ.items() if name != ENVIRONMENT}
        self.patch(os, "environ", environment)
        self.assertEqual(environmentValues(), {})


class BuildRuntimeTests(SynchronousTestCase):
    """`layered_runtime`."""

    def build(self, *layers: Any) -> Runtime:
        """A Runtime of these layers."""
        self.store = Store()
        return buildRuntime(configOf(LAYERED, {"layers": list(layers)}), self.store)

    def stats(self) -> dict[str, int]:
        """The stats that are not 0."""
        return {one.name[8:]: one.value for one in self.store.numbers() if one.value}

    def test_none(self) -> None:
        """Without `layered_runtime` there is no layer, and nothing to modify."""
        store = Store()
        runtime = buildRuntime(None, store)
        self.assertEqual(runtime.layers, [])
        self.assertFalse(runtime.modify({"a": "1"}))
        self.assertEqual(store.value("runtime.load_success"), 2)
        self.assertEqual(store.value("runtime.override_dir_not_exists"), 2)

    def test_layers(self) -> None:
        """Later layers win; nested keys are joined; a fractional percent is one value."""
        percent = {"numerator": 3, "denominator": "HUNDRED"}
        runtime = self.build(
            {"name": "one", "static_layer": {"a": {"b": 1, "p": percent}, "c": "x"}},
            {"name": "two", "static_layer": {"a.b": 2}},
            {"name": "three", "admin_layer": {}},
        )
        self.assertEqual(runtime.values, {"a.b": 2, "a.p": percent, "c": "x"})
        self.assertEqual(
            self.stats(),
            {"load_success": 2, "override_dir_not_exists": 2, "num_keys": 3, "num_layers": 3},
        )

    def test_noLayers(self) -> None:
        """An empty `layered_runtime` is an admin layer without a name."""
        runtime = self.build()
        self.assertEqual(runtime.layers, [("", {})])
        self.assertTrue(runtime.modify({"a": "1"}))

    def test_modify(self) -> None:
        """Texts are taken for what they look like; each change is a load."""
        runtime = self.build(
            {"name": "base", "static_layer": {"f": True, "n": 1}},
            {"name": "admin", "admin_layer": {}},
        )
        runtime.modify({"f": "FALSE", "n": "7", "p": "2.5", "t": "text"})
        self.assertEqual(runtime.values, {"f": False, "n": 7, "p": 2.5, "t": "text"})
        self.assertEqual(runtime.layers[1][1], {"f": "FALSE", "n": "7", "p": "2.5", "t": "text"})
        self.assertEqual(self.stats()["admin_overrides_active"], 1)
        self.assertEqual(self.stats()["load_success"], 3)
        runtime.modify({"f": "", "n": "", "p": "", "t": "", "none": ""})
        self.assertEqual(runtime.values, {"f": True, "n": 1})
        self.assertNotIn("admin_overrides_active", self.stats())

    def test_laterLayerWins(self) -> None:
        """An admin layer below a static one loses to it."""
        runtime = self.build(
            {"name": "admin", "admin_layer": {}}, {"name": "top", "static_layer": {"x": 1}}
        )
        runtime.modify({"x": "7", "y": "8"})
        self.assertEqual(runtime.values, {"x": 1, "y": 8})

    def test_follow(self) -> None:
        """Who follows a key hears its value at once and at each change."""
        runtime = self.build({"name": "admin", "admin_layer": {}})
        heard: list[int | None] = []
        runtime.follow("limit", heard.append)
        runtime.modify({"limit": "5"})
        runtime.modify({"limit": ""})
        self.assertEqual(heard, [None, 5, None])

    def test_refused(self) -> None:
        """Two admin layers, two layers of one name."""
        admin = {"name": "a", "admin_layer": {}}
        problem = self.assertRaises(ConfigError, self.build, admin, {**admin, "name": "b"}).problem
        self.assertEqual(
            problem,
            "Too many admin layers specified in LayeredRuntime, at most one may be specified",
        )
        again = {"name": "a", "static_layer": {}}
        problem = self.assertRaises(ConfigError, self.build, admin, again).problem
        self.assertEqual(problem, "Duplicate layer name: a")

    def test_noValues(self) -> None:
        """Lists and null are no values."""
        for struct, key in (({"a": {"b": [1]}}, "a.b"), ({"a": None}, "a")):
            layer = {"name": "x", "static_layer": struct}
            problem = self.assertRaises(ConfigError, self.build, layer).problem
            self.assertEqual(problem, f"Invalid runtime entry value for {key}")
