"""From `config.core.v3.HealthCheck` to what checks the hosts of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted_envoy.access_log.file import AccessLogError
from twisted_envoy.errors import ConfigError, UnsupportedField
from twisted_envoy.http.routes.header_edits import buildEdits
from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
from twisted_envoy.network.matchers import buildStringMatch
from twisted_envoy.upstream.health.checker import HealthChecker, Probe, Report
from twisted_envoy.upstream.health.events import HealthEvents
from twisted_envoy.upstream.health.exchange import CheckConnection, Client
from twisted_envoy.upstream.health.grpc import GRPCCheck, GRPCProbe
from twisted_envoy.upstream.health.http import HTTPCheck, HTTPProbe
from twisted_envoy.upstream.health.payload import readPayload
from twisted_envoy.upstream.health.settings import HealthCheckSettings
from twisted_envoy.upstream.health.stats import HealthCheckStats
from twisted_envoy.upstream.health.tcp import TCPCheck, TCPProbe
from twisted_envoy.upstream.host import Host
from twisted_envoy.upstream.http.settings import HTTP1, HTTP2

if TYPE_CHECKING:
    from twisted.internet.interfaces import IStreamClientEndpoint

    from twisted_envoy.config.view import View
    from twisted_envoy.interfaces.transport_sockets import IUpstreamTransportSocketFactory
    from twisted_envoy.server.context import FactoryContext
    from twisted_envoy.upstream.http.settings import UpstreamHTTP

_KINDS = {"http_health_check": "HTTP", "tcp_health_check": "TCP", "grpc_health_check": "GRPC"}
_VERIFY = "health_check.verify_cluster"
_NO_BODY = frozenset({"METHOD_UNSPECIFIED", "GET", "HEAD", "DELETE", "TRACE"})
_BUFFER = 1024
_NO_TRAFFIC = 60.0


def buildHealthChecker(
    config: View,
    transportSocket: IUpstreamTransportSocketFactory,
    http: UpstreamHTTP,
    context: FactoryContext,
) -> HealthChecker:
    """
    The checker of a cluster that has health checks.

    Args:
        context: the cluster's, with its scope.
    Raises:
        ConfigError: what Envoy refuses, or what is not implemented.
    """
    checks = config.health_checks
    if len(checks) > 1:
        raise _several(checks)
    return _Builder(config, checks[0], transportSocket, http, context).checker()


def _several(checks: tuple[View, ...]) -> ConfigError:
    for index, check in enumerate(checks):
        if not check.name:
            return check.error(
                f"health check at index {index} is missing a name; all health checks must have a "
                "name when multiple health checks are configured"
            )
    problem = "more than one health check is not implemented by twisted_envoy"
    return UnsupportedField(checks[1].path, problem, checks[1].position())


class _Builder:
    """Reads one health check."""

    def __init__(
        self,
        cluster: View,
        config: View,
        transportSocket: IUpstreamTransportSocketFactory,
        http: UpstreamHTTP,
        context: FactoryContext,
    ) -> None:
        self._cluster = cluster
        self._config = config
        self._socket = transportSocket
        self._http = http
        self._context = context
        self._isTLS = bool(getattr(transportSocket, "isTLS", False))
        self._options = TransportSocketOptions()
        self._stats = HealthCheckStats(context.scope.scope("health_check."))

    def checker(self) -> HealthChecker:
        config, context = self._config, self._context
        config.moot("name", "only several checks need names")
        config.moot("alt_port", "Envoy does not look at it either")
        if not self._cluster.transport_socket_matches:
            moot = "only transport_socket_matches looks at it"
            config.moot("transport_socket_match_criteria", moot)
        kind = config.which("health_checker")
        self._tlsOptions()
        settings = self._settings(_KINDS.get(kind or "", ""))
        makers = {
            "http_health_check": self._httpProbes,
            "tcp_health_check": self._tcpProbes,
            "grpc_health_check": self._grpcProbes,
        }
        if kind not in makers:
            custom = config.custom_health_check
            context.build(custom, "health_checkers")
            problem = f"health checker {custom.name} is not implemented by twisted_envoy"
            raise UnsupportedField(config.path, problem, config.position("custom_health_check"))
        makeProbe = makers[kind](settings)
        events = HealthEvents(settings.kind, context.reactor.seconds, self._sinks())
        return HealthChecker(
            settings, makeProbe, self._stats, events, context.reactor, context.random
        )

    def _settings(self, kind: str) -> HealthCheckSettings:
        config, runtime = self._config, self._context.runtime
        interval: float = config.interval
        noTraffic = _orElse(config.no_traffic_interval, _NO_TRAFFIC)
        unhealthy = _orElse(config.unhealthy_interval, interval)
        for key in ("health_check.min_interval", "health_check.max_interval"):
            runtime.integer(key)
        reuse = config.reuse_connection
        return HealthCheckSettings(
            kind,
            config.timeout,
            interval,
            config.unhealthy_threshold,
            config.healthy_threshold,
            config.initial_jitter or 0.0,
            config.interval_jitter or 0.0,
            config.interval_jitter_percent,
            True if reuse is None else reuse,
            noTraffic,
            _orElse(config.no_traffic_healthy_interval, noTraffic),
            unhealthy,
            _orElse(config.unhealthy_edge_interval, unhealthy),
            _orElse(config.healthy_edge_interval, interval),
            config.always_log_health_check_failures,
            config.always_log_health_check_success,
            partial(runtime.integer, "health_check.min_interval"),
            partial(runtime.integer, "health_check.max_interval"),
        )

    def _tlsOptions(self) -> None:
        options = self._config.tls_options
        if options is None:
            return
        if not self._isTLS:
            options.moot("alpn_protocols", "only TLS looks at it")
            return
        protocols = tuple(one.encode() for one in options.alpn_protocols)
        self._options = TransportSocketOptions(onlyProtocols=protocols)

    def _sinks(self) -> list[Any]:
        """The files of the event log, which opens them when it is built."""
        config, context = self._config, self._context
        sinks: list[Any] = []
        if config.event_log_path:
            try:
                sinks.append(context.accessLogs.open(config.event_log_path))
            except AccessLogError as error:
                raise config.error(str(error), "event_log_path") from error
        for sink in config.event_logger:
            sinks.append(context.build(sink, "health_check.event_sinks"))
        return sinks

    def _endpoint(self, host: Host) -> IStreamClientEndpoint:
        """Dressed as the cluster's other connections are."""
        address = host.settings.healthCheck.addressFor(host.address)
        target = host
        if address != host.address:
            target = Host(replace(host.settings, address=address), host.cluster)
        return self._socket.connectorFor(target, self._options)

    # TCP.

    def _tcpProbes(self, settings: HealthCheckSettings) -> Callable[[Host, Report], Probe]:
        config = self._config.tcp_health_check
        send = b"" if config.send is None else readPayload(config.send)
        check = TCPCheck(send, tuple(map(readPayload, config.receive)))
        return lambda host, report: TCPProbe(
            self._endpoint(host), check, settings.reuseConnection, report
        )

    # HTTP.

    def _client(self, host: Host, protocol: str, settings: HealthCheckSettings) -> Client:
        makeCodec = self._http.codecs[protocol]
        post = self._http.post
        return Client(
            self._endpoint(host),
            lambda: CheckConnection(makeCodec, post, protocol),
            settings.reuseConnection,
        )

    @property
    def _scheme(self) -> bytes:
        return b"https" if self._isTLS else b"http"

    def _httpProbes(self, settings: HealthCheckSettings) -> Callable[[Host, Report], Probe]:
        config = self._config.http_health_check
        kind = config.codec_client_type
        if kind == "HTTP3":
            problem = "HTTP/3 is not implemented by twisted_envoy"
            raise UnsupportedField(config.path, problem, config.position("codec_client_type"))
        check = self._httpCheck(config, HTTP2 if kind == "HTTP2" else HTTP1)
        seconds = self._context.reactor.seconds
        return lambda host, report: HTTPProbe(
            host, self._client(host, check.protocol, settings), check, report, self._stats, seconds
        )

    def _httpCheck(self, config: View, protocol: str) -> HTTPCheck:
        context = self._context
        method: str = config.method
        send = b"" if config.send is None else readPayload(config.send)
        if config.send is not None and method in _NO_BODY:
            name = "GET" if method == "METHOD_UNSPECIFIED" else method
            raise config.error(
                f"HTTP health check cannot specify a request payload with method '{name}'. Only "
                "methods that support a request body (POST, PUT, PATCH, OPTIONS) can be used with "
                "payload.",
                "send",
            )
        size = config.response_buffer_size
        matcher = config.service_name_matcher
        expected = _ranges(config, "expected_statuses", "expected")
        runtime = context.runtime
        runtime.percent(_VERIFY, 100)
        return HTTPCheck(
            path=config.path_.encode(),
            host=config.host,
            method=b"GET" if method == "METHOD_UNSPECIFIED" else method.encode(),
            protocol=protocol,
            scheme=self._scheme,
            send=send,
            receive=tuple(map(readPayload, config.receive)),
            bufferSize=_BUFFER if size is None else size or None,
            expected=expected or (range(200, 201),),
            retriable=_ranges(config, "retriable_statuses", "retriable"),
            edits=buildEdits(
                config.request_headers_to_add,
                config.request_headers_to_remove,
                config,
                "request_headers_to_remove",
                context,
            ),
            serviceMatch=None if matcher is None else buildStringMatch(matcher),
            verifies=lambda: context.random.random() * 100 < runtime.percent(_VERIFY, 100),
        )

    def _grpcProbes(self, settings: HealthCheckSettings) -> Callable[[Host, Report], Probe]:
        config = self._config.grpc_health_check
        http = self._http.settings
        if http.protocol != HTTP2 and not http.automatic and http.protocol:
            raise self._cluster.error(
                f"{self._cluster.name} cluster must support HTTP/2 for gRPC healthchecking"
            )
        check = GRPCCheck(
            config.service_name,
            config.authority,
            int(settings.timeout * 1000),
            self._scheme,
            buildEdits(config.initial_metadata, (), config, "initial_metadata", self._context),
        )
        seconds = self._context.reactor.seconds
        return lambda host, report: GRPCProbe(
            host, self._client(host, HTTP2, settings), check, report, seconds
        )


def _orElse(value: float | None, other: float) -> float:
    return other if value is None else value


def _ranges(config: View, field: str, name: str) -> tuple[range, ...]:
    """
    Ranges of statuses.

    Raises:
        ConfigError: in Envoy's words.
    """
    found = []
    for one in getattr(config, field):
        start, end = one.start, one.end
        text = f"Invalid http {name} status range: expecting "
        if start >= end:
            raise one.error(f"{text}start < end, but found start={start} and end={end}")
        if start < 100:
            raise one.error(f"{text}start >= 100, but found start={start}")
        if end > 600:
            raise one.error(f"{text}end <= 600, but found end={end}")
        found.append(range(start, end))
    return tuple(found)
