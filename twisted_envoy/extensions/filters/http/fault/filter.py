"""
Fault injection: delay a request, abort it, slow its response down.

Envoy: extensions.filters.http.fault.v3.HTTPFault
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IDelayedCall

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.fault.settings import FaultSettings, Share
from twisted_envoy.extensions.filters.http.fault.slow_response import SlowResponse
from twisted_envoy.http.filter import NOTHING, HTTPFilter
from twisted_envoy.network.fraction import isWithin
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope


class FaultStats:
    """`http.<stat_prefix>.fault.*`"""

    aborts_injected: Counter
    delays_injected: Counter
    faults_overflow: Counter
    response_rl_injected: Counter
    active_faults: Gauge

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


class FaultConfig:
    """What all filters of one config share."""

    __slots__ = ("random", "reactor", "runtime", "scope", "settings", "stats")

    def __init__(self, settings: FaultSettings, context: Any) -> None:
        self.settings = settings
        self.scope: Scope = context.scope.scope("fault.")
        self.stats = FaultStats(self.scope)
        self.runtime = context.runtime
        self.random = context.random
        self.reactor = context.reactor

    def chosen(self, share: Share, headers: HeaderMap, key: str) -> bool:
        """Is a request in the share? key: what its downstream cluster has instead, or ""."""
        numerator = share.of(headers)
        value = self.random.getrandbits(64)
        key = key or share.runtimeKey
        return isWithin(self.runtime, key, numerator, share.denominator, value)

    def number(self, default: int, *keys: str) -> int:
        """A whole number of the runtime: of the last key that has one; "" is no key."""
        found = default
        for key in keys:
            value = self.runtime.integer(key) if key else None
            if value is not None:
                found = value
        return found


class Fault(HTTPFilter):
    """Does to one request what the config says, or the route's."""

    __slots__ = ("_active", "_cluster", "_config", "_settings", "_slow", "_timer")

    def __init__(self, config: FaultConfig) -> None:
        self._config = config
        self._settings = config.settings
        self._active = False
        self._cluster = ""
        self._slow: SlowResponse | None = None
        self._timer: IDelayedCall | None = None

    def watches(self, route: Any, name: str) -> frozenset[bytes] | None:
        settings = (route.routeConfigs.get(name) or (self._settings,))[-1]
        isIdle = settings.delay is None and settings.abort is None and settings.rateLimit is None
        return NOTHING if isIdle else None

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        stream = self.stream
        override = stream.routeConfig(stream.nameOf(self))
        if override is not None:
            self._settings = override
        if not self._isMeant(headers):
            return
        self._cluster = headers.get(b"x-envoy-downstream-service-cluster", b"").decode("latin-1")
        self._slowDown(headers)
        delay = self._delay(headers)
        if delay > 0 and self._isFree():
            self._inject("delays_injected", "DI")
            self.holdDecode()
            self._timer = self._config.reactor.callLater(delay, self._delayed, headers)
        else:
            self._abort(headers)

    def encodeData(self, data: bytes, endStream: bool) -> bytes:
        if self._slow is not None:
            self._slow.dataCame(len(data))
        return data

    def streamEnded(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._slow is not None:
            self._slow.stop()
        if self._active:
            self._active = False
            self._config.stats.active_faults.value -= 1

    def _isMeant(self, headers: HeaderMap) -> bool:
        settings = self._settings
        if settings.upstreamCluster:
            route = self.stream.route
            if route is None or route.kind != "cluster":
                return False
            if route.clusterName(headers) != settings.upstreamCluster:
                return False
        if settings.nodes:
            if headers.get(b"x-envoy-downstream-service-node") not in settings.nodes:
                return False
        return all(matches(headers) for matches in settings.headers)

    def _key(self, name: str) -> str:
        """The runtime key of the downstream cluster, "" without one."""
        return f"fault.http.{self._cluster}.{name}" if self._cluster else ""

    def _delay(self, headers: HeaderMap) -> float:
        """Seconds; 0 for none."""
        config = self._config
        delay = self._settings.delay
        if delay is None:
            return 0.0
        if not config.chosen(delay.share, headers, self._key("delay.fixed_delay_percent")):
            return 0.0
        seconds = delay.seconds
        if seconds is None:
            found = headers.get(b"x-envoy-fault-delay-request", b"")
            if not found.isdigit():
                return 0.0
            seconds = int(found) / 1000
        keys = (self._settings.delayKey, self._key("delay.fixed_duration_ms"))
        return config.number(int(seconds * 1000 + 1e-6), *keys) / 1000

    def _delayed(self, headers: HeaderMap) -> None:
        self._timer = None
        if not self._abort(headers):
            self.releaseDecode()

    def _abort(self, headers: HeaderMap) -> bool:
        config = self._config
        abort = self._settings.abort
        if abort is None:
            return False
        if not config.chosen(abort.share, headers, self._key("abort.abort_percent")):
            return False
        status, grpcStatus = abort.httpStatus, abort.grpcStatus
        if status is None and grpcStatus is None:
            status = _number(headers.get(b"x-envoy-fault-abort-request"))
            if status is not None and not 200 <= status < 600:
                status = None
            grpcStatus = _number(headers.get(b"x-envoy-fault-abort-grpc-request"))
        if status is not None:
            keys = (self._settings.httpStatusKey, self._key("abort.http_status"))
            status, grpcStatus = config.number(status, *keys), None
        elif grpcStatus is not None:
            keys = (self._settings.grpcStatusKey, self._key("abort.grpc_status"))
            status, grpcStatus = 200, config.number(grpcStatus, *keys)
        if status is None or not self._isFree():
            return False
        self._inject("aborts_injected", "FI")
        self.sendLocalReply(status, abort.body, "fault_filter_abort", (), grpcStatus)
        return True

    def _slowDown(self, headers: HeaderMap) -> None:
        limit = self._settings.rateLimit
        if limit is None:
            return
        kilobytes = limit.kilobytes
        if kilobytes is None:
            kilobytes = _number(headers.get(b"x-envoy-fault-throughput-response"))
        if not kilobytes or not self._config.chosen(limit.share, headers, ""):
            return
        if self._isFree():
            self._config.stats.response_rl_injected.value += 1
            self._slow = SlowResponse(self, kilobytes, self._config.reactor)

    def _isFree(self) -> bool:
        """May this request have a fault (one more, or one at all)?"""
        if self._active:
            return True
        config = self._config
        stats = config.stats
        most = self._settings.most
        most = config.number(-1 if most is None else most, self._settings.mostKey)
        if 0 <= most <= stats.active_faults.value:
            stats.faults_overflow.value += 1
            return False
        stats.active_faults.value += 1
        self._active = True
        return True

    def _inject(self, stat: str, flag: str) -> None:
        config = self._config
        counter: Counter = getattr(config.stats, stat)
        counter.value += 1
        if self._cluster and self._settings.clusterStats:
            config.scope.counter(f"{self._cluster}.{stat}").value += 1
        info = self.stream.streamInfo
        info.raiseFlag(flag)
        if self._settings.metadata:
            info.dynamicMetadata[self.stream.nameOf(self)] = dict(self._settings.metadata)


def _number(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() else None
