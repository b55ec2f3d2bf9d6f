"""
Runtime values: the layers of `layered_runtime`, later ones over earlier ones.

Only static layers (and the empty admin layer) are read; what asks for a disk or a server is
reported as unsupported by not being read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from twisted_envoy.stats.scope import Scope

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


class Runtime:
    """
    Values by dotted key.

    Args:
        values: key -> value, nested dicts flattened.
    """

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        self.values: dict[str, object] = dict(values or {})
        self.layers: list[tuple[str, dict[str, object]]] = []
        self._asked: set[str] = set()

    def integer(self, key: str) -> int | None:
        """The whole number of a key; None when it has none."""
        self._asked.add(key)
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return None
        try:
            return int(value)
        except ValueError:
            return None

    def percent(self, key: str, default: float) -> float:
        """A share of 100."""
        self._asked.add(key)
        value = self.values.get(key)
        return float(value) if isinstance(value, (int, float)) else default

    def boolean(self, key: str, default: bool) -> bool:
        """A flag."""
        self._asked.add(key)
        value = self.values.get(key)
        return value if isinstance(value, bool) else default

    def unasked(self) -> list[str]:
        """Keys that have a value which nobody asked for: they are without effect."""
        return sorted(set(self.values) - self._asked)


def buildRuntime(config: View | None, scope: Scope) -> Runtime:
    """The runtime of a bootstrap, with `runtime.*` stats."""
    runtime = Runtime()
    for layer in config.layers if config is not None else ():
        kind = layer.which("layer_specifier")
        values: dict[str, object] = {}
        if kind == "static_layer":
            values = _flat(layer.static_layer or {})
        elif kind == "admin_layer":
            layer.admin_layer  # noqa: B018  there is nothing in it
        runtime.layers.append((layer.name, values))
        runtime.values.update(values)
    scope.counter("runtime.load_success").value += 1
    scope.counter("runtime.override_dir_not_exists").value += 1
    scope.gauge("runtime.num_keys").value = len(runtime.values)
    scope.gauge("runtime.num_layers").value = len(runtime.layers)
    for name in ("load_error", "deprecated_feature_use", "override_dir_exists"):
        scope.counter(f"runtime.{name}")
    for name in ("admin_overrides_active", "deprecated_feature_seen_since_process_start"):
        scope.gauge(f"runtime.{name}")
    return runtime


def _flat(struct: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested keys joined by dots; a `numerator` makes a fractional percent, which is a leaf."""
    found: dict[str, object] = {}
    for name, value in struct.items():
        key = prefix + name
        if isinstance(value, dict) and "numerator" not in value:
            found.update(_flat(value, key + "."))
        else:
            found[key] = value
    return found
