"""The HTTP inspector in a bootstrap."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, directResponse, listener, typed
from twisted_envoy.testing import MemoryEnvoy

INSPECTOR = typed("http", "filters.listener.http_inspector.v3.HttpInspector")


def chain(answer: str, *protocols: str) -> dict[str, Any]:
    """A filter chain that says its name."""
    match = {"application_protocols": list(protocols)}
    return {"filter_chain_match": match, "filters": [directResponse(answer)]}


TEXT = bootstrap(
    [
        listener(
            "l",
            "127.0.0.1:9000",
            listener_filters=[INSPECTOR],
            filter_chains=[chain("one", "http/1.0", "http/1.1"), chain("two", "h2c")],
            default_filter_chain={"filters": [directResponse("other")]},
        )
    ]
)


class HTTPInspectorFactoryTests(SynchronousTestCase):
    """A running server."""

    def test_chains(self) -> None:
        """Filter chains match what was found, however the bytes come."""
        envoy = MemoryEnvoy(TEXT)
        for data, expected in (
            (b"GET / HTTP/1.1\r\n", b"one"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"two"),
            (b"\x01\x02", b"other"),
        ):
            for cut in range(1, len(data)):
                client = envoy.connect("127.0.0.1:9000")
                client.write(data[:cut])
                envoy.settle()
                client.write(data[cut:])
                envoy.settle()
                self.assertEqual(client.received, expected, (data, cut))
        self.assertEqual(envoy.stat("http_inspector.http2_found"), 23)
