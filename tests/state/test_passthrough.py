"""Tests for twisted_envoy.state.passthrough."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.state.filter_state import FilterState, Sharing, StringObject
from twisted_envoy.state.passthrough import Passthrough
from twisted_envoy.state.stream_info import StreamInfo


class PassthroughTests(SynchronousTestCase):
    def test_everythingArrives(self) -> None:
        """Metadata as dynamic metadata, objects by reference."""
        outer = FilterState()
        value = StringObject("a")
        outer.set("k", value, sharing=Sharing.ONCE)
        metadata: dict[str, dict[str, object]] = {"ns": {"who": "host"}}
        info = StreamInfo(0.0)

        Passthrough(metadata, outer.shared()).mergeInto(info)

        self.assertEqual(info.dynamicMetadata, {"ns": {"who": "host"}})
        self.assertIs(info.filterState.get("k"), value)

    def test_theReceiverOwnsItsMetadata(self) -> None:
        """A filter that writes to a namespace does not change the host's metadata."""
        metadata: dict[str, dict[str, object]] = {"ns": {}}
        info = StreamInfo(0.0)
        Passthrough(metadata).mergeInto(info)

        info.dynamicMetadata["ns"]["new"] = 1

        self.assertEqual(metadata, {"ns": {}})
        self.assertIsNone(info.filterState.get("new"))
