"""Views of a config's text, for tests of what reads them."""

from __future__ import annotations

from typing import Any

from twisted_envoy.config.bootstrap import decodeText, envoyPlans
from twisted_envoy.config.load import Text
from twisted_envoy.config.view import viewOf


def viewOfYAML(typeName: str, yaml: str) -> Any:
    """The View of a message of that type; errors come as from a file `test.yaml`."""
    plan = envoyPlans().find(typeName)
    if plan is None:
        raise KeyError(typeName)
    record, _ = decodeText(Text("test.yaml", yaml), plan, [])
    return viewOf(record)
