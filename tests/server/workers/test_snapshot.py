"""Tests for `twisted_envoy.server.workers.snapshot`."""

from __future__ import annotations

import json

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.server.workers.crew import build
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.server.workers.snapshot import addressFrom, addressWords, snapshotOf, statsOf
from twisted_envoy.stats.scope import Store


class SnapshotTests(SynchronousTestCase):
    """What a worker says."""

    def test_whole(self) -> None:
        """It goes through JSON and stays what it was."""
        found = snapshotOf(build(Clock()))
        self.assertEqual(json.loads(json.dumps(found)).keys(), found.keys())
        (host,) = found["clusters"]["origin"]["hosts"]
        self.assertEqual(host["address"], ["4", "127.0.0.1", 9])
        self.assertEqual((host["weight"], host["healthFlags"]), (1, "healthy"))

    def test_used(self) -> None:
        """What was never written is not said."""
        store = Store()
        store.counter("a").value += 2
        store.counter("b")
        store.gauge("c").value = 3
        store.textReadout("d").value = "x"
        store.textReadout("e")
        store.histogram("f", "ms").record(15)
        store.histogram("g")
        store.merge()
        self.assertEqual(
            statsOf(store),
            {
                "counters": {"a": 2},
                "gauges": {"c": 3},
                "texts": {"d": "x"},
                "histograms": {"f": ["ms", [(15.0, 1)], [(15.0, 1)]]},
            },
        )

    def test_addresses(self) -> None:
        """All kinds come back."""
        for address in (
            IPv4Address("TCP", "1.2.3.4", 5),
            IPv6Address("TCP", "::1", 5),
            UNIXAddress(b"/a/\xff"),
            UNIXAddress(b"\0abstract"),
            InternalAddress("name", "id"),
        ):
            self.assertEqual(addressFrom(json.loads(json.dumps(addressWords(address)))), address)
