"""Hosts that are found by name."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import HostnameAddress, IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.interfaces.upstream import ResolveFailed
from twisted_envoy.state.addresses import addressText
from twisted_envoy.stats.scope import Store
from twisted_envoy.testing import MemoryResolver
from twisted_envoy.upstream.discovery import (
    FAMILIES,
    DNSDiscovery,
    DNSSettings,
    DNSTarget,
    lookUp,
)
from twisted_envoy.upstream.host import HostSettings
from twisted_envoy.upstream.stats import ClusterStats

NAMES = {
    "both.test": ["::1", "127.0.0.1", "127.0.0.2"],
    "v4.test": ["127.0.0.1"],
    "v6.test": ["::1"],
}


def endpoint(name: str, port: int = 80, **more: Any) -> HostSettings:
    """An endpoint that is found by name."""
    return HostSettings(HostnameAddress(name.encode(), port), **more)


def texts(hosts: Any) -> list[str]:
    """The addresses of hosts."""
    return [addressText(host.address) for host in hosts]


class FakeCluster:
    """Takes hosts; `changes` has every change."""

    def __init__(self) -> None:
        self.stats = ClusterStats(Store())
        self.hosts: tuple[HostSettings, ...] = ()
        self.changes: list[list[str]] = []

    def replaceHosts(self, settings: Any) -> bool:
        if sorted(texts(settings)) == sorted(texts(self.hosts)):
            return False
        self.hosts = tuple(settings)
        self.changes.append(texts(settings))
        return True

    def counts(self) -> tuple[int, int, int, int]:
        """update_attempt, _success, _failure, _no_rebuild."""
        s = self.stats
        found = (s.update_attempt, s.update_success, s.update_failure, s.update_no_rebuild)
        return tuple(one.value for one in found)  # type: ignore[return-value]


class LookUpTests(SynchronousTestCase):
    """Which addresses each lookup family takes, as observed on Envoy 1.40."""

    def found(self, name: str, family: str, resolver: Any = None) -> list[str]:
        """The addresses of a name."""
        asking = lookUp(resolver or MemoryResolver(NAMES), name, FAMILIES[family])
        return [one.host for one in self.successResultOf(Deferred.fromCoroutine(asking))]

    def test_families(self) -> None:
        """AUTO and V4_PREFERRED take one kind, ALL takes both."""
        expected = {
            "AUTO": (["::1"], ["127.0.0.1"], ["::1"]),
            "UNSPECIFIED": (["::1"], ["127.0.0.1"], ["::1"]),
            "V4_ONLY": (["127.0.0.1", "127.0.0.2"], ["127.0.0.1"], []),
            "V6_ONLY": (["::1"], [], ["::1"]),
            "V4_PREFERRED": (["127.0.0.1", "127.0.0.2"], ["127.0.0.1"], ["::1"]),
            "ALL": (["127.0.0.1", "127.0.0.2", "::1"], ["127.0.0.1"], ["::1"]),
        }
        for family, wanted in expected.items():
            found = tuple(self.found(name, family) for name in NAMES)
            self.assertEqual(found, wanted, family)

    def test_noAddress(self) -> None:
        """A name without addresses is an answer."""
        self.assertEqual(self.found("nx.test", "ALL"), [])

    def test_secondQuestionOnlyWhenNeeded(self) -> None:
        """AUTO asks for IPv4 only when there is no IPv6 address."""
        resolver = MemoryResolver(NAMES)
        self.found("both.test", "AUTO", resolver)
        self.found("v4.test", "AUTO", resolver)
        self.assertEqual(
            resolver.asked, [("both.test", "v6"), ("v4.test", "v6"), ("v4.test", "v4")]
        )

    def test_oneOfTwoFails(self) -> None:
        """One kind's failure is none when the other kind has addresses, and is one when not."""

        class HalfDead(MemoryResolver):
            """Cannot find IPv6 addresses."""

            def resolve(self, name: str, kind: Any) -> Any:
                if kind is IPv6Address:
                    return fail(ResolveFailed("no"))
                return super().resolve(name, kind)

        self.assertEqual(self.found("v4.test", "AUTO", HalfDead(NAMES)), ["127.0.0.1"])
        asking = lookUp(HalfDead(NAMES), "v6.test", FAMILIES["AUTO"])
        self.failureResultOf(Deferred.fromCoroutine(asking), ResolveFailed)


