"""
RBAC for connections: asked when the first bytes come, or for every chunk.

Envoy: source/extensions/filters/network/rbac/rbac_filter.cc
"""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from twisted_envoy.extensions.common.rbac.engine import Engine, deniedDetails, note
from twisted_envoy.extensions.common.rbac.stats import RBACStats
from twisted_envoy.extensions.common.turn_away import stopWaiting, turnAway
from twisted_envoy.network.link import Link
from twisted_envoy.values import dataclass

NAMESPACE = "envoy.filters.network.rbac"


@dataclass(frozen=True, slots=True)
class Settings:
    """
    Of one configured filter.

    Attributes:
        engine, shadowEngine: None where nothing decides. prefix: of the shadow's metadata.
        isContinuous: every chunk is asked about.
        delay: seconds that a denied connection is kept.
    """

    engine: Engine | None
    shadowEngine: Engine | None
    stats: RBACStats
    prefix: str
    isContinuous: bool
    delay: float
    reactor: IReactorTime


class RBAC(Link):
    """
    Lets a connection's bytes pass, or closes it.

    Filters after it hear of the connection before it is known whether it may pass, as in Envoy.
    """

    __slots__ = ("_denied", "_ended", "_settings", "_timer")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._denied = self._ended = False
        self._timer: IDelayedCall | None = None

    def dataReceived(self, data: bytes) -> None:
        if self._denied:
            return
        if not self._isAllowed():
            self.chain.streamInfo.bytesReceived += len(data)  # else the terminal filter's to count
            self._deny()
        else:
            if not self._settings.isContinuous:
                self.leave()
            self.deliver(data)

    def readConnectionLost(self) -> None:
        self._ended = True
        if self._denied:
            self._lose()
        elif self.chain.halfCloses and not self._isAllowed():
            self._deny()
        else:
            self.deliverEnd()

    def connectionLost(self, reason: Failure) -> None:
        stopWaiting(self._timer)
        self._timer = None

    def _isAllowed(self) -> bool:
        settings = self._settings
        info = self.chain.streamInfo
        if settings.shadowEngine is not None:
            tried = settings.shadowEngine(info)
            settings.stats.tried(tried, False)
            fields: dict[str, object] = {}
            if tried.policy:
                fields[f"{settings.prefix}shadow_effective_policy_id"] = tried.policy
            result = "allowed" if tried.allowed else "denied"
            fields[f"{settings.prefix}shadow_engine_result"] = result
            note(info, NAMESPACE, fields)
        if settings.engine is None:
            return True
        verdict = settings.engine(info)
        settings.stats.decided(verdict, False)
        if not verdict.allowed:
            info.connectionTerminationDetails = deniedDetails(verdict.policy)
        return verdict.allowed

    def _deny(self) -> None:
        self._denied = True
        settings = self._settings
        self._timer = turnAway(
            self, "rbac_deny_close", settings.delay, settings.reactor, self._lose
        )

    def _lose(self) -> None:
        self.transport.unregisterProducer()
        if self._ended:
            self.transport.loseConnection()
        else:
            self.closeConnection()
