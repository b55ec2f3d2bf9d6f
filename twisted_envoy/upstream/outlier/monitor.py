"""
What is known of one host's requests. Sans-IO.

    result              without split              with split_external_local_origin_errors
    an answer           its status                 its status
    connected (HTTP)    nothing                    a local success
    connected (TCP)     200                        a local success
    not connected       503                        a local failure
    too late            the answer's status, 504   a local failure

Envoy: DetectorHostMonitorImpl in source/common/upstream/outlier_detection_impl.cc
"""

from __future__ import annotations

from collections.abc import Callable

from twisted_envoy.upstream.outlier.kinds import Kind
from twisted_envoy.upstream.outlier.settings import OutlierSettings

_GATEWAY = frozenset((502, 503, 504))


class SuccessRate:
    """
    Counts requests by interval.

    Attributes:
        rate: percent in the last interval, -1 for not enough requests.
    """

    __slots__ = ("_lastSuccess", "_lastTotal", "_success", "_total", "rate")

    def __init__(self) -> None:
        self._success = self._total = self._lastSuccess = self._lastTotal = 0
        self.rate = -1.0

    def count(self, success: bool) -> None:
        """One more request."""
        self._total += 1
        if success:
            self._success += 1

    def turn(self) -> None:
        """An interval is over, and so is what was said of the one before."""
        self._lastSuccess, self._lastTotal = self._success, self._total
        self._success = self._total = 0
        self.rate = -1.0

    def last(self) -> tuple[float, int] | None:
        """Percent and number of the last interval's requests; None without any."""
        total = self._lastTotal
        return (self._lastSuccess * 100.0 / total, total) if total else None


class HostMonitor:
    """
    One host's.

    Args:
        settings: the cluster's.
        detected: called when too many results in a row are bad.

    Attributes:
        external, local: of answers, and of connects.
        ejections: how often it was ejected. ejectedAt, unejectedAt: seconds, None for never.
        backoff: the base time of an ejection counts so many times.
        jitter: seconds that the present ejection lasts longer.
    """

    __slots__ = (
        *("_detected", "_failures5xx", "_failuresGateway", "_failuresLocal", "_settings"),
        *("backoff", "ejectedAt", "ejections", "external", "jitter", "local", "unejectedAt"),
    )

    def __init__(
        self, settings: OutlierSettings, detected: Callable[[HostMonitor, Kind], None]
    ) -> None:
        self._settings = settings
        self._detected = detected
        self.external = SuccessRate()
        self.local = SuccessRate()
        self.ejections = 0
        self.backoff = 0
        self.jitter = 0.0
        self.ejectedAt: float | None = None
        self.unejectedAt: float | None = None
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        self._failures5xx = self._failuresGateway = self._failuresLocal = 0

    # What happens to requests.

    def responded(self, status: int) -> None:
        """An answer."""
        if status < 500:
            self.external.count(True)
            self._failures5xx = self._failuresGateway = 0
            return
        self.external.count(False)
        settings = self._settings
        if status in _GATEWAY:
            self._failuresGateway += 1
            if self._failuresGateway == settings.of("consecutive_gateway_failure"):
                self._tell(Kind.CONSECUTIVE_GATEWAY_FAILURE)
        else:
            self._failuresGateway = 0
        self._failures5xx += 1
        if self._failures5xx == settings.of("consecutive_5xx"):
            self._tell(Kind.CONSECUTIVE_5XX)

    def connected(self) -> None:
        """There is a stream for a request."""
        if self._settings.splits:
            self._localSuccess()

    def connectedTCP(self) -> None:
        """There is a connection, which is all that is asked of the host."""
        if self._settings.splits:
            self._localSuccess()
        else:
            self.responded(200)

    def connectFailed(self) -> None:
        """There is none, or it broke."""
        if self._settings.splits:
            self._localFailure()
        else:
            self.responded(503)

    def timedOut(self, status: int = 504) -> None:
        """It took too long; status: what the client is told."""
        if self._settings.splits:
            self._localFailure()
        else:
            self.responded(status)

    def _localSuccess(self) -> None:
        self.local.count(True)
        self._failuresLocal = 0

    def _localFailure(self) -> None:
        self.local.count(False)
        self._failuresLocal += 1
        if self._failuresLocal == self._settings.of("consecutive_local_origin_failure"):
            self._tell(Kind.CONSECUTIVE_LOCAL_ORIGIN_FAILURE)

    def _tell(self, kind: Kind) -> None:
        self._detected(self, kind)

    def detectedOnce(self, kind: Kind) -> None:
        """That kind was seen to: so many in a row again are needed for the next time."""
        if kind is Kind.CONSECUTIVE_5XX:
            self._failures5xx = 0
        elif kind is Kind.CONSECUTIVE_GATEWAY_FAILURE:
            self._failuresGateway = 0
        else:
            self._failuresLocal = 0

    # Ejections.

    def eject(self, now: float) -> None:
        """It is left out."""
        self.ejections += 1
        self.ejectedAt = now

    def uneject(self, now: float) -> None:
        """It is back."""
        self.unejectedAt = now
        self.forget()
