"""Tests for `twisted_envoy.server.admin.field_mask`."""

from __future__ import annotations

from typing import Any

from tests.server.admin.support import PageTestCase
from twisted_envoy.server.admin.field_mask import FieldMaskError, trim, trimElement


class TrimTests(PageTestCase):
    """Masks on messages."""

    def bootstrap(self) -> Any:
        """A copy of the bootstrap's message."""
        made = self.kit.new("envoy.config.bootstrap.v3.Bootstrap")
        made.CopyFrom(self.server.bootstrap.message)
        return made

    def test_keepsOnlyWhatIsNamed(self) -> None:
        """Everything else is gone."""
        made = self.bootstrap()
        trim(made, ["node.locality.zone", "static_resources.clusters"])
        self.assertEqual(
            [field.name for field, _ in made.ListFields()], ["node", "static_resources"]
        )
        self.assertEqual(made.node.locality.zone, "z")
        self.assertEqual((made.node.id, made.node.locality.region), ("", ""))
        self.assertEqual(len(made.static_resources.clusters), 2)

    def test_wholeWinsOverPart(self) -> None:
        """A path that names a whole message keeps it whole, in either order."""
        for paths in (["node", "node.id"], ["node.id", "node"]):
            made = self.bootstrap()
            trim(made, paths)
            self.assertEqual((made.node.id, made.node.cluster), ("n1", "c1"))

    def test_wrongPaths(self) -> None:
        """Unknown names, ways through lists and through scalars; nothing is changed."""
        for path in ("nope", "node.nope", "static_resources.clusters.name", "node.id.x", ""):
            made = self.bootstrap()
            self.assertRaises(FieldMaskError, trim, made, ["node", path])
            self.assertEqual(made, self.server.bootstrap.message)

    def test_intoAny(self) -> None:
        """An element's mask may look into an Any."""
        made = self.kit.new("envoy.admin.v3.ListenersConfigDump.StaticListener")
        made.listener.Pack(self.bootstrap().static_resources.listeners[0])
        made.last_updated.seconds = 5
        trimElement(self.kit, made, ["listener.name"])
        content = self.kit.new("envoy.config.listener.v3.Listener")
        made.listener.Unpack(content)
        self.assertEqual(content, type(content)(name="ingress"))
        self.assertFalse(made.HasField("last_updated"))
        self.assertRaises(FieldMaskError, trimElement, self.kit, made, ["listener.nope"])
