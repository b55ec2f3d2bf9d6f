"""Tests for twisted_envoy.server.lint.tunnels."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, listener, setFilterState, tcpProxy, typed
from tests.extensions.common.test_hop_switches import passing, switched
from tests.extensions.common.tls.pki import Authority
from tests.server.lint.support import at, linted, problems

SERVER = Authority().issue("server.test")
METADATA = "%DYNAMIC_METADATA(ns:host)%:443"
STATE = "%FILTER_STATE(k:PLAIN)%:443"


class HostnameTests(SynchronousTestCase):
    """Hostnames of tunnels."""

    def text(self, hostname: str, *before: Any, **fields: Any) -> str:
        """A hop that tunnels."""
        socket = fields.pop("socket", passing())
        own = fields.pop("own", [])
        tunnel = tcpProxy("origin", "hop", tunneling_config={"hostname": hostname})
        inspectors = fields.pop("listener_filters", [])
        return bootstrap(
            [
                listener("in", "127.0.0.1:9000", *before, tcpProxy("hop")),
                listener("hop", "internal:", *own, tunnel, listener_filters=inspectors),
            ],
            [
                cluster("hop", "internal:hop", transport_socket=socket),
                cluster("origin", "127.0.0.1:1"),
            ],
            **fields,
        )

    def test_ofRequests(self) -> None:
        """A connection has no request."""
        text = self.text("%REQ(:authority)%")
        (problem,) = linted(text)
        self.assertIn("asks for %REQ%, which only HTTP requests have", problem.problem)
        self.assertTrue(at(text, problem).startswith('"hostname"'))

    def test_serverName(self) -> None:
        """Somebody must have read it."""
        inspector = typed("tls", "filters.listener.tls_inspector.v3.TlsInspector")
        name = "%REQUESTED_SERVER_NAME%:443"
        self.assertEqual(len(problems(self.text(name))), 1)
        self.assertEqual(problems(self.text(name, listener_filters=[inspector])), [])

    def test_certificates(self) -> None:
        """Only TLS has one."""
        name = "%DOWNSTREAM_PEER_URI_SAN%:443"
        (problem,) = problems(self.text(name))
        self.assertIn("%DOWNSTREAM_PEER_URI_SAN%, which only connections with TLS have", problem)
        context = {"common_tls_context": {"tls_certificates": [SERVER.config]}}
        tls = typed("tls", "transport_sockets.tls.v3.DownstreamTlsContext", **context)
        tunnel = tcpProxy("origin", tunneling_config={"hostname": name})
        chains = [{"filters": [tunnel], "transport_socket": tls}]
        made = listener("in", "127.0.0.1:9000", filter_chains=chains)
        self.assertEqual(problems(bootstrap([made], [cluster("origin", "127.0.0.1:1")])), [])

    def test_filterState(self) -> None:
        """Set here, or there and shared."""
        shared = setFilterState("k", "v", "ONCE")
        self.assertEqual(len(problems(self.text(STATE))), 1)
        self.assertEqual(len(problems(self.text(STATE, setFilterState("k", "v")))), 1)
        self.assertEqual(problems(self.text(STATE, shared)), [])
        self.assertEqual(problems(self.text(STATE, own=[setFilterState("k", "v")])), [])

    def test_metadata(self) -> None:
        """Passed by the socket, or by the switch that passes everything."""
        self.assertEqual(len(problems(self.text(METADATA))), 1)
        self.assertEqual(problems(self.text(METADATA, socket=passing(("host", "ns")))), [])
        self.assertEqual(problems(self.text(METADATA, **switched(pass_dynamic_metadata=True))), [])

    def test_unknownFilters(self) -> None:
        """A filter that nobody knows may set anything; Envoy's own keys may come from anywhere."""
        struct = {"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "type_url": "x/a.B"}
        other = {"name": "x", "typed_config": struct}
        self.assertEqual(problems(self.text(STATE, own=[other])), [])
        self.assertEqual(problems(self.text(METADATA, own=[other])), [])
        self.assertEqual(problems(self.text("%FILTER_STATE(envoy.x:PLAIN)%")), [])

    def test_right(self) -> None:
        """Constants, addresses, and what cannot be parsed, which is an error elsewhere."""
        for hostname in ("a.com:443", "%DOWNSTREAM_LOCAL_ADDRESS%", "%"):
            self.assertEqual(problems(self.text(hostname)), [])
