"""Rules and requests for tests of RBAC."""

from __future__ import annotations

import json
from typing import Any

from tests.http.routes.support import Context, viewOfYAML
from tests.network.matching.support import requestOf
from twisted_envoy.config.unread import unread
from twisted_envoy.extensions.common.rbac.rules import RuleBuilder
from twisted_envoy.state.stream_info import StreamInfo

ANY = {"any": True}
__all__ = ["ANY", "Context", "header", "permits", "policy", "ranged", "requestOf", "speaks"]


def header(name: str, value: str) -> dict[str, Any]:
    """The rule that a header has a value."""
    return {"header": {"name": name, "string_match": {"exact": value}}}


def ranged(text: str) -> dict[str, Any]:
    """A CidrRange."""
    prefix, _, length = text.partition("/")
    return {"address_prefix": prefix, "prefix_len": int(length)}


def policy(permission: Any = ANY, principal: Any = ANY) -> dict[str, Any]:
    """A policy of one of each."""
    return {"permissions": [permission], "principals": [principal]}


def _built(kind: str, rule: dict[str, Any], hasHeaders: bool) -> Any:
    view = viewOfYAML(json.dumps(rule), f"envoy.config.rbac.v3.{kind}")
    builder = RuleBuilder(Context(), hasHeaders)
    built = builder.permission(view) if kind == "Permission" else builder.principal(view)
    left = [field.path for field in unread(view)]
    if left:
        raise AssertionError(left)
    return built


def permits(rule: dict[str, Any], info: StreamInfo, hasHeaders: bool = True) -> bool:
    """Does a permission match? All that it sets has to be obeyed."""
    found: bool = _built("Permission", rule, hasHeaders)(info)
    return found


def speaks(rule: dict[str, Any], info: StreamInfo, hasHeaders: bool = True) -> bool:
    """Does a principal match? All that it sets has to be obeyed."""
    found: bool = _built("Principal", rule, hasHeaders)(info)
    return found
