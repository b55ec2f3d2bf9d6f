"""Names without DNS."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twisted_envoy.interfaces.upstream import IHostResolver, ResolveFailed
from twisted_envoy.testing import MemoryResolver


class MemoryResolverTests(SynchronousTestCase):
    """It says what it was told."""

    def setUp(self) -> None:
        self.resolver = MemoryResolver({"a.test": ["::1", "10.0.0.1"]})

    def test_kinds(self) -> None:
        """Addresses of the kind that was asked for; none of unknown names."""
        verifyObject(IHostResolver, self.resolver)
        ask = self.resolver.resolve
        self.assertEqual(self.successResultOf(ask("a.test", IPv4Address)), ["10.0.0.1"])
        self.assertEqual(self.successResultOf(ask("a.test", IPv6Address)), ["::1"])
        self.assertEqual(self.successResultOf(ask("b.test", IPv4Address)), [])
        self.assertEqual(self.successResultOf(ask("10.0.0.2", IPv4Address)), ["10.0.0.2"])
        self.assertEqual(self.resolver.asked[:2], [("a.test", "v4"), ("a.test", "v6")])

    def test_failing(self) -> None:
        """A failing name fails."""
        self.resolver.failing.add("a.test")
        self.failureResultOf(self.resolver.resolve("a.test", IPv4Address), ResolveFailed)

    def test_silent(self) -> None:
        """A silent name is answered when it speaks, unless the question was cancelled."""
        self.resolver.silent |= {"a.test", "b.test"}
        asking = [self.resolver.resolve(name, IPv4Address) for name in ("a.test", "b.test")]
        cancelled = self.resolver.resolve("a.test", IPv4Address)
        cancelled.addErrback(lambda _: None).cancel()
        self.resolver.speak("a.test")
        self.assertEqual(self.successResultOf(asking[0]), ["10.0.0.1"])
        self.assertNoResult(asking[1])
