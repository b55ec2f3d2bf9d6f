"""Tests for twisted_envoy.state.inner_hop."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.state.inner_hop import InnerHop
from twisted_envoy.state.stream_info import StreamInfo, UpstreamInfo


class InnerHopTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.info = StreamInfo(0.0)
        self.hop = InnerHop(self.info)

    def test_nothingYet(self) -> None:
        """What is not known yet is None, and left out of the whole."""
        for name in ("connect_status", "connect_headers", "connect_else", "peer", "inner.peer"):
            self.assertIsNone(self.hop.field(name))
        self.assertEqual(self.hop.typed(), {"bytes_sent": 0, "bytes_received": 0})
        self.assertIsNone(self.hop.plainText())
        self.assertIsNone(self.hop.hashKey())

    def test_followsTheConnection(self) -> None:
        """It says what is known when it is asked."""
        self.info.upstream = UpstreamInfo("c")
        self.info.raiseFlag("UF")
        self.info.raiseFlag("URX")
        self.info.connectionTerminationDetails = "details"
        self.assertEqual(self.hop.plainText(), "UF,URX")
        self.assertEqual(self.hop.field("close_reason"), "details")
        self.info.localCloseReason = "reason"
        self.assertEqual(self.hop.field("close_reason"), "reason")
        self.assertEqual(self.hop.field("cluster"), "c")
        for name in ("host", "peer", "failure", "unknown"):
            self.assertIsNone(self.hop.field(name))

    def test_answer(self) -> None:
        """The tunnel's answer."""
        self.hop.answered([(b":status", b"403"), (b"x-a", b"\xff")])
        self.assertEqual(self.hop.field("connect_status"), 403)
        self.assertEqual(self.hop.field("connect_header.X-A"), "\ufffd")
        self.assertEqual(
            self.hop.field("connect_headers"),
            [{"key": ":status", "value": "403"}, {"key": "x-a", "value": "\ufffd"}],
        )
