"""Tests for twisted_envoy.state.request_info."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.state.filter_state import LifeSpan, Sharing, StringObject
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo


class RequestInfoTests(SynchronousTestCase):
    def test_overItsConnection(self) -> None:
        """It begins with what the connection knows, and reads its filter state."""
        connection = StreamInfo(1.0, connectionID=7)
        connection.requestedServerName = "sni"
        connection.filterState.set("a", StringObject("v"))

        info = RequestInfo(connection, 2.0)
        info.filterState.set("b", StringObject("w"), lifeSpan=LifeSpan.REQUEST)

        self.assertIs(info.connection, connection)
        self.assertEqual((info.connectionID, info.requestedServerName), (7, "sni"))
        self.assertEqual(info.startTime, 2.0)
        self.assertIsNotNone(info.filterState.get("a"))
        self.assertIsNone(connection.filterState.get("b"))
        self.assertIsNot(info.dynamicMetadata, connection.dynamicMetadata)

    def test_stateThatNobodyStored(self) -> None:
        """Asking for it makes none, and finds the connection's."""
        connection = StreamInfo(1.0)
        info = RequestInfo(connection, 2.0)
        self.assertIsNone(info.stateOf("a"))
        self.assertEqual(list(info.shared()), [])
        value = StringObject("v")
        connection.filterState.set("a", value, sharing=Sharing.ONCE)
        self.assertIs(info.stateOf("a"), value)
        self.assertEqual([name for name, _ in info.shared()], ["a"])
        other = StringObject("w")
        info.filterState.set("b", other, lifeSpan=LifeSpan.REQUEST)
        self.assertIs(info.stateOf("b"), other)
        self.assertIs(info.stateOf("a"), value)

    def test_whatAConnectionSays(self) -> None:
        """A connection answers what is asked of requests, with the value of a fresh request."""
        connection = StreamInfo(1.0)
        info = RequestInfo(connection, 2.0)
        self.assertTrue(info.isRequest)
        self.assertFalse(connection.isRequest)
        shared = {name for name in vars(StreamInfo) if not name.startswith("_")}
        shared -= {"isRequest", "filterState", "raiseFlag", "shared", "stateOf"}
        self.assertIn("requestHeaders", shared)
        for name in shared:
            self.assertEqual(getattr(connection, name), getattr(info, name), name)
