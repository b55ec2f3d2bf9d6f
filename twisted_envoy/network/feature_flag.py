"""`config.core.v3.RuntimeFeatureFlag`: a switch that runtime may turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def buildFlag(view: Any, runtime: Any) -> Callable[[], bool]:
    """
    Build a RuntimeFeatureFlag; it is asked each time that it matters.

    Args:
        view: None for a switch that is always on.
        runtime: server.Runtime.
    """
    if view is None:
        return lambda: True
    default = view.default_value is None or bool(view.default_value)
    key: str = view.runtime_key
    if not key:
        return lambda: default
    runtime.boolean(key, default)  # says that somebody asks for the key
    return lambda: bool(runtime.boolean(key, default))