class DNSTargetTests(SynchronousTestCase):
    """One endpoint and its hosts."""

    def test_strict(self) -> None:
        """Each address is a host with the endpoint's port and everything else of it, once."""
        target = DNSTarget(endpoint("a.test", 81, weight=3), logical=False)
        target.answered([IPv4Address("TCP", host, 0) for host in ("10.0.0.2", "10.0.0.1")] * 2)
        self.assertEqual(texts(target.hosts), ["10.0.0.2:81", "10.0.0.1:81"])
        self.assertEqual({host.weight for host in target.hosts}, {3})
        self.assertEqual({host.hostname for host in target.hosts}, {"a.test"})

    def test_logical(self) -> None:
        """All addresses are one host, at the first of them."""
        target = DNSTarget(endpoint("a.test", hostname="shown"), logical=True)
        target.answered([IPv6Address("TCP", "::2", 0), IPv6Address("TCP", "::1", 0)])
        self.assertEqual(texts(target.hosts), ["[::2]:80"])
        self.assertEqual(target.hosts[0].hostname, "shown")

    def test_emptyAnswers(self) -> None:
        """No address is an answer, but not for a logical host."""
        self.assertTrue(DNSTarget(endpoint("a"), logical=False).accepts([]))
        self.assertFalse(DNSTarget(endpoint("a"), logical=True).accepts([]))

    @given(st.lists(st.ip_addresses(v=4).map(str), max_size=6))
    def test_hostsAreTheAddresses(self, found: list[str]) -> None:
        """Whatever is answered: as many hosts as different addresses, in order."""
        target = DNSTarget(endpoint("a.test"), logical=False)
        target.answered([IPv4Address("TCP", host, 0) for host in found])
        self.assertEqual(texts(target.hosts), [f"{one}:80" for one in dict.fromkeys(found)])


