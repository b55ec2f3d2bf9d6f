"""
CORS: preflights are answered here, and responses say which origin may read them.

Envoy: extensions.filters.http.cors.v3.Cors
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.filter import NOTHING, HTTPFilter
from twisted_envoy.http.routes.cors import CorsPolicy
from twisted_envoy.http.routes.entry import CLUSTER
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope

_ORIGIN = b"access-control-allow-origin"
_CREDENTIALS = b"access-control-allow-credentials"
_METHODS = b"access-control-allow-methods"
_HEADERS = b"access-control-allow-headers"
_MAX_AGE = b"access-control-max-age"
_EXPOSED = b"access-control-expose-headers"
_PRIVATE = b"access-control-allow-private-network"
_WATCHED = frozenset((b"origin",))
_ASKED_METHOD = b"access-control-request-method"
_ASKED_HEADERS = b"access-control-request-headers"
_ASKED_PRIVATE = b"access-control-request-private-network"


Said = TypeVar("Said")


class CorsStats:
    """`http.<stat_prefix>.cors.*`"""

    origin_valid: Counter
    origin_invalid: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


class Cors(HTTPFilter):
    """Answers or marks one request."""

    __slots__ = ("_origin", "_policies", "_stats")

    def __init__(self, stats: CorsStats) -> None:
        self._stats = stats
        self._policies: tuple[CorsPolicy, ...] = ()
        self._origin = b""

    def watches(self, route: Any, name: str) -> frozenset[bytes]:
        isSilent = route.kind != CLUSTER or not (route.routeConfigs.get(name) or route.corsPolicies)
        return NOTHING if isSilent else _WATCHED

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        stream = self.stream
        origin = headers.get(b"origin")
        route = stream.route
        if not origin or route is None or route.kind != CLUSTER:
            return
        policies: tuple[CorsPolicy, ...] = stream.routeConfigs(stream.nameOf(self))[::-1]
        self._policies = policies = policies or route.corsPolicies
        if not policies:
            return
        first, bits = policies[0], stream.settings.random.getrandbits
        isEnabled = first.isEnabled(bits(64))
        if not isEnabled and not first.isShadowed(bits(64)):
            return
        isAllowed = self._allows(origin)
        if isAllowed:
            self._stats.origin_valid.value += 1
        else:
            self._stats.origin_invalid.value += 1
        if not isEnabled:
            return
        if isAllowed:
            self._origin = origin
        if headers.get(b":method") != b"OPTIONS" or not headers.get(_ASKED_METHOD):
            return
        if isAllowed or not self._forwardsOthers():
            stream.streamInfo.responseCodeDetails = "cors_response"
            stream.decodingEnded = True
            stream.encodeHeaders(self._answer(headers), True)

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        if not self._origin:
            return
        headers.set(_ORIGIN, self._origin)
        if self._allowsCredentials():
            headers.set(_CREDENTIALS, b"true")
        exposed = next((one.exposed for one in self._policies if one.exposed), b"")
        if exposed:
            headers.set(_EXPOSED, exposed)

    def _answer(self, request: HeaderMap) -> HeaderMap:
        """To a preflight; who may read it is said by encodeHeaders."""
        policies = self._policies
        answer = HeaderMap(((b":status", b"200"),))
        if self._origin:
            answer.set(_ORIGIN, self._origin)
        if self._allowsCredentials():
            answer.set(_CREDENTIALS, b"true")
        methods = next((one.methods for one in policies if one.methods), b"")
        if methods:
            answer.set(_METHODS, request[_ASKED_METHOD] if methods == b"*" else methods)
        names = next((one.headers for one in policies if one.headers), b"")
        if names:
            asked = request.joined(_ASKED_HEADERS) or b""
            answer.set(_HEADERS, asked if names == b"*" else names)
        maxAge = next((one.maxAge for one in policies if one.maxAge), b"")
        if maxAge:
            answer.set(_MAX_AGE, maxAge)
        mayBePrivate = _first(one.privateNetwork for one in policies)
        if mayBePrivate and request.get(_ASKED_PRIVATE) == b"true":
            answer.set(_PRIVATE, b"true")
        return answer

    def _allows(self, origin: bytes) -> bool:
        allows = _first(one.allowsOrigin for one in self._policies)
        return allows is not None and allows(origin)

    def _allowsCredentials(self) -> bool:
        return bool(_first(one.credentials for one in self._policies))

    def _forwardsOthers(self) -> bool:
        return _first(one.forwardsOthers for one in self._policies) is not False


def _first(said: Iterable[Said | None]) -> Said | None:
    """By the most specific level that says something."""
    return next((one for one in said if one is not None), None)
