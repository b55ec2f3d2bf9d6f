"""Tests for twisted_envoy.formatter.operators.connection."""

from __future__ import annotations

from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import START, bareRecord, fullRecord
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.operators.connection import OPERATORS, durationMilliseconds
from twisted_envoy.formatter.text import compileText
from twisted_envoy.network.listener import ListenerInfo


class ConnectionTests(SynchronousTestCase):
    def test_knownValues(self) -> None:
        """Counts, ids and reasons of a connection."""
        record = fullRecord()
        info = record.streamInfo
        info.responseFlags = ["UF", "URX"]
        info.connectionTerminationDetails = "denied"
        info.localCloseReason = "tcp_initializion_failure:0"
        info.detectedCloseType = "RemoteReset"
        info.downstreamTransportFailureReason = "TLS_error"

        line = compileText(
            "%ACCESS_LOG_TYPE% %BYTES_RECEIVED% %BYTES_SENT% %DOWNSTREAM_WIRE_BYTES_RECEIVED% "
            "%DOWNSTREAM_WIRE_BYTES_SENT% %CONNECTION_ID% %RESPONSE_CODE% %DURATION% "
            "%FILTER_CHAIN_NAME% %RESPONSE_FLAGS% %RESPONSE_FLAGS_LONG% "
            "%CONNECTION_TERMINATION_DETAILS% %DOWNSTREAM_LOCAL_CLOSE_REASON% "
            "%DOWNSTREAM_DETECTED_CLOSE_TYPE% %DOWNSTREAM_TRANSPORT_FAILURE_REASON%"
        )(record)

        self.assertEqual(
            line,
            "TcpConnectionEnd 5 6 5 6 7 0 21 my_chain UF,URX "
            "UpstreamConnectionFailure,UpstreamRetryLimitExceeded denied "
            "tcp_initializion_failure:0 RemoteReset TLS_error",
        )

    def test_listenerName(self) -> None:
        """The name of the listener that accepted."""
        record = fullRecord()
        record.streamInfo.listener = ListenerInfo("ingress")

        self.assertEqual(compileText("%LISTENER_NAME%")(record), "ingress")

    def test_unknownValues(self) -> None:
        """What Envoy prints when nothing is known: null, 0, a dash or an empty text."""
        unset = {
            "CONNECTION_TERMINATION_DETAILS",
            "DOWNSTREAM_LOCAL_CLOSE_REASON",
            "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
            "FILTER_CHAIN_NAME",
            "LISTENER_NAME",
        }
        names = set(OPERATORS) - {"STREAM_ID", "UNIQUE_ID"}

        line = compileJSON({name: f"%{name}%" for name in names})(bareRecord())

        for name in names:
            if name in unset:
                self.assertIn(f'"{name}":null', line)
        for known in ('"RESPONSE_FLAGS":"-"', '"CUSTOM_FLAGS":""', '"BYTES_RETRANSMITTED":0'):
            self.assertIn(known, line)
        self.assertIn('"DOWNSTREAM_DETECTED_CLOSE_TYPE":"Normal"', line)

    def test_streamIDStays(self) -> None:
        """One UUID a stream; a unique id is new each time."""
        record = bareRecord()
        stream, unique = compileText("%STREAM_ID%"), compileText("%UNIQUE_ID%")

        self.assertEqual(stream(record), stream(record))
        self.assertEqual(str(UUID(stream(record))), stream(record))
        self.assertNotEqual(unique(record), unique(record))
        self.assertNotEqual(stream(record), stream(bareRecord()))


class DurationTests(SynchronousTestCase):
    def test_openConnectionsAreMeasuredUntilNow(self) -> None:
        """While there is no end, now counts."""
        record = bareRecord()
        record.now = START + 1.5

        self.assertEqual(durationMilliseconds(record), 1500)

    def test_wholeMilliseconds(self) -> None:
        """A fraction is cut off, and a float's imprecision does not count as one."""
        record = bareRecord()

        record.streamInfo.endTime = START + 0.0219
        cut = durationMilliseconds(record)
        record.streamInfo.endTime = START + 0.1
        exact = durationMilliseconds(record)

        self.assertEqual((cut, exact), (21, 100))

    def test_neverBelowZero(self) -> None:
        """A clock that went back gives 0."""
        record = bareRecord()
        record.streamInfo.endTime = START - 5

        self.assertEqual(durationMilliseconds(record), 0)
