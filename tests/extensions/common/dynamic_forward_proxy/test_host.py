"""One name of a cache."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.common.dynamic_forward_proxy.host import CachedHost
from twisted_envoy.extensions.common.dynamic_forward_proxy.names import HostPort


class CachedHostTests(SynchronousTestCase):
    """Who waits for it."""

    def test_told(self) -> None:
        """Once, if it was not called off."""
        host = CachedHost(HostPort("a", 1), None)
        told: list[str] = []
        host.whenResolved(lambda: told.append("one"))
        cancel = host.whenResolved(lambda: told.append("two"))
        cancel()
        host.resolved()
        host.resolved()
        cancel()
        self.assertEqual((told, host.isResolved), (["one"], True))

    def test_stopped(self) -> None:
        """Nothing is under way any more."""
        clock = Clock()
        host = CachedHost(HostPort("a", 1), None)
        host.timer = clock.callLater(1, self.fail)
        host.asking = Deferred()
        host.asking.addErrback(lambda _: None)
        asking = host.asking
        host.stop()
        host.stop()
        self.assertEqual((clock.getDelayedCalls(), asking.called), ([], True))
