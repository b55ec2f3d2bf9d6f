"""Clusters by server name, as observed on Envoy 1.40."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import cluster, tcpProxy, typed
from tests.extensions.clusters.dynamic_forward_proxy.support import serving
from tests.extensions.filters.network.sni_dynamic_forward_proxy.test_filter import (
    INSPECTOR,
    hello,
)

SNI = typed("sni", "filters.network.sni_cluster.v3.SniCluster")


class SNIClusterTests(SynchronousTestCase):
    """Before a TCP proxy to `plain`."""

    def test_chosen(self) -> None:
        """The cluster of the name; without a name the config's; none of an unknown one."""
        clusters = [cluster("a.test", "10.0.0.1:1"), cluster("plain", "10.0.0.1:2")]
        envoy = serving(SNI, tcpProxy("plain"), clusters=clusters, listener_filters=[INSPECTOR])
        one, two = envoy.listen("10.0.0.1:1"), envoy.listen("10.0.0.1:2")
        for name in ("a.test", None, "b.test"):
            client = envoy.connect("in")
            client.write(hello(name))
            envoy.settle()
        self.assertEqual((len(one.connections), len(two.connections)), (1, 1))
        self.assertEqual(envoy.stat("tcp.tcp.downstream_cx_no_route"), 1)
