"""Tests for twisted_envoy.state.stream_info."""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.state.filter_state import FilterState
from twisted_envoy.state.stream_info import (
    RESPONSE_FLAGS,
    FormatContext,
    StreamInfo,
    UpstreamInfo,
)


class StreamInfoTests(SynchronousTestCase):
    def test_directAddressesAreTheSockets(self) -> None:
        """They start the same, and a restored one leaves the direct one alone."""
        local, remote = IPv4Address("TCP", "1.1.1.1", 1), IPv4Address("TCP", "2.2.2.2", 2)
        info = StreamInfo(5.0, local, remote, 9)

        info.localAddress = IPv4Address("TCP", "3.3.3.3", 3)

        self.assertIs(info.directLocalAddress, local)
        self.assertIs(info.directRemoteAddress, remote)
        self.assertEqual((info.connectionID, info.startTime, info.endTime), (9, 5.0, None))

    def test_filterState(self) -> None:
        """A given one is used, else an empty one is made."""
        state = FilterState()

        self.assertIs(StreamInfo(0.0, filterState=state).filterState, state)
        self.assertEqual(list(StreamInfo(0.0).filterState.names()), [])

    def test_flagsKeepTheirOrder(self) -> None:
        """Each is raised once, in order."""
        info = StreamInfo(0.0)
        for flag in ("UF", "URX", "UF"):
            info.raiseFlag(flag)

        self.assertEqual(info.responseFlags, ["UF", "URX"])

    def test_unknownFlag(self) -> None:
        """Our own mistake is an error."""
        self.assertRaises(ValueError, StreamInfo(0.0).raiseFlag, "XX")

    def test_everyFlagOfEnvoy(self) -> None:
        """As many as Envoy's config allows to filter by."""
        self.assertEqual(len(RESPONSE_FLAGS), 30)
        self.assertEqual(RESPONSE_FLAGS["UDO"], "UnconditionalDropOverload")

    def test_nothingIsShared(self) -> None:
        """Two connections have their own dicts and lists."""
        one, other = StreamInfo(0.0), StreamInfo(0.0)
        one.dynamicMetadata["a"] = {}
        one.raiseFlag("DC")

        self.assertEqual((other.dynamicMetadata, other.responseFlags), ({}, []))


class Host:
    def __init__(self, host: str, name: str) -> None:
        self.address = IPv4Address("TCP", host, 80)
        self.hostname = name


class Connection:
    def __init__(self, number: int) -> None:
        self.connectionID = number


class UpstreamInfoTests(SynchronousTestCase):
    def test_beforeAnyConnection(self) -> None:
        """Only the cluster is known."""
        upstream = UpstreamInfo("c")

        self.assertEqual(upstream.clusterName, "c")
        self.assertIsNone(upstream.host)
        self.assertIsNone(upstream.cluster)
        self.assertEqual((upstream.attempts, upstream.detectedCloseType), (0, "Normal"))
        self.assertEqual(upstream.hostsAttempted, [])
        self.assertEqual((upstream.localAddress, upstream.connectionID), (None, 0))

    def test_wire(self) -> None:
        """A transport is asked for its addresses when somebody wants them."""
        upstream = UpstreamInfo("c")
        upstream.wire = transport = StringTransport()

        self.assertEqual(upstream.localAddress, transport.getHost())
        self.assertEqual(upstream.remoteAddress, transport.getPeer())

    def test_attempts(self) -> None:
        """Hosts are told once, connections each, and what is assigned counts instead."""
        upstream = UpstreamInfo("c")
        one, other = Host("10.0.0.1", "one.test"), Host("10.0.0.2", "")
        upstream.made = tuple((host, Connection(n)) for n, host in enumerate((one, other, one)))

        self.assertEqual(upstream.hostsAttempted, ["10.0.0.1:80", "10.0.0.2:80"])
        self.assertEqual(upstream.hostNamesAttempted, ["one.test"])
        self.assertEqual(upstream.connectionIDsAttempted, [0, 1, 2])
        upstream.connectionIDsAttempted = [7]
        self.assertEqual(upstream.connectionIDsAttempted, [7])


class FormatContextTests(SynchronousTestCase):
    def test_holdsWhatALineNeeds(self) -> None:
        """The stream, the kind of record, and when."""
        info = StreamInfo(0.0)
        context = FormatContext(info, "TcpConnectionEnd", 3.0)

        self.assertIs(context.streamInfo, info)
        self.assertEqual((context.accessLogType, context.now), ("TcpConnectionEnd", 3.0))
        self.assertEqual(FormatContext(info).accessLogType, "NotSet")
