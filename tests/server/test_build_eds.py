"""Hosts in files of their own, as observed on Envoy 1.40."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.bootstraps import addressOf, bootstrap, listener, tcpProxy
from tests.server.refusing import RefusalTestCase
from tests.server.test_dynamic_files import NODE, response
from twisted_envoy.errors import ConfigError, UnsupportedField
from twisted_envoy.testing import MemoryEnvoy

KIND = "endpoint.v3.ClusterLoadAssignment"


def assignment(name: str, *addresses: str, **fields: Any) -> dict[str, Any]:
    """A ClusterLoadAssignment of these endpoints."""
    hosts = [{"endpoint": {"address": addressOf(address)}} for address in addresses]
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": hosts}], **fields}


def eds(name: str, path: str, service: str = "") -> dict[str, Any]:
    """A cluster whose hosts stand in a file."""
    source = {"path_config_source": {"path": path}, "resource_api_version": "V3"}
    config: dict[str, Any] = {"eds_config": source}
    if service:
        config["service_name"] = service
    return {"name": name, "type": "EDS", "eds_cluster_config": config}


class FileTests(RefusalTestCase):
    """`type: EDS` by path."""

    def file(self, *found: dict[str, Any]) -> str:
        """The path of a file with these resources."""
        path = Path(self.mktemp() + ".json").resolve()
        path.write_text(response(KIND, *found), "utf-8")
        return str(path)

    def start(self, *found: dict[str, Any], service: str = "") -> MemoryEnvoy:
        """Run a proxy to such a cluster."""
        made = eds("c", self.file(*found), service)
        return MemoryEnvoy(
            bootstrap([listener("in", "127.0.0.1:9000", tcpProxy("c"))], [made], node=NODE)
        )

    def test_hosts(self) -> None:
        """Under the cluster's name, or the service's."""
        for service in ("", "s"):
            envoy = self.start(assignment(service or "c", "127.0.0.1:1"), service=service)
            origin = envoy.listen("127.0.0.1:1")
            envoy.connect("in").write(b"hi")
            envoy.settle()
            self.assertEqual(origin.connections[0].received, b"hi")
            self.assertEqual(envoy.stat("cluster.c.update_success"), 1)
            self.assertEqual(envoy.stat("cluster.c.membership_total"), 1)

    def test_internal(self) -> None:
        """Internal endpoints, which need no name server."""
        made = eds("c", self.file(assignment("c", "internal:inner/id")))
        origin = {"name": "origin", "load_assignment": assignment("origin", "127.0.0.1:1")}
        envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener("in", "127.0.0.1:9000", tcpProxy("c")),
                    listener("inner", "internal:", tcpProxy()),
                ],
                [made, origin],
                node=NODE,
            )
        )
        peer = envoy.listen("127.0.0.1:1")
        envoy.connect("in").write(b"hi")
        envoy.settle()
        self.assertEqual(peer.connections[0].received, b"hi")

    def test_rejected(self) -> None:
        """Another name, two of them, a wrong address: no hosts."""
        one = assignment("c", "127.0.0.1:1")
        for found in ([assignment("d", "127.0.0.1:1")], [one, one], [assignment("c", "nope:1")]):
            envoy = self.start(*found)
            self.assertEqual(envoy.stat("cluster.c.update_rejected"), 1)
            self.assertEqual(envoy.stat("cluster.c.membership_total"), 0)

    def test_empty(self) -> None:
        """Nothing in it is no mistake."""
        envoy = self.start()
        self.assertEqual(envoy.stat("cluster.c.update_empty"), 1)
        self.assertEqual(envoy.stat("cluster.c.update_success"), 1)

    def test_unread(self) -> None:
        """What is not obeyed there is refused as anywhere."""
        found = assignment("c", "127.0.0.1:1", policy={"drop_overloads": [{"category": "x"}]})
        self.assertRaises(UnsupportedField, self.start, found)

    def test_refused(self) -> None:
        """No such file; no node to ask as; no source."""
        path = self.file()
        for made, fields, problem in (
            (eds("c", "/nowhere/x"), {"node": NODE}, "'/nowhere/x' does not exist"),
            (eds("c", path), {}, "node 'id' and 'cluster' are required"),
        ):
            with self.assertRaises(ConfigError) as caught:
                MemoryEnvoy(bootstrap([], [made], **fields))
            self.assertIn(problem, caught.exception.problem)