class DNSDiscoveryTests(SynchronousTestCase):
    """A cluster's hosts follow the answers."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.resolver = MemoryResolver(NAMES)
        self.cluster = FakeCluster()
        self.ready: list[float] = []

    def start(self, *endpoints: HostSettings, **settings: Any) -> DNSDiscovery:
        """A discovery that has begun."""
        discovery = DNSDiscovery(
            DNSSettings(**settings), endpoints, self.resolver, self.clock, random.Random(1)
        )
        cluster: Any = self.cluster
        discovery.start(cluster, lambda: self.ready.append(self.clock.seconds()))
        return discovery

    def test_firstAnswer(self) -> None:
        """The hosts of the first answer are there, and the start may go on."""
        self.start(endpoint("v4.test"), endpoint("v6.test", 81))
        self.assertEqual(texts(self.cluster.hosts), ["127.0.0.1:80", "[::1]:81"])
        self.assertEqual(self.ready, [0])
        self.assertEqual(self.cluster.counts(), (2, 2, 0, 0))
        self.assertEqual(self.cluster.stats.max_host_weight.value, 1)

    def test_refresh(self) -> None:
        """It asks again after the refresh rate; what did not change changes nothing."""
        self.start(endpoint("v4.test"))
        self.clock.advance(4.9)
        self.assertEqual(len(self.resolver.asked), 2)
        self.resolver.addresses["v4.test"] = ["127.0.0.7"]
        self.clock.advance(0.1)
        self.assertEqual(self.cluster.changes, [["127.0.0.1:80"], ["127.0.0.7:80"]])
        self.clock.advance(5)
        self.assertEqual(self.cluster.counts(), (3, 3, 0, 1))
        self.assertEqual(self.ready, [0])

    def test_nameIsGone(self) -> None:
        """Without addresses a strict cluster has no hosts."""
        self.start(endpoint("v4.test"), refreshRate=1)
        del self.resolver.addresses["v4.test"]
        self.clock.advance(1)
        self.assertEqual(self.cluster.changes[-1], [])
        self.assertEqual(self.cluster.counts(), (2, 2, 0, 0))

    def test_logicalNameIsGone(self) -> None:
        """A logical host stays: an empty answer is a failure."""
        self.start(endpoint("v4.test"), logical=True, refreshRate=1)
        del self.resolver.addresses["v4.test"]
        self.clock.advance(1)
        self.assertEqual(texts(self.cluster.hosts), ["127.0.0.1:80"])
        self.assertEqual(self.cluster.counts(), (2, 1, 1, 0))

    def test_failure(self) -> None:
        """Nobody answers: the hosts stay, and it asks again after the refresh rate."""
        self.start(endpoint("v4.test"), refreshRate=2)
        self.resolver.failing.add("v4.test")
        self.clock.advance(2)
        self.assertEqual(texts(self.cluster.hosts), ["127.0.0.1:80"])
        self.assertEqual(self.cluster.counts(), (2, 1, 1, 0))
        self.resolver.failing.clear()
        self.clock.advance(2)
        self.assertEqual(self.cluster.counts(), (3, 2, 1, 1))

    def test_backoff(self) -> None:
        """Failures in a row are asked again at growing distances, up to the most."""
        self.resolver.failing.add("v4.test")
        self.start(endpoint("v4.test"), refreshRate=100, failureBase=1, failureMost=4)
        waits = []
        for _ in range(200):
            (call,) = self.clock.getDelayedCalls()
            waits.append(call.getTime() - self.clock.seconds())
            self.clock.advance(waits[-1])
        self.assertLess(waits[0], 1)
        self.assertLess(waits[1], 2)
        self.assertLess(max(waits), 4)
        self.assertGreater(max(waits), 2)
        self.assertEqual(self.ready, [0])

    def test_backoffBeginsAnew(self) -> None:
        """An answer ends the back-off; ten times the base is the most unless told."""
        self.resolver.failing.add("v4.test")
        self.start(endpoint("v4.test"), refreshRate=100, failureBase=1)
        for _ in range(100):
            (call,) = self.clock.getDelayedCalls()
            self.clock.advance(call.getTime() - self.clock.seconds())
        self.resolver.failing.clear()
        (call,) = self.clock.getDelayedCalls()
        self.clock.advance(call.getTime() - self.clock.seconds())
        self.assertEqual(texts(self.cluster.hosts), ["127.0.0.1:80"])
        self.resolver.failing.add("v4.test")
        self.clock.advance(100)
        (call,) = self.clock.getDelayedCalls()
        self.assertLess(call.getTime() - self.clock.seconds(), 1)

    def test_jitter(self) -> None:
        """Something between nothing and the jitter is added to the refresh rate."""
        self.start(endpoint("v4.test"), refreshRate=10, jitter=2)
        waits = set()
        for _ in range(20):
            (call,) = self.clock.getDelayedCalls()
            waits.add(call.getTime() - self.clock.seconds())
            self.clock.advance(call.getTime() - self.clock.seconds())
        self.assertTrue(all(10 <= wait < 12.01 for wait in waits))
        self.assertGreater(len(waits), 10)

    def test_readyWaitsForOneAnswer(self) -> None:
        """The start waits for the first name that is answered, not for all."""
        self.resolver.silent.add("v4.test")
        self.start(endpoint("v4.test"))
        self.assertEqual(self.ready, [])
        self.start(endpoint("v4.test"), endpoint("v6.test"))
        self.assertEqual(self.ready, [0])

    def test_readyAtOnce(self) -> None:
        """Nothing to look up, or told not to wait: the start goes on at once."""
        self.resolver.silent.add("v4.test")
        self.start()
        self.start(endpoint("v4.test"), waitForWarm=False)
        self.assertEqual(self.ready, [0, 0])

    def test_addressOfAnotherKind(self) -> None:
        """A pipe or an internal address never yields a host."""
        self.start(endpoint("", 0))
        self.start(endpoint("", 0), logical=True)
        self.assertEqual(self.cluster.hosts, ())
        self.assertEqual(self.cluster.counts(), (2, 1, 1, 1))

    def test_stop(self) -> None:
        """After the stop nothing is asked and nothing waits."""
        discovery = self.start(endpoint("v4.test"))
        discovery.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopWhileAsking(self) -> None:
        """A question that is open is cancelled; nobody is told."""
        self.resolver.silent.add("v4.test")
        discovery = self.start(endpoint("v4.test"))
        discovery.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.ready, [])
        self.assertEqual(self.cluster.counts(), (1, 0, 0, 0))

    def test_resolverBreaks(self) -> None:
        """A resolver that raises is a failure and a log line, and is asked again."""

        def broken(name: str, kind: Any) -> Any:
            raise RuntimeError("broken")

        self.resolver.resolve = broken  # type: ignore[method-assign]
        self.start(endpoint("v4.test"))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.cluster.counts(), (1, 0, 1, 0))
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
