"""
CORS policies: of routes and virtual hosts, and of the cors filter, which obeys them.

Envoy: config.route.v3.CorsPolicy, extensions.filters.http.cors.v3.CorsPolicy
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.network.fraction import Fraction, buildFraction
from twisted_envoy.network.matchers import buildBytesMatch
from twisted_envoy.values import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class CorsPolicy:
    """
    What one level says; empty bytes and None leave it to the next one.

    Attributes:
        allowsOrigin: None when it names no origins.
        isEnabled, isShadowed: of random values.
    """

    allowsOrigin: Callable[[bytes], bool] | None
    methods: bytes
    headers: bytes
    exposed: bytes
    maxAge: bytes
    credentials: bool | None
    privateNetwork: bool | None
    forwardsOthers: bool | None
    isEnabled: Fraction
    isShadowed: Fraction


def buildCors(view: Any, context: Any) -> CorsPolicy:
    """
    Read either CorsPolicy.

    Raises:
        ConfigError: a matcher that is wrong.
    """
    runtime = context.runtime
    return CorsPolicy(
        _origins(view),
        view.allow_methods.encode(),
        view.allow_headers.encode(),
        view.expose_headers.encode(),
        view.max_age.encode(),
        view.allow_credentials,
        view.allow_private_network_access,
        view.forward_not_matching_preflights,
        _fraction(view.filter_enabled, runtime, True),
        _fraction(view.shadow_enabled, runtime, False),
    )


def _origins(view: Any) -> Callable[[bytes], bool] | None:
    matchers = [buildBytesMatch(one) for one in view.allow_origin_string_match]
    if not matchers:
        return None
    if any(match(b"*") for match in matchers):
        return lambda origin: True
    return lambda origin: any(match(origin) for match in matchers)


def _fraction(view: Any, runtime: Any, default: bool) -> Fraction:
    if view is None:
        return lambda randomValue: default
    return buildFraction(view, runtime)
