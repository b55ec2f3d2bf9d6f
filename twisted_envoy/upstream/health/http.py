"""
Asks a host by an HTTP request.

Envoy: source/extensions/health_checkers/http
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo, UpstreamInfo
from twisted_envoy.upstream.health.checker import Report
from twisted_envoy.upstream.health.exchange import Answer, Client
from twisted_envoy.upstream.health.payload import matches
from twisted_envoy.upstream.health.settings import Failure
from twisted_envoy.upstream.health.stats import HealthCheckStats
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.http.routes.header_edits import HeaderEdits
    from twisted_envoy.upstream.host import Host

USER_AGENT = b"Envoy/HC"
_DEGRADED = b"x-envoy-degraded"
_IMMEDIATE = b"x-envoy-immediate-health-check-fail"
_SERVICE = b"x-envoy-upstream-healthchecked-cluster"


def hostnameFor(host: Host, configured: str) -> bytes:
    """What the host is called in a check: by its own config, the check's, or its cluster's name."""
    return (host.settings.healthCheck.hostname or configured or host.cluster.name).encode()


def infoOf(host: Host, protocol: str, now: float) -> StreamInfo:
    """What the formats of a check's headers see: the protocol and the host; no connection."""
    info = RequestInfo(StreamInfo(now), now)
    info.protocol = protocol
    info.upstream = UpstreamInfo(host.cluster.name)
    info.upstream.host = host
    info.upstream.cluster = host.cluster
    return info


@dataclass(frozen=True, slots=True)
class HTTPCheck:
    """
    What the config says.

    Attributes:
        protocol: `HTTP/1.1` or `HTTP/2`.
        scheme: as the transport socket makes it.
        expected, retriable: ranges of statuses, the ends not included.
        bufferSize: bytes of the answer that `receive` is looked for in; None for all.
        serviceMatch: of the service that the host says it is, None for any;
            verifies: tells whether that is looked at now.
    """

    path: bytes
    host: str = ""
    method: bytes = b"GET"
    protocol: str = "HTTP/1.1"
    scheme: bytes = b"http"
    send: bytes = b""
    receive: tuple[bytes, ...] = ()
    bufferSize: int | None = 1024
    expected: tuple[range, ...] = (range(200, 201),)
    retriable: tuple[range, ...] = ()
    edits: HeaderEdits | None = None
    serviceMatch: Callable[[str], bool] | None = None
    verifies: Callable[[], bool] = bool


Check = TypeVar("Check")


class RequestProbe(Generic[Check]):
    """
    What asks one host by a request; a subclass says which, and what it thinks of the answer.

    Args:
        client: asks it. seconds: the reactor's clock.
    """

    def __init__(
        self,
        host: Host,
        client: Client,
        check: Check,
        report: Report,
        seconds: Callable[[], float],
    ) -> None:
        self._host = host
        self._client = client
        self._check = check
        self._report = report
        self._seconds = seconds

    def giveUp(self) -> None:
        self._client.giveUp()

    def _edit(self, headers: HeaderMap, edits: HeaderEdits | None, protocol: str) -> None:
        """Change headers as the config says."""
        if edits is not None:
            edits(headers, infoOf(self._host, protocol, self._seconds()))

    def _answered(self, answer: Answer) -> None:
        headers = answer.headers
        if headers is None or not answer.ended:
            self._report.failed(Failure.NETWORK)
        else:
            self._judge(headers, answer)

    def _judge(self, headers: HeaderMap, answer: Answer) -> None:
        """Report what a whole answer says."""
        raise NotImplementedError


class HTTPProbe(RequestProbe[HTTPCheck]):
    """
    One host's.

    Args:
        client, seconds: see RequestProbe.
    """

    def __init__(
        self,
        host: Host,
        client: Client,
        check: HTTPCheck,
        report: Report,
        stats: HealthCheckStats,
        seconds: Callable[[], float],
    ) -> None:
        super().__init__(host, client, check, report, seconds)
        self._stats = stats

    def check(self) -> None:
        check = self._check
        headers = HeaderMap(
            [
                (b":method", check.method),
                (b":authority", hostnameFor(self._host, check.host)),
                (b":path", check.path),
                (b":scheme", check.scheme),
                (b"user-agent", USER_AGENT),
            ]
        )
        self._edit(headers, check.edits, check.protocol)
        if check.send:
            headers.add(b"content-length", b"%d" % len(check.send))
        most = check.bufferSize if check.receive else 0
        self._client.ask(headers, check.send, most, self._answered)

    def _judge(self, headers: HeaderMap, answer: Answer) -> None:
        check = self._check
        status = int(headers[b":status"])
        if not any(status in wanted for wanted in check.expected):
            if _IMMEDIATE in headers:
                self._report.excludes()
            retriable = any(status in allowed for allowed in check.retriable)
            self._report.failed(Failure.ACTIVE, retriable, status)
        elif matches(check.receive, answer.body) and self._isService(headers):
            self._report.succeeded(_DEGRADED in headers)
        else:
            self._report.failed(Failure.ACTIVE, False, status)

    def _isService(self, headers: HeaderMap) -> bool:
        match = self._check.serviceMatch
        if match is None or not self._check.verifies():
            return True
        self._stats.verify_cluster.value += 1
        return match((headers.get(_SERVICE) or b"").decode("utf-8", "surrogateescape"))
