"""
Runtime values: the layers of `layered_runtime`, later ones over earlier ones.

Static layers and the admin layer are obeyed; what asks for a disk or a server is reported as
unsupported by not being read. `/runtime_modify` changes the admin layer while the server runs: who
asks each time, or follows a key, sees the new value.

Below all layers is what the environment says: a whole test-suite, or a machine, can have a key of
ours without a change to any bootstrap. No layer, figure or page shows it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from twisted_envoy.stats.scope import Scope, Store

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

ENVIRONMENT = "TWISTED_ENVOY_RUNTIME"
"""Where the environment has values: `key=value,key=value`."""

Layer = tuple[str, dict[str, object]]
"""A layer's name and its values by dotted key."""


class Runtime:
    """
    Values by dotted key.

    Args:
        values: of one layer without a name.
        scope: for `runtime.*`.

    Attributes:
        layers: in their order; values of the admin layer are texts.
        values: what the layers add up to.
        defaults: by key, for what no layer has.
    """

    def __init__(
        self, values: Mapping[str, object] | None = None, scope: Scope | None = None
    ) -> None:
        self.defaults: Mapping[str, object] = {}
        self.layers: list[Layer] = [("", dict(values))] if values else []
        self.values: dict[str, object] = {}
        self.adminLayer: dict[str, object] | None = None
        self._asked: set[str] = set()
        self._followers: list[tuple[str, Callable[[int | None], None]]] = []
        scope = Store() if scope is None else scope
        self._loads = scope.counter("runtime.load_success")
        self._noDirectory = scope.counter("runtime.override_dir_not_exists")
        self._keys = scope.gauge("runtime.num_keys")
        self._layerCount = scope.gauge("runtime.num_layers")
        self._overrides = scope.gauge("runtime.admin_overrides_active")
        for name in ("load_error", "deprecated_feature_use", "override_dir_exists"):
            scope.counter(f"runtime.{name}")
        scope.gauge("runtime.deprecated_feature_seen_since_process_start")
        self.load()

    def load(self) -> None:
        """Add the layers up, and tell who follows a key."""
        self.values = {}
        for _, values in self.layers:
            admin = values is self.adminLayer
            for key, value in values.items():
                self.values[key] = _parsed(value) if admin and isinstance(value, str) else value
        self._loads.value += 1
        self._noDirectory.value += 1
        self._keys.value = len(self.values)
        self._layerCount.value = len(self.layers)
        if self.adminLayer or self._overrides.value:
            self._overrides.value = 1 if self.adminLayer else 0
        for key, follower in self._followers:
            follower(self.integer(key))

    def modify(self, changes: Mapping[str, str]) -> bool:
        """
        Change the admin layer; an empty text takes a key out of it.

        Returns:
            Whether there is one.
        """
        if self.adminLayer is None:
            return False
        for key, text in changes.items():
            if text:
                self.adminLayer[key] = text
            else:
                self.adminLayer.pop(key, None)
        self.load()
        return True

    def follow(self, key: str, follower: Callable[[int | None], None]) -> None:
        """Call with the whole number of a key (None: it has none), now and at each change."""
        self._followers.append((key, follower))
        follower(self.integer(key))

    def _value(self, key: str) -> object:
        self._asked.add(key)
        value = self.values.get(key)
        return self.defaults.get(key) if value is None else value

    def integer(self, key: str) -> int | None:
        """The whole number of a key; None when it has none."""
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return None
        try:
            return int(value)
        except (ValueError, OverflowError):
            return None

    def percent(self, key: str, default: float) -> float:
        """A share of 100."""
        value = self._value(key)
        return float(value) if isinstance(value, (int, float)) else default

    def boolean(self, key: str, default: bool) -> bool:
        """A flag."""
        value = self._value(key)
        return value if isinstance(value, bool) else default

    def unasked(self) -> list[str]:
        """Keys that have a value which nobody asked for: they are without effect."""
        return sorted(set(self.values) - self._asked)


def buildRuntime(config: View | None, scope: Scope) -> Runtime:
    """
    The runtime of a bootstrap.

    Raises:
        ConfigError: two layers of one name, two admin layers, or a value that is none.
    """
    runtime = Runtime(scope=scope)
    runtime.defaults = environmentValues()
    names: set[str] = set()
    for layer in config.layers if config is not None else ():
        if layer.name in names:
            raise layer.error(f"Duplicate layer name: {layer.name}", "name")
        names.add(layer.name)
        values: dict[str, object] = {}
        kind = layer.which("layer_specifier")
        if kind == "static_layer":
            values = _flat(layer, layer.static_layer or {})
        elif kind == "admin_layer":
            layer.admin_layer  # noqa: B018  there is nothing in it
            if runtime.adminLayer is not None:
                raise layer.error(
                    "Too many admin layers specified in LayeredRuntime, at most one may be "
                    "specified",
                    "admin_layer",
                )
            runtime.adminLayer = values
        runtime.layers.append((layer.name, values))
    if config is not None and not runtime.layers:
        runtime.adminLayer = {}
        runtime.layers.append(("", runtime.adminLayer))
    runtime.load()
    return runtime


def environmentValues() -> dict[str, object]:
    """Values by key, as the environment has them; what is not `key=value` is none."""
    pairs = (pair.partition("=") for pair in os.environ.get(ENVIRONMENT, "").split(","))
    return {key.strip(): _parsed(text.strip()) for key, equals, text in pairs if equals}


def _flat(layer: View, struct: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested keys joined by dots; a `numerator` makes a fractional percent, which is a leaf."""
    found: dict[str, object] = {}
    for name, value in struct.items():
        key = prefix + name
        if value is None or isinstance(value, list):
            raise layer.error(f"Invalid runtime entry value for {key}", "static_layer")
        if isinstance(value, dict) and "numerator" not in value:
            found.update(_flat(layer, value, key + "."))
        else:
            found[key] = value
    return found


def _parsed(text: str) -> object:
    """What a text of the admin page means: a flag, a number, or itself."""
    folded = text.lower()
    if folded in ("true", "false"):
        return folded == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
