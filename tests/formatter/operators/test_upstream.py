"""Tests for twisted_envoy.formatter.operators.upstream."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import Cluster, Host, bareRecord, fullRecord
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.operators.upstream import OPERATORS
from twisted_envoy.formatter.text import compileText
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import UpstreamInfo

ALL = compileJSON({name.removeprefix("UPSTREAM_"): f"%{name}%" for name in OPERATORS})


class UpstreamTests(SynchronousTestCase):
    def test_proxiedConnection(self) -> None:
        """Cluster, host, addresses, attempts and counts."""
        self.assertEqual(
            ALL(fullRecord()),
            '{"CLUSTER":"clualt","CLUSTER_RAW":"clu","CONNECTION_ID":8,'
            '"CONNECTION_IDS_ATTEMPTED":"8","CONNECTION_POOL_READY_DURATION":2,'
            '"DETECTED_CLOSE_TYPE":"Normal","HOST":"10.0.0.9:80",'
            '"HOSTS_ATTEMPTED":"10.0.0.8:80,10.0.0.9:80",'
            '"HOSTS_ATTEMPTED_WITHOUT_PORT":"10.0.0.8,10.0.0.9","HOST_NAME":"host.name:99",'
            '"HOST_NAMES_ATTEMPTED":"other,host.name:99",'
            '"HOST_NAMES_ATTEMPTED_WITHOUT_PORT":"other,host.name",'
            '"HOST_NAME_WITHOUT_PORT":"host.name","LOCAL_ADDRESS":"10.0.0.1:40000",'
            '"LOCAL_ADDRESS_WITHOUT_PORT":"10.0.0.1","LOCAL_CLOSE_REASON":null,'
            '"LOCAL_PORT":40000,"REMOTE_ADDRESS":"10.0.0.9:80",'
            '"REMOTE_ADDRESS_ENDPOINT_ID":"","REMOTE_ADDRESS_WITHOUT_PORT":"10.0.0.9",'
            '"REMOTE_PORT":80,"REQUEST_ATTEMPT_COUNT":2,"TRANSPORT_FAILURE_REASON":null,'
            '"WIRE_BYTES_RECEIVED":6,"WIRE_BYTES_SENT":5}\n',
        )

    def test_tunnel(self) -> None:
        """A tunnel's bytes on the wire and, as in Envoy, its payload once more."""
        record = fullRecord()
        stream = SimpleNamespace(wireBytes=100, receivedWireBytes=200)
        record.streamInfo.upstream.stream = stream
        line = ALL(record)
        self.assertIn('"WIRE_BYTES_RECEIVED":206,"WIRE_BYTES_SENT":105', line)

    def test_noUpstream(self) -> None:
        """Without an upstream most is null; counts are 0, as in Envoy."""
        line = ALL(bareRecord())

        self.assertEqual(line.count("null"), len(OPERATORS) - 4)
        for known in (
            '"CONNECTION_ID":0',
            '"REQUEST_ATTEMPT_COUNT":0',
            '"WIRE_BYTES_SENT":0',
            '"DETECTED_CLOSE_TYPE":null',
            '"CONNECTION_POOL_READY_DURATION":null',
        ):
            self.assertIn(known, line)

    def test_clusterWithoutHost(self) -> None:
        """No healthy host: the cluster is known, the pool was never ready."""
        record = bareRecord()
        record.streamInfo.upstream = UpstreamInfo("c")

        text = compileText(
            "%UPSTREAM_CLUSTER% %UPSTREAM_HOST% %UPSTREAM_HOST_NAME% "
            "%UPSTREAM_HOST_NAME_WITHOUT_PORT% %UPSTREAM_HOSTS_ATTEMPTED% "
            "%UPSTREAM_CONNECTION_POOL_READY_DURATION% %UPSTREAM_CONNECTION_IDS_ATTEMPTED%"
        )(record)

        self.assertEqual(text, "c - - - - 0 -")

    def test_requestWithoutAttempt(self) -> None:
        """A request that a filter answers has asked no pool, one that waits for one has."""
        text = compileText("%UPSTREAM_CONNECTION_POOL_READY_DURATION%")
        info = RequestInfo(bareRecord().streamInfo, 0.0)
        info.upstream = upstream = UpstreamInfo("c")
        record = bareRecord()
        record.streamInfo = info
        self.assertEqual(text(record), "-")
        upstream.attempts = 1
        self.assertEqual(text(record), "0")

    def test_hostWithoutName(self) -> None:
        """The address stands in for the name; the host's cluster for the one that is not set."""
        record = bareRecord()
        upstream = record.streamInfo.upstream = UpstreamInfo("c")
        upstream.host = Host(InternalAddress("inn", "ep"), cluster=Cluster("c", "alt"))
        upstream.hostsAttempted = ["envoy://inn/ep"]
        upstream.connectionIDsAttempted = [3, 4]

        text = compileText(
            "%UPSTREAM_HOST% %UPSTREAM_HOST_NAME% %UPSTREAM_HOST_NAME_WITHOUT_PORT% "
            "%UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT% %UPSTREAM_HOST_NAMES_ATTEMPTED% "
            "%UPSTREAM_CLUSTER% %UPSTREAM_CONNECTION_IDS_ATTEMPTED%"
        )(record)

        self.assertEqual(
            text,
            "envoy://inn/ep envoy://inn/ep envoy envoy://inn/ep envoy://inn/ep alt 3,4",
        )

    def test_reasons(self) -> None:
        """Why it failed and who closed."""
        record = fullRecord()
        upstream = record.streamInfo.upstream
        assert upstream is not None
        upstream.transportFailureReason = "delayed_connect_error:_Connection_refused"
        upstream.localCloseReason, upstream.detectedCloseType = "why", "LocalReset"

        text = compileText(
            "%UPSTREAM_TRANSPORT_FAILURE_REASON% %UPSTREAM_LOCAL_CLOSE_REASON% "
            "%UPSTREAM_DETECTED_CLOSE_TYPE%"
        )(record)

        self.assertEqual(text, "delayed_connect_error:_Connection_refused why LocalReset")
