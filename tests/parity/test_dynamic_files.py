"""Clusters and listeners in files of their own."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import ClassVar

from tests.bootstraps import cluster, echo, listener, tcpProxy
from tests.parity.peers import Served
from tests.parity.peers import echo as echoOrigin
from tests.parity.support import ParityTestCase, Side, served
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
