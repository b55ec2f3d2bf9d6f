"""Clusters and listeners in files of their own."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import ClassVar

from tests.bootstraps import cluster, echo, listener, logTo, tcpProxy
from tests.parity.peers import Served
from tests.parity.peers import echo as echoOrigin
from tests.parity.support import ParityTestCase, Side, served
from tests.server.test_build_eds import assignment, eds
from tests.server.test_dynamic_files import NODE, response


class DynamicFilesTests(ParityTestCase):
    """One bad resource in each file."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": echoOrigin}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        folder = Path(mkdtemp())
        bad = {"name": "bad", "type": "STATIC", "lb_policy": "CLUSTER_PROVIDED"}
        good = cluster("dyn", f"127.0.0.1:{ports['origin']}")
        (folder / "clusters.json").write_text(response("cluster.v3.Cluster", good, bad), "utf-8")
        (folder / "listeners.json").write_text(
            response(
                "listener.v3.Listener",
                listener("in", "127.0.0.1:0", tcpProxy("dyn")),
                listener("bad", "127.0.0.1:0"),
                listener("echo", "127.0.0.1:0", echo()),
            ),
            "utf-8",
        )
        return served(
            [],
            node=NODE,
            dynamic_resources={
                f"{name}ds_config": {"path_config_source": {"path": str(folder / file)}}
                for name, file in (("c", "clusters.json"), ("l", "listeners.json"))
            },
        )

    def test_served(self) -> None:
        """What is good is there."""

        def scenario(side: Side) -> object:
            got = []
            for name in ("in", "echo"):
                client = side.connect(name)
                client.send(b"hi")
                got.append(client.receive(2))
                client.close()
            return got

        names = "update_(attempt|success|failure|rejected)|_added|active$|active_clusters"
        self.same(scenario, rf"^(cluster|listener)_manager\..*({names})")


class EndpointFilesTests(ParityTestCase):
    """Hosts in files: of an internal listener, and what is refused or empty."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": echoOrigin}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        folder = Path(mkdtemp())
        origin = f"127.0.0.1:{ports['origin']}"
        files = {
            "hop": [assignment("hop", "internal:inner/e")],
            "named": [assignment("service", origin)],
            "other": [assignment("nobody", origin)],
            "empty": [],
            "two": [assignment("two", origin), assignment("two", origin)],
            "wrong": [assignment("wrong", "nope:1")],
        }
        clusters = [cluster("origin", origin)]
        listeners = [listener("inner", "internal:", tcpProxy())]
        for name, found in files.items():
            path = folder / f"{name}.json"
            path.write_text(response("endpoint.v3.ClusterLoadAssignment", *found), "utf-8")
            clusters.append(eds(name, str(path), "service" if name == "named" else ""))
            log = logTo(f"{name}.log", "%RESPONSE_FLAGS% %UPSTREAM_HOST%")
            listeners.append(listener(f"{name}In", "127.0.0.1:0", tcpProxy(name), access_log=log))
        return served(listeners, clusters, node=NODE)

    def test_all(self) -> None:
        """Bytes, logs and stats."""
        for name in ("hop", "named", "other", "empty", "two", "wrong"):

            def scenario(side: Side, name: str = name) -> object:
                client = side.connect(f"{name}In")
                client.end()
                return client.rest()[0]

            names = "update_(attempt|success|failure|rejected|empty)|membership|version"
            self.same(scenario, rf"^cluster\.{name}\.({names})", f"{name}.log")
