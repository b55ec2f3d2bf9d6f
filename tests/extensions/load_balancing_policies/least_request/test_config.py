"""Least request's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.load_balancing_policies.hosts import hosts, picks
from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.load_balancing_policies.least_request import factories
from twisted_envoy.extensions.load_balancing_policies.least_request.balancer import (
    LeastRequestSettings,
)


class FactoryTests(SynchronousTestCase):
    def setUp(self):
        (self.factory,) = factories

        self.context = Context()

    def settings(self, **fields):
        self.config = configOf(self.factory.typeURL, fields)
        return self.factory.build(self.config, self.context)([])._settings

    def fromCluster(self, **fields):
        content = {"name": "c", "least_request_lb_config": fields} if fields else {"name": "c"}
        self.config = configOf("envoy.config.cluster.v3.Cluster", content)
        return self.factory.buildFromCluster(self.config, Context())([])._settings

    def test_defaults(self):
        """Two looks, and load counts as it is."""
        wanted = LeastRequestSettings(2, False, 1.0)
        self.assertEqual(self.settings(), wanted)
        self.assertEqual(self.fromCluster(), wanted)

    def test_obeyedFields(self):
        """Typed, and in the old place."""
        bias = {"default_value": 0.5, "runtime_key": "k"}
        wanted = LeastRequestSettings(5, True, 0.5)
        self.assertEqual(
            self.settings(choice_count=5, selection_method="FULL_SCAN", active_request_bias=bias),
            wanted,
        )
        self.assertEqual(unreadFields(self.config), [])
        self.assertEqual(
            self.fromCluster(choice_count=5, active_request_bias=bias),
            LeastRequestSettings(5, False, 0.5),
        )
        self.assertEqual(unreadFields(self.config), ["name"])

    def test_enableFullScan(self):
        """The old field goes before the new one."""
        self.assertTrue(self.settings(enable_full_scan=True).fullScan)
        self.assertFalse(
            self.settings(enable_full_scan=False, selection_method="FULL_SCAN").fullScan
        )

    def test_badBias(self):
        """Below 0 it is 1."""
        self.assertEqual(self.settings(active_request_bias={"default_value": -1}).bias, 1.0)

    def test_biasOfTheRuntime(self):
        """Goes before the default."""
        self.context.runtime.values["lb.bias"] = 3.0
        bias = {"default_value": 0.5, "runtime_key": "lb.bias"}
        self.assertEqual(self.settings(active_request_bias=bias).bias, 3.0)

    def test_unsupportedFields(self):
        """Are left to be reported."""
        content = {
            "slow_start_config": {"slow_start_window": "1s"},
            "locality_lb_config": {"locality_weighted_lb_config": {}},
        }
        self.settings(**content)
        self.assertEqual(sorted(unreadFields(self.config)), sorted(content))

    def test_balances(self):
        """What is made picks hosts."""
        make = self.factory.build(configOf(self.factory.typeURL), Context())
        self.assertEqual(set(picks(make(hosts(1, 1)), 50)), {"a", "b"})
