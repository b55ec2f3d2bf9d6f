"""Matcher trees for tests; an action is a StringValue."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.address import IPv4Address

from tests.http.routes.support import Context, viewOfYAML
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.config.unread import unread
from twisted_envoy.network.matching.actions import openAction
from twisted_envoy.network.matching.inputs import HTTP
from twisted_envoy.network.matching.tree import Limits, buildMatcher
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo

MATCHER = "xds.type.matcher.v3.Matcher"
STRING = "google.protobuf.StringValue"
INPUTS = "envoy.type.matcher.v3."
NETWORK_INPUTS = "envoy.extensions.matching.common_inputs.network.v3."


def named(name: str, typeName: str, /, **fields: Any) -> dict[str, Any]:
    """A TypedExtensionConfig."""
    return {"name": name, "typed_config": {"@type": f"type.googleapis.com/{typeName}", **fields}}


def action(text: str, **fields: Any) -> dict[str, Any]:
    """An OnMatch with an action."""
    return {"action": named("action", STRING, value=text), **fields}


def header(name: str) -> dict[str, Any]:
    """The input that sees a request's header."""
    return named("header", f"{INPUTS}HttpRequestHeaderMatchInput", header_name=name)


def responseHeader(name: str) -> dict[str, Any]:
    """The input that sees a response's header."""
    return named("header", f"{INPUTS}HttpResponseHeaderMatchInput", header_name=name)


def connectionInput(name: str, **fields: Any) -> dict[str, Any]:
    """An input that sees something of the connection."""
    return named("input", NETWORK_INPUTS + name, **fields)


def has(name: str, value: str) -> dict[str, Any]:
    """The predicate that a header of the request has a value."""
    return {"single_predicate": {"input": header(name), "value_match": {"exact": value}}}


def listOf(*pairs: tuple[dict[str, Any], dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """A Matcher with a list of (predicate, OnMatch)."""
    matchers = [{"predicate": predicate, "on_match": onMatch} for predicate, onMatch in pairs]
    return {"matcher_list": {"matchers": matchers}, **fields}


def mapOf(kind: str, input: dict[str, Any], onNoMatch: Any = None, **entries: Any) -> Any:
    """A Matcher with a map: kind is exact or prefix; underscores in keys stand for dots."""
    found = {key.replace("_", "."): value for key, value in entries.items()}
    matcher: dict[str, Any] = {
        "matcher_tree": {"input": input, f"{kind}_match_map": {"map": found}}
    }
    if onNoMatch is not None:
        matcher["on_no_match"] = onNoMatch
    return matcher


def treeOf(
    matcher: dict[str, Any],
    inputs: str = HTTP,
    limits: Limits | None = None,
    context: Any = None,
) -> Any:
    """Build a Matcher; all that is set has to be obeyed."""
    view = viewOfYAML(json.dumps(matcher), MATCHER)
    match = buildMatcher(view, context or Context(), inputs, readAction, limits)
    left = [field.path for field in unread(view)]
    if left:
        raise AssertionError(left)
    return match


def readAction(view: Any) -> str:
    """The text of a StringValue."""
    text: str = openAction(view, STRING).value
    return text


def requestOf(**headers: str) -> RequestInfo:
    """A request from 10.0.0.1:1234 to 10.0.0.2:80 with these headers; underscores are dashes."""
    local, remote = IPv4Address("TCP", "10.0.0.2", 80), IPv4Address("TCP", "10.0.0.1", 1234)
    info = RequestInfo(StreamInfo(0.0, local, remote, 1), 0.0)
    info.requestHeaders = HeaderMap(
        (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
    )
    return info
