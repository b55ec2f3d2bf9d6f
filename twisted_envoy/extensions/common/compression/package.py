"""Packages that compress, which not everybody has installed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


def importPackage(name: str, config: View) -> Any:
    """
    The module of that name.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        raise config.error(
            f"needs the Python package {name}, which is not installed: "
            "pip install 'twisted_envoy[compression]'"
        ) from None
