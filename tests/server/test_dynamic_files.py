"""Clusters and listeners in files of their own, as observed on Envoy 1.40."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.bootstraps import bootstrap, cluster, echo, listener, tcpProxy
from tests.server.refusing import RefusalTestCase
from twisted_envoy.errors import ConfigError, UnsupportedField
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.testing import MemoryEnvoy

TYPES = "type.googleapis.com/envoy.config."
NODE = {"id": "i", "cluster": "c"}


def response(kind: str, *resources: dict[str, Any]) -> str:
    """The text of a DiscoveryResponse."""
    typedOnes = [{"@type": f"{TYPES}{kind}", **one} for one in resources]
    return json.dumps({"version_info": "1", "resources": typedOnes}, indent=1)


CLUSTERS = response("cluster.v3.Cluster", cluster("dyn", "127.0.0.1:1000"))
LISTENERS = response("listener.v3.Listener", listener("in", "127.0.0.1:9000", tcpProxy("dyn")))


class DynamicFilesTests(RefusalTestCase):
    """`cds_config` and `lds_config`."""

    def file(self, text: str) -> str:
        """The path of a file with a text."""
        path = Path(self.mktemp() + ".json").resolve()
        path.write_text(text, "utf-8")
        return str(path)

    def text(self, clusters: str = "", listeners: str = "", **fields: Any) -> str:
        """A bootstrap that names files by path."""
        sources = {"cds_config": clusters, "lds_config": listeners}
        return bootstrap(
            fields.pop("static", []),
            fields.pop("staticClusters", []),
            **{"node": NODE, **fields},
            dynamic_resources={
                name: {"path_config_source": {"path": path}, "resource_api_version": "V3"}
                for name, path in sources.items()
                if path
            },
        )

    def test_used(self) -> None:
        """A listener of one file proxies to a cluster of the other."""
        envoy = MemoryEnvoy(self.text(self.file(CLUSTERS), self.file(LISTENERS)))
        origin = envoy.listen("127.0.0.1:1000")
        envoy.connect("in").write(b"hi")
        envoy.settle()
        self.assertEqual(origin.connections[0].received, b"hi")
        self.assertEqual(
            envoy.stats(r"^(cluster_manager|listener_manager)\.(cds|lds|cluster_added|listener_a)"),
            {
                "cluster_manager.cds.update_attempt": 1,
                "cluster_manager.cds.update_success": 1,
                "cluster_manager.cds.version": 13237225503670494420,
                "cluster_manager.cluster_added": 1,
                "listener_manager.lds.update_attempt": 1,
                "listener_manager.lds.update_success": 1,
                "listener_manager.lds.version": 13237225503670494420,
                "listener_manager.listener_added": 1,
            },
        )
        self.assertTrue(getattr(envoy.server.clusters.get("dyn"), "addedViaAPI", False))

    def test_deprecatedPath(self) -> None:
        """`path` means the same."""
        path = self.file(CLUSTERS)
        text = bootstrap([], node=NODE, dynamic_resources={"cds_config": {"path": path}})
        self.assertEqual(MemoryEnvoy(text).stat("cluster_manager.active_clusters"), 1)

    def test_static(self) -> None:
        """What is in the bootstrap stays as it is."""
        clusters = self.file(CLUSTERS)
        listeners = self.file(
            response("listener.v3.Listener", listener("in", "127.0.0.1:1", echo()))
        )
        envoy = MemoryEnvoy(
            self.text(
                clusters,
                listeners,
                static=[listener("in", "127.0.0.1:9000", tcpProxy("dyn"))],
                staticClusters=[cluster("dyn", "127.0.0.1:2000")],
            )
        )
        origin = envoy.listen("127.0.0.1:2000")
        envoy.connect("in")
        self.assertEqual(len(origin.connections), 1)

    def test_garbage(self) -> None:
        """There is nothing of a file that cannot be read, or has something else in it."""
        for text, stat in (
            ("{", "failure"),
            (LISTENERS, "rejected"),
            ('{"resources":[{"@type":"nope"}]}', "failure"),
        ):
            envoy = MemoryEnvoy(self.text(self.file(text)))
            self.assertEqual(envoy.stat(f"cluster_manager.cds.update_{stat}"), 1)
            self.assertEqual(envoy.stat("cluster_manager.active_clusters"), 0)

    def test_rejected(self) -> None:
        """What is refused leaves the others."""
        bad = {"name": "bad", "type": "STATIC", "lb_policy": "CLUSTER_PROVIDED"}
        text = response("cluster.v3.Cluster", bad, cluster("dyn", "127.0.0.1:1"))
        envoy = MemoryEnvoy(self.text(self.file(text)))
        self.assertEqual(envoy.stat("cluster_manager.cds.update_rejected"), 1)
        self.assertEqual(envoy.stat("cluster_manager.active_clusters"), 1)

    def test_unread(self) -> None:
        """What is not obeyed there is refused as anywhere."""
        text = response(
            "cluster.v3.Cluster",
            cluster("dyn", "127.0.0.1:1", respect_dns_ttl=True, type="STRICT_DNS"),
        )
        self.assertRaises(UnsupportedField, MemoryEnvoy, self.text(self.file(text)))

    def test_notImplemented(self) -> None:
        """Neither is what is not implemented."""
        eds = {"name": "dyn", "type": "EDS", "eds_cluster_config": {"eds_config": {"ads": {}}}}
        text = response("cluster.v3.Cluster", eds)
        self.assertRaises(ConfigError, MemoryEnvoy, self.text(self.file(text)))

    def test_missing(self) -> None:
        """A file that is not there; validating does not look for listeners."""
        text = "paths must refer to an existing path in the system: '/nowhere' does not exist"
        self.assertRefused(self.text("/nowhere"), text)
        self.assertRefused(self.text(listeners="/nowhere"), text)
        options = ServerOptions(mode="Validate")
        MemoryEnvoy(self.text(listeners="/nowhere"), options)

    def test_bareName(self) -> None:
        """A path without a folder cannot be looked at; beside a folder it can."""
        name = "bare.json"
        Path(name).write_text(CLUSTERS, "utf-8")
        self.assertRefused(self.text(name), f"invalid file path {name}")
        source = {"path": name, "watched_directory": {"path": "."}}
        cds = {"path_config_source": source, "resource_api_version": "V3"}
        MemoryEnvoy(bootstrap([], node=NODE, dynamic_resources={"cds_config": cds}))

    def test_node(self) -> None:
        """Who asks has a name."""
        self.assertRefused(
            self.text(self.file(CLUSTERS), node={}),
            "type.googleapis.com/envoy.config.cluster.v3.Cluster: node 'id' and 'cluster' are "
            "required. Set it either in 'node' config or via --service-node and --service-cluster "
            "options.",
        )

    def test_servers(self) -> None:
        """Other sources are refused with their place."""
        text = bootstrap([], node=NODE, dynamic_resources={"cds_config": {"ads": {}}})
        self.assertIn("ads", str(self.assertRaises(UnsupportedField, MemoryEnvoy, text)))

    def test_changed(self) -> None:
        """A change is told, once, and not taken."""
        path = self.file(CLUSTERS)
        envoy = MemoryEnvoy(self.text(path))
        Path(path).write_text(response("cluster.v3.Cluster") + "\n", "utf-8")
        os.utime(path, (1, 1))
        look = envoy.server
        lines: list[str] = []
        from twisted.logger import formatEvent, globalLogPublisher

        def observe(event: Any) -> None:
            text = formatEvent(event)
            if "has changed" in text:
                lines.append(text)

        globalLogPublisher.addObserver(observe)
        try:
            envoy.advance(5)
        finally:
            globalLogPublisher.removeObserver(observe)
        self.assertEqual(lines, [f"{path} has changed; it is read at the start only"])
        self.assertEqual(look.store.value("cluster_manager.active_clusters"), 1)
