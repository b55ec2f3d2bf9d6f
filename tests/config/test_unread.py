"""Tests of twisted_envoy.config.unread."""

from twisted.trial.unittest import SynchronousTestCase

from tests.config.support import TCP_PROXY, load
from twisted_envoy.config.bootstrap import loadBootstrap
from twisted_envoy.config.unread import reportUnread, seal, unread
from twisted_envoy.errors import Position, UnsupportedField

TEXT = f"""\
static_resources:
  clusters:
  - name: c
    ignore_health_on_host_removal: false
    circuit_breakers:
      thresholds: [{{max_connections: 1}}]
  listeners:
  - name: l
    filter_chains:
    - filters:
      - name: f
        typed_config:
          '@type': {TCP_PROXY}
          stat_prefix: p
          cluster: c
node: {{id: a, metadata: {{b: 1}}}}
"""


class UnreadTests(SynchronousTestCase):
    """What nobody asked for."""

    def test_nothingRead(self) -> None:
        """Below what was not read nothing more is listed."""
        names = [one.fieldName for one in unread(load(TEXT))]
        self.assertEqual(names, ["static_resources", "node"])

    def test_inOrderOfTheText(self) -> None:
        """Each field by itself, an explicit false too, in the order of the text."""
        read = load(TEXT)
        resources = read.static_resources
        self.assertTrue(all(one.name for one in (*resources.listeners, *resources.clusters)))
        for listener in resources.listeners:
            self.assertEqual(listener.filter_chains[0].filters[0].name, "f")
        found = unread(read)
        self.assertEqual(
            [one.path for one in found],
            [
                "static_resources.clusters[0].ignore_health_on_host_removal",
                "static_resources.clusters[0].circuit_breakers",
                "static_resources.listeners[0].filter_chains[0].filters[0].typed_config",
                "node",
            ],
        )
        self.assertEqual(found[0].position, Position("--config-yaml", 4, 5))
        self.assertEqual(found[0].kind, "bool")

    def test_insideOfAnys(self) -> None:
        """An Any that was looked at and not opened is listed; an opened one field by field."""
        read = load(TEXT)
        filter = read.static_resources.listeners[0].filter_chains[0].filters[0]
        holder = filter.typed_config
        paths = [one.path for one in unread(read)]
        self.assertIn(
            "static_resources.listeners[0].filter_chains[0].filters[0].typed_config", paths
        )
        self.assertEqual(holder.open().stat_prefix, "p")
        paths = [one.path for one in unread(read) if "typed_config" in one.path]
        self.assertEqual(
            paths,
            ["static_resources.listeners[0].filter_chains[0].filters[0].typed_config.cluster"],
        )

    def test_maps(self) -> None:
        """Messages in maps are looked into; Structs are one leaf."""
        read = load("node: {metadata: {a: {b: 1}}, dynamic_parameters: {k: {params: {x: z}}}}")
        self.assertEqual(read.node.metadata, {"a": {"b": 1}})
        self.assertEqual(list(read.node.dynamic_parameters), ["k"])
        self.assertEqual([one.path for one in unread(read)], ["node.dynamic_parameters[k].params"])

    def test_report(self) -> None:
        """As errors, ready to be shown."""
        found = reportUnread(load("node: {id: a}"))
        self.assertIsInstance(found[0], UnsupportedField)
        self.assertEqual(
            str(found[0]),
            "--config-yaml:1:1: node: 'node' (message envoy.config.core.v3.Node) is set, and "
            "twisted_envoy does not obey it here",
        )

    def test_twoTexts(self) -> None:
        """Texts in the order in which they were first met."""
        import os

        path = self.mktemp()
        os.mkdir(path)
        path = os.path.join(path, "z.yaml")
        with open(path, "w") as stream:
            stream.write("node: {id: a}\nadmin: {}\n")
        read, _ = loadBootstrap([path], "stats_flush_interval: 5s\nnode: {cluster: b}")
        self.assertEqual(read.node.id, "a")
        self.assertEqual(
            sorted(one.fieldName for one in unread(read)),
            ["admin", "cluster", "stats_flush_interval"],
        )

    def test_emptyAny(self) -> None:
        """An empty Any has nothing to be read."""
        read = load("bootstrap_extensions: [{name: a, typed_config: {}}]")
        one = read.bootstrap_extensions[0]
        self.assertEqual((one.name, one.typed_config.typeURL), ("a", ""))
        self.assertEqual(unread(read), [])


class SealTests(SynchronousTestCase):
    """After build, views are done."""

    def test_seal(self) -> None:
        """Sealing says what was not read; reading after that is a fault of the reader."""
        read = load(TEXT)
        filter = read.static_resources.listeners[0].filter_chains[0].filters[0]
        config = filter.typed_config.open()

        left = seal(read)

        self.assertEqual(len(left), 6)
        for use in (
            lambda: read.node,
            lambda: config.stat_prefix,
            lambda: config.has("cluster"),
            lambda: read.static_resources,
        ):
            self.assertRaises(RuntimeError, use)
