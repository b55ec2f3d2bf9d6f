"""Tests for `twisted_envoy.server.admin.json_text`."""

from __future__ import annotations

from twisted.internet.address import IPv6Address, UNIXAddress

from tests.server.admin.support import PageTestCase
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.server.admin.json_text import isRepeated


class MessageKitTests(PageTestCase):
    """Messages as JSON."""

    def test_addresses(self) -> None:
        """Each kind of address."""
        for address, value in (
            (
                IPv6Address("TCP", "::1", 5),
                {"socket_address": {"address": "::1", "port_value": 5}},
            ),
            (UNIXAddress("/a"), {"pipe": {"path": "/a"}}),
            (UNIXAddress("\0a"), {"pipe": {"path": "@a"}}),
            (
                InternalAddress("n", "e"),
                {"envoy_internal_address": {"server_listener_name": "n", "endpoint_id": "e"}},
            ),
        ):
            self.assertEqual(self.kit.toDict(self.kit.address(address)), value)

    def test_defaultsKeepTheOrder(self) -> None:
        """Fields that are not set stand among the others, also inside lists."""
        made = self.kit.new("envoy.config.core.v3.Node", cluster="c")
        made.extensions.add(category="x")
        found = self.kit.toDict(made, defaults=True)
        self.assertEqual(list(found)[:2], ["id", "cluster"])
        self.assertEqual(
            found["extensions"],
            [
                {
                    "name": "",
                    "category": "x",
                    "type_descriptor": "",
                    "disabled": False,
                    "type_urls": [],
                }
            ],
        )

    def test_text(self) -> None:
        """One blank a level, a newline at the end, letters as they are."""
        made = self.kit.new("envoy.config.core.v3.Node", id="é")
        self.assertEqual(self.kit.text(made), '{\n "id": "é"\n}\n')

    def test_repeated(self) -> None:
        """Lists and maps are, others are not; in every version of protobuf."""
        fields = self.kit.new("envoy.config.core.v3.Node").DESCRIPTOR.fields_by_name
        self.assertTrue(isRepeated(fields["extensions"]))
        self.assertFalse(isRepeated(fields["id"]))

        class OldField:
            """A field as protobuf 4 has it."""

            label = LABEL_REPEATED = 3

        self.assertTrue(isRepeated(OldField()))
