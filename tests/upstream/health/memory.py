"""A bootstrap with one checked cluster, in memory; origins that answer requests."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import addressOf, bootstrap, listener, tcpProxy
from twisted_envoy.testing import MemoryEnvoy, Peer

TIMES = {
    "timeout": "1s",
    "interval": "10s",
    "no_traffic_interval": "10s",
    "unhealthy_threshold": 2,
    "healthy_threshold": 2,
}
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
ILL = b"HTTP/1.1 503 Ill\r\ncontent-length: 0\r\n\r\n"


class HTTPOrigin(Factory):
    """Says the same to every request; None: nothing."""

    noisy = False

    def __init__(self, answer: bytes | None = OK) -> None:
        self.answer = answer
        self.connections: list[Peer] = []

    def buildProtocol(self, addr: Any) -> Peer:
        origin = self

        class Connection(Peer):
            def dataReceived(self, data: bytes) -> None:
                super().dataReceived(data)
                if origin.answer is not None:
                    self.write(origin.answer)

        peer = Connection()
        self.connections.append(peer)
        return peer

    @property
    def received(self) -> list[bytes]:
        return [peer.received for peer in self.connections]


class CheckedTestCase(SynchronousTestCase):
    """Cluster `c` of hosts 10.0.0.1:80, 10.0.0.2:80, ... behind a TCP listener `l`."""

    def text(self, check: dict[str, Any], hosts: int = 1, **fields: Any) -> str:
        endpoint: dict[str, Any] = fields.pop("endpoint", {})
        endpoints = [
            {"endpoint": {"address": addressOf(f"10.0.0.{number}:80"), **endpoint}}
            for number in range(1, hosts + 1)
        ]
        made = {
            "name": "c",
            "load_assignment": {
                "cluster_name": "c",
                "endpoints": [{"lb_endpoints": fields.pop("endpoints", endpoints)}],
            },
            "health_checks": [{**TIMES, **check}],
            **fields,
        }
        more = [listener("l", "127.0.0.1:9000", tcpProxy("c"))]
        return bootstrap(more, [made])

    def start(self, check: dict[str, Any], hosts: int = 1, **fields: Any) -> MemoryEnvoy:
        self.envoy = MemoryEnvoy(self.text(check, hosts, **fields))
        return self.envoy

    def flags(self) -> list[str]:
        """Of all hosts."""
        cluster: Any = self.envoy.server.clusters.get("c")
        return [host.healthFlags for host in cluster.hosts]

    def counts(self) -> dict[str, int]:
        """`health_check.*` that are not 0."""
        prefix = "cluster.c.health_check."
        found = self.envoy.stats(prefix.replace(".", r"\."))
        return {name.removeprefix(prefix): value for name, value in found.items()}
