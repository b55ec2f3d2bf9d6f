"""`use_original_dst`: connections go to the listener of the address that they were meant for."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, directResponse, listener, logTo, tcpProxy, typed
from tests.extensions.filters.listener.proxy_protocol.test_config import proxyProtocol
from twisted_envoy.testing import MemoryEnvoy

INSPECTOR = typed("http", "filters.listener.http_inspector.v3.HttpInspector")


def answering(name: str, address: str, **fields: Any) -> dict[str, Any]:
    """A listener that answers with its name, and is not bound itself."""
    log = logTo(f"/{name}", "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS%")
    given = {"bind_to_port": False, "access_log": log, **fields}
    return listener(name, address, directResponse(name), **given)


class HandingOverTests(SynchronousTestCase):
    """As observed on Envoy 1.40."""

    def setUp(self) -> None:
        believing = [proxyProtocol(allow_requests_without_proxy_protocol=True)]
        self.envoy = MemoryEnvoy(
            bootstrap(
                [
                    answering(
                        "front",
                        "127.0.0.1:9000",
                        bind_to_port=True,
                        use_original_dst=True,
                        listener_filters=believing,
                    ),
                    answering("exact", "10.0.0.1:80"),
                    answering("any", "0.0.0.0:80"),
                    answering("looks", "10.0.0.1:81", listener_filters=[INSPECTOR]),
                    answering(
                        "again",
                        "10.0.0.1:82",
                        use_original_dst=True,
                        listener_filters=believing,
                    ),
                    listener("proxy", "10.0.0.1:83", tcpProxy(), bind_to_port=False),
                ],
                [cluster("origin", "127.0.0.1:10000")],
            )
        )

    def answer(self, target: str, more: str = "") -> bytes:
        """Who answers a connection to HOST PORT."""
        client = self.envoy.connect("front")
        host, port = target.split()
        client.write(f"PROXY TCP4 1.2.3.4 {host} 5 {port}\r\n{more}".encode())
        self.envoy.settle()
        self.envoy.settle()
        return client.received

    def test_found(self) -> None:
        """By the whole address, or by its port; its own counters and log have it."""
        self.assertEqual(self.answer("10.0.0.1 80"), b"exact")
        self.assertEqual(self.answer("10.0.0.2 80"), b"any")
        self.assertEqual(self.envoy.lines("/exact"), ["10.0.0.1:80 1.2.3.4:5"])
        self.assertEqual(self.envoy.stat("listener.10.0.0.1_80.downstream_cx_total"), 1)
        self.assertEqual(self.envoy.stats(r"pre_cx_active"), {})

    def test_ownFilters(self) -> None:
        """Its listener filters look at what is left."""
        self.assertEqual(self.answer("10.0.0.1 81", "GET / HTTP/1.1\r\n"), b"looks")
        self.assertEqual(self.envoy.stat("http_inspector.http11_found"), 1)

    def test_once(self) -> None:
        """From there it goes no further."""
        more = "PROXY TCP4 1.2.3.4 10.0.0.1 5 80\r\n"
        self.assertEqual(self.answer("10.0.0.1 82", more), b"again")
        self.assertEqual(self.envoy.lines("/again"), ["10.0.0.1:80 1.2.3.4:5"])

    def test_proxied(self) -> None:
        """A listener whose own connections would be carried takes these as any other does."""
        origin = self.envoy.listen("127.0.0.1:10000")
        self.assertEqual(self.answer("10.0.0.1 83", "hello"), b"")
        self.assertEqual(origin.connections[0].received, b"hello")
        self.assertEqual(self.envoy.stat("listener.10.0.0.1_83.downstream_cx_active"), 1)

    def test_kept(self) -> None:
        """Nobody has that address, or it was not restored."""
        self.assertEqual(self.answer("10.0.0.1 99"), b"front")
        client = self.envoy.connect("front")
        client.write(b"hi")
        self.envoy.settle()
        self.assertEqual(client.received, b"front")
