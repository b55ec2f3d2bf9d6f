"""What balancers that choose by hash have in common."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.load_balancing_policies.hashing import hashedHosts
from tests.extensions.support import configOf
from twisted_envoy.extensions.common.host_hashing import byHostname, hashOf, hostKey, shares
from twisted_envoy.interfaces.upstream import LoadBalancerContext


class HostHashingTests(SynchronousTestCase):
    def test_hostKey(self) -> None:
        """A key of its own, else the hostname if that is wanted, else the address."""
        plain, keyed = hashedHosts((1, 1), 1)
        self.assertEqual(hostKey(plain, False), b"127.0.0.1:19820")
        self.assertEqual(hostKey(plain, True), b"h0")
        self.assertEqual(hostKey(keyed, True), b"key1")
        for other in ("", 5):
            keyed.metadata["envoy.lb"]["hash_key"] = other
            self.assertEqual(hostKey(keyed, True), b"h7")

    def test_shares(self) -> None:
        """Parts of one."""
        self.assertEqual(shares(hashedHosts((1, 2, 5))), [0.125, 0.25, 0.625])

    def test_hashOf(self) -> None:
        """The hash that there is, 0 too; or a random one."""
        self.assertEqual(hashOf(LoadBalancerContext(0), Random(0)), 0)
        source = Random(0)
        self.assertEqual(len({hashOf(LoadBalancerContext(), source) for _ in range(9)}), 9)

    def test_byHostname(self) -> None:
        """False when nothing is said."""
        kind = "envoy.config.cluster.v3.Cluster.CommonLbConfig"
        self.assertFalse(byHostname(None))
        for content, expected in (
            ({}, False),
            ({"consistent_hashing_lb_config": {"use_hostname_for_hashing": True}}, True),
        ):
            config: Any = configOf(kind, content)
            self.assertIs(byHostname(config), expected)
