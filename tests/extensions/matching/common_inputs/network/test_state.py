"""What matcher trees see of filter state and metadata."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from twisted_envoy.extensions.common.matching.metadata import NOWHERE, MetadataValue
from twisted_envoy.extensions.matching.common_inputs.network.state import (
    DynamicMetadataInputFactory,
    FilterStateInputFactory,
)
from twisted_envoy.state.filter_state import StringObject, Uint64Object
from twisted_envoy.state.stream_info import StreamInfo


class Fields(StringObject):
    """An object with fields."""

    def field(self, name: str) -> object:
        return {"number": 7, "text": "t"}.get(name)


class FilterStateTests(SynchronousTestCase):
    def input(self, **fields: str) -> Any:
        config = configOf(FilterStateInputFactory.typeURL, fields)
        made = FilterStateInputFactory().build(config, None)
        self.assertEqual(unreadFields(config), [])
        return made

    def test_text(self) -> None:
        """As it is printed plainly; nothing when there is no object."""
        info = StreamInfo(0.0)
        get = self.input(key="k")
        self.assertIsNone(get(info))
        info.filterState.set("k", Uint64Object(12))
        self.assertEqual(get(info), "12")

    def test_field(self) -> None:
        """One field of an object that has some."""
        info = StreamInfo(0.0)
        self.assertIsNone(self.input(key="k", field="text")(info))
        info.filterState.set("k", Fields("x"))
        self.assertEqual(self.input(key="k", field="text")(info), "t")
        self.assertEqual(self.input(key="k", field="number")(info), "7")
        self.assertIsNone(self.input(key="k", field="other")(info))


class MetadataTests(SynchronousTestCase):
    def test_value(self) -> None:
        """What is at the path."""
        config = configOf(
            DynamicMetadataInputFactory.typeURL,
            {"filter": "f", "path": [{"key": "a"}, {"key": "b"}]},
        )
        get = DynamicMetadataInputFactory().build(config, None)
        self.assertEqual(unreadFields(config), [])
        info = StreamInfo(0.0)
        self.assertEqual(get(info), NOWHERE)
        info.dynamicMetadata["f"] = {"a": {"b": [1]}}
        self.assertEqual(get(info), MetadataValue([1]))
