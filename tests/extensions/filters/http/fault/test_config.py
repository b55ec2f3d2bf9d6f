"""The fault filter's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.filters.http.fault import factories
from twisted_envoy.extensions.filters.http.fault.filter import Fault
from twisted_envoy.interfaces.http import IHTTPFilterFactory

FULL = {
    "delay": {"fixed_delay": "1s", "percentage": {"numerator": 1}},
    "abort": {"http_status": 500, "response_body": "x", "percentage": {"numerator": 1}},
    "response_rate_limit": {"fixed_limit": {"limit_kbps": 1}, "percentage": {"numerator": 1}},
    "upstream_cluster": "c",
    "headers": [{"name": "a"}],
    "downstream_nodes": ["n"],
    "max_active_faults": 3,
    "delay_percent_runtime": "k1",
    "abort_percent_runtime": "k2",
    "delay_duration_runtime": "k3",
    "abort_http_status_runtime": "k4",
    "max_active_faults_runtime": "k5",
    "response_rate_limit_percent_runtime": "k6",
    "abort_grpc_status_runtime": "k7",
    "disable_downstream_cluster_stats": True,
    "filter_metadata": {"a": 1},
}


class FactoryTests(SynchronousTestCase):
    def test_everyFieldIsRead(self) -> None:
        """Of the filter and of routes."""
        (factory,) = factories
        self.assertTrue(IHTTPFilterFactory.providedBy(factory))
        for fields in (FULL, {}, {"abort": {"grpc_status": 3}, "delay": {"header_delay": {}}}):
            config = configOf(factory.typeURL, fields)
            self.assertIsInstance(factory.build(config, Context())(), Fault)
            self.assertEqual(unreadFields(config), [])
