"""The config of internal_upstream."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, echo, listener, tcpProxy
from twisted_envoy.errors import ConfigError
from twisted_envoy.testing import MemoryEnvoy

PREFIX = "type.googleapis.com/envoy.extensions.transport_sockets."
RAW = {"name": "raw", "typed_config": {"@type": PREFIX + "raw_buffer.v3.RawBuffer"}}


def internalUpstream(*sources, **fields):
    """The transport socket around raw_buffer."""
    typed = {
        "@type": PREFIX + "internal_upstream.v3.InternalUpstreamTransport",
        "transport_socket": RAW,
        "passthrough_metadata": list(sources),
        **fields,
    }
    return {"name": "envoy.transport_sockets.internal_upstream", "typed_config": typed}


def hop(*sources, **fields):
    """A bootstrap with one cluster `hop` that has the socket."""
    return bootstrap(
        [
            listener("ingress", "127.0.0.1:9000", tcpProxy("hop")),
            listener("hop", "internal:", echo()),
        ],
        [cluster("hop", "internal:hop", transport_socket=internalUpstream(*sources), **fields)],
    )


class ConfigTests(SynchronousTestCase):
    """What it accepts."""

    def test_kinds(self):
        """host and cluster."""
        kinds = [{"kind": {kind: {}}, "name": "n"} for kind in ("host", "cluster")]
        envoy = MemoryEnvoy(hop(*kinds))
        self.assertEqual(envoy.stat("cluster.hop.internal_upstream.no_metadata"), 0)
        envoy.connect("ingress")
        self.assertEqual(envoy.stat("cluster.hop.internal_upstream.no_metadata"), 2)

    def test_otherKinds(self):
        """request and route are refused in Envoy's words, with the place."""
        for kind in ("request", "route"):
            with self.assertRaises(ConfigError) as caught:
                MemoryEnvoy(hop({"kind": {kind: {}}, "name": "n"}))
            problem = caught.exception
            self.assertIn(f"metadata type is not supported: {kind} {{", problem.problem)
            self.assertIn("passthrough_metadata[0]", problem.path)
            self.assertEqual(problem.position.file, "<bootstrap>")

    def test_noInner(self):
        """A nested socket is necessary."""
        socket = internalUpstream()
        del socket["typed_config"]["transport_socket"]
        text = bootstrap([], [cluster("hop", "internal:hop", transport_socket=socket)])
        self.assertRaises(ConfigError, MemoryEnvoy, text)
