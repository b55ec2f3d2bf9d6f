"""
What matcher trees look at.

An input's factory has the category of what it can look at: `matching.network.input` for
connections, `matching.http.input` for requests, or both. What it builds is asked for each
connection or request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.state.stream_info import StreamInfo

NETWORK = "matching.network.input"
HTTP = "matching.http.input"

NOT_YET = object()
"""An input is not there yet: a response's header while there is only a request."""

Input = Callable[[StreamInfo], object]
"""Gives a str, None when there is nothing to see, NOT_YET, or a value for one custom matcher."""


def buildInput(view: Any, category: str, context: Any) -> Input:
    """
    Build an input.

    Args:
        view: a TypedExtensionConfig. category: NETWORK or HTTP.
    Raises:
        ConfigError: nobody knows it there.
    """
    factory, config = context.extensions.open(view, category)
    made: Input = factory.build(config, context)
    return made
