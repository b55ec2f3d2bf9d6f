"""Tests of twisted_envoy.config.record."""

from twisted.trial.unittest import SynchronousTestCase

from tests.config.support import TCP_PROXY, decode
from twisted_envoy.config.record import Record, Sealed
from twisted_envoy.errors import Position

TEXT = f"""\
static_resources:
  listeners:
  - name: a
  - name: b
    filter_chains:
    - filters:
      - name: f
        typed_config:
          '@type': {TCP_PROXY}
          stat_prefix: x
          cluster: z
  clusters:
  - name: c
    metadata: {{filter_metadata: {{m: {{}}}}}}
    typed_extension_protocol_options: {{k: {{'@type': {TCP_PROXY}}}}}
"""


class RecordTests(SynchronousTestCase):
    """Where things are."""

    def setUp(self) -> None:
        self.root = decode(TEXT)
        resources = self.root.entries["static_resources"][2]
        assert isinstance(resources, Record)
        self.listener = resources.entries["listeners"][2][1]
        self.cluster = resources.entries["clusters"][2][0]

    def test_paths(self) -> None:
        """Lists by number, maps by key, Anys as the field that holds them."""
        chain = self.listener.entries["filter_chains"][2][0]
        holder = chain.entries["filters"][2][0].entries["typed_config"][2]
        path = "static_resources.listeners[1].filter_chains[0].filters[0].typed_config"
        self.assertEqual(holder.path, path)
        self.assertEqual(holder.content.pathOf("cluster"), f"{path}.cluster")
        below = self.cluster.entries["typed_extension_protocol_options"][2]["k"]
        self.assertEqual(
            below.path, "static_resources.clusters[0].typed_extension_protocol_options[k]"
        )
        self.assertEqual((self.root.path, self.root.pathOf("node")), ("", "node"))

    def test_positions(self) -> None:
        """A field that is set has its key's place, another its message's, or its parent's."""
        self.assertEqual(self.listener.position("name"), Position("t.yaml", 4, 5))
        self.assertEqual(self.listener.position("metadata"), Position("t.yaml", 4, 5))
        lost = Record(
            self.root.plan, self.root.message, None, self.listener, "", None, self.root.source
        )
        self.assertEqual(lost.position(), Position("t.yaml", 4, 5))
        lost.parent = None
        self.assertIsNone(lost.position())

    def test_error(self) -> None:
        """Position, path and problem in one."""
        self.assertEqual(
            str(self.listener.error("is odd", "name")),
            "t.yaml:4:5: static_resources.listeners[1].name: is odd",
        )

    def test_sealed(self) -> None:
        """What is sealed refuses every use."""
        sealed = Sealed()
        for use in (lambda: "a" in sealed, lambda: sealed["a"], lambda: sealed.get("a")):
            self.assertRaises(RuntimeError, use)
