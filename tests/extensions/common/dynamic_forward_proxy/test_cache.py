"""Names that are looked up when somebody wants them."""

from __future__ import annotations

import random
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.common.dynamic_forward_proxy.cache import (
    CacheFull,
    DNSCache,
    DNSCacheSettings,
)
from twisted_envoy.extensions.common.dynamic_forward_proxy.names import HostPort
from twisted_envoy.stats.scope import Store
from twisted_envoy.testing.names import MemoryResolver
from twisted_envoy.upstream.discovery import FAMILIES

A = HostPort("a.test", 80)


class DNSCacheTests(SynchronousTestCase):
    """On a Clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.store = Store()
        self.resolver = MemoryResolver({"a.test": ["1.2.3.4", "1.2.3.5"]})
        self.changes = 0

    def cache(self, **given: Any) -> DNSCache:
        """One whose changes are counted."""
        settings = DNSCacheSettings("c", FAMILIES["V4_ONLY"], **given)
        scope = self.store.scope("dns_cache.c.")
        made = DNSCache(settings, scope, self.resolver, self.clock, random.Random(7))

        def count() -> None:
            self.changes += 1

        made.changed.append(count)
        return made

    def stats(self) -> dict[str, int]:
        """Those that are not 0, without what they have in common."""
        numbers = self.store.numbers()
        return {one.name[len("dns_cache.c.") :]: one.value for one in numbers if one.value}

    def test_found(self) -> None:
        """The first address, with the name's port; asked for once."""
        cache = self.cache()
        host = cache.ask(A)
        self.assertEqual(host.address, IPv4Address("TCP", "1.2.3.4", 80))
        self.assertIs(cache.ask(A), host)
        self.assertIs(cache.find(A), host)
        self.assertEqual((self.resolver.asked, self.changes), ([("a.test", "v4")], 1))
        self.assertEqual(
            self.stats(),
            {
                "circuit_breakers.rq_pending_remaining": 1024,
                "dns_query_attempt": 1,
                "dns_query_success": 1,
                "host_added": 1,
                "host_address_changed": 1,
                "num_hosts": 1,
            },
        )

    def test_waiting(self) -> None:
        """Who waits is told when the answer comes."""
        self.resolver.silent.add("a.test")
        host = self.cache().ask(A)
        told: list[object] = []
        host.whenResolved(lambda: told.append(host.address))
        self.assertFalse(host.isResolved)
        self.resolver.speak("a.test")
        self.assertEqual(told, [IPv4Address("TCP", "1.2.3.4", 80)])

    def test_unknown(self) -> None:
        """It stays in the cache, and is asked for again."""
        cache = self.cache(refreshRate=10.0)
        host = cache.ask(HostPort("b.test", 1))
        self.assertEqual(
            (host.isResolved, host.address, host.failure),
            (True, None, "cares_norecords:Domain_name_not_found"),
        )
        self.resolver.addresses["b.test"] = ["5.6.7.8"]
        self.clock.advance(10)
        self.assertEqual((host.address, host.failure), (IPv4Address("TCP", "5.6.7.8", 1), ""))
        self.assertEqual(self.stats()["dns_query_failure"], 1)

    def test_failing(self) -> None:
        """After a failure the back-off; an address that is known stays."""
        cache = self.cache(refreshRate=10.0, failureBase=1.0, failureMost=2.0)
        host = cache.ask(A)
        self.resolver.failing.add("a.test")
        self.clock.advance(10)
        self.assertEqual(self.stats()["dns_query_failure"], 1)
        self.assertIn("cares_failure:a.test:_no_answer", host.failure)
        for _ in range(8):
            self.clock.advance(1)
        self.assertGreater(self.stats()["dns_query_failure"], 4)
        self.assertEqual(host.address, IPv4Address("TCP", "1.2.3.4", 80))

    def test_timeout(self) -> None:
        """Nobody answers in time."""
        self.resolver.silent.add("a.test")
        host = self.cache(timeout=2.0).ask(A)
        self.clock.advance(2)
        self.assertEqual((host.isResolved, host.failure), (True, "resolve_timeout"))
        self.assertEqual(self.stats()["dns_query_timeout"], 1)

    def test_changed(self) -> None:
        """Another address is told."""
        cache = self.cache(refreshRate=10.0)
        host = cache.ask(A)
        self.clock.advance(10)
        self.assertEqual(self.changes, 1)
        self.resolver.addresses["a.test"] = ["9.9.9.9"]
        self.clock.advance(10)
        self.assertEqual((host.address, self.changes), (IPv4Address("TCP", "9.9.9.9", 80), 2))
        self.assertEqual(self.stats()["host_address_changed"], 2)

    def test_unused(self) -> None:
        """A name that nobody used for host_ttl is gone."""
        cache = self.cache(refreshRate=10.0, hostTTL=25.0)
        cache.ask(A)
        self.clock.advance(10)
        cache.find(A)
        for _ in range(2):
            self.clock.advance(10)
            self.assertIn("num_hosts", self.stats())
        self.clock.advance(10)
        self.assertEqual((list(cache.hosts), self.stats()["host_removed"]), ([], 1))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_full(self) -> None:
        """No room for one more name."""
        cache = self.cache(maxHosts=1)
        cache.ask(A)
        self.assertRaises(CacheFull, cache.ask, HostPort("a.test", 81))
        self.assertEqual(self.stats()["host_overflow"], 1)

    def test_pending(self) -> None:
        """So many may wait, no more."""
        cache = self.cache(maxPending=1)
        self.assertTrue(cache.mayAsk())
        cache.pending.take()
        self.assertFalse(cache.mayAsk())
        self.assertEqual(self.stats()["dns_rq_pending_overflow"], 1)
        self.assertEqual(self.stats()["circuit_breakers.rq_pending_open"], 1)

    def test_literal(self) -> None:
        """An address is its own, where its kind is wanted."""
        cache = self.cache(preresolved=(HostPort("10.0.0.1", 5),))
        cache.start()
        (host,) = cache.hosts
        self.assertEqual(host.address, IPv4Address("TCP", "10.0.0.1", 5))
        self.assertIsNone(cache.ask(HostPort("::1", 5)).address)
        self.assertEqual(self.resolver.asked, [])

    def test_stopped(self) -> None:
        """No timer is left, and no answer changes anything."""
        self.resolver.silent.add("b.test")
        cache = self.cache()
        cache.ask(A)
        host = cache.ask(HostPort("b.test", 1))
        cache.stop()
        self.resolver.speak("b.test")
        self.assertEqual((self.clock.getDelayedCalls(), host.isResolved), ([], False))

    def test_raisingResolver(self) -> None:
        """Its fault is a failure of the name, with a log line."""
        self.resolver.resolve = lambda name, kind: 1 / 0  # type: ignore[assignment,method-assign,return-value]
        host = self.cache().ask(A)
        self.assertEqual(host.failure, "cares_failure")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
