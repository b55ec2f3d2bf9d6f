"""Records of answers that are ready; that they are what streams tell is in test_ready."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Traffic
from twisted_envoy.http.edge.request_id import REQUEST_ID, UUIDRequestID
from twisted_envoy.http.ready_record import ReadyInfo, prepared, recordAnswer
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

TRAFFIC = Traffic(1, 2, 3, 4)


class Edge:
    """Gives requests an id that have none; refuses those to /no."""

    def __init__(self) -> None:
        self.ids = UUIDRequestID()

    def prepareRequest(self, headers: HeaderMap, info: RequestInfo, *arguments: Any) -> Any:
        if headers.get(b":path") == b"/no":
            return "no"
        info.remoteAddress = "client"
        self.ids.set(headers, False, True)
        return None


class RecordTests(SynchronousTestCase):
    """Of a manager of attributes."""

    def setUp(self) -> None:
        self.told: list[RequestInfo] = []
        log = SimpleNamespace(log=self.log)
        self.settings = SimpleNamespace(edge=Edge(), records=SimpleNamespace(logs=(log,)))
        self.own = StreamInfo(1.0, connectionID=7)
        self.connection = SimpleNamespace(settings=self.settings, info=self.own)
        self.ready: Any = SimpleNamespace(
            route=SimpleNamespace(name="r"),
            headers=HeaderMap(((b":status", b"202"),)),
            body=b"four",
            now=5.0,
            stamp=None,
        )

    def log(self, context: FormatContext) -> None:
        """One record more."""
        self.assertEqual((context.accessLogType, context.now), ("DownstreamEnd", 5.0))
        self.told.append(context.streamInfo)  # type: ignore[arg-type]

    def begin(self, **headers: bytes) -> HeaderMap:
        """The headers of a head, of which the answer gets what the edge makes."""
        made = HeaderMap(((b":path", b"/"),))
        for name, value in headers.items():
            made[name.replace("_", "-").encode()] = value
        self.ready.request = prepared(self.settings, self.own, made, "HTTP/2")
        return made

    def test_refused(self) -> None:
        """A request that the edge refuses is none."""
        headers = HeaderMap(((b":path", b"/no"),))
        self.assertIsNone(prepared(self.settings, self.own, headers, "HTTP/1.1"))

    def test_made(self) -> None:
        """Each has an id of its own; the rest is the head's, the answer's and the moment's."""
        headers = self.begin()
        for _ in range(3):
            recordAnswer(self.connection, self.ready, headers, b"", TRAFFIC)

        self.assertEqual(len({info.requestID for info in self.told}), 3)
        self.assertNotIn(REQUEST_ID, headers)
        for info in self.told:
            self.assertIsInstance(info, ReadyInfo)
            self.assertEqual(info.requestHeaders[REQUEST_ID], info.requestID)
            self.assertEqual((info.responseCode, info.bytesSent, info.routeName), (202, 4, "r"))
            self.assertEqual((info.protocol, info.remoteAddress), ("HTTP/2", "client"))
            self.assertEqual((info.startTime, info.endTime, info.connectionID), (5.0, 5.0, 7))
            self.assertEqual((info.requestHeaderBytes, info.wireBytesSent), (1, 4))

    def stampsWith(self, writes: Any) -> None:
        """Let the log be one that knows how to write without a record."""
        log = SimpleNamespace(log=self.log, stamp=lambda *arguments: writes)
        self.settings.records = SimpleNamespace(logs=(log,))

    def test_stamped(self) -> None:
        """The third record needs none, where time and id are all; each has an id of its own."""
        written: list[Any] = []
        self.stampsWith(lambda *arguments: written.append(arguments))
        headers = self.begin()
        for _ in range(2):
            self.assertIsNone(self.ready.stamp)
            recordAnswer(self.connection, self.ready, headers, b"", TRAFFIC)
        for now in (6.0, 7.0):
            self.ready.stamp(now)

        self.assertEqual(len(self.told), 2)
        self.assertEqual([now for now, _ in written], [6.0, 7.0])
        ids = {info.requestID for info in self.told} | {uuid for _, uuid in written}
        self.assertEqual([len(one) for one in ids], [36] * 4)

    def test_stampedWithItsOwn(self) -> None:
        """The id of a head that comes again is known; one that may be another is told of."""
        written: list[Any] = []
        self.stampsWith(lambda *arguments: written.append(arguments))
        headers = self.begin(x_request_id=b"one")
        for _ in range(3):
            recordAnswer(self.connection, self.ready, headers, b"one", TRAFFIC)
            self.assertIsNone(self.ready.stamp)
        self.ready.request.records = None
        for _ in range(2):
            recordAnswer(self.connection, self.ready, headers, b"", TRAFFIC)
        self.ready.stamp(6.0)
        self.assertEqual(written, [(6.0, b"")])

    def test_notStamped(self) -> None:
        """What makes other ids, a log that cannot say, and one that raises."""

        class Others(UUIDRequestID):
            """Ids that may be any text."""

        problem = ValueError("odd")

        def fails(*arguments: Any) -> None:
            raise problem

        self.stampsWith(None)
        self.record(2)
        self.assertIsNone(self.ready.stamp)
        self.settings.records.logs[0].stamp = fails
        self.record(2)
        self.assertIsNone(self.ready.stamp)
        self.stampsWith(fails)
        self.record(2)
        self.ready.stamp(6.0)
        self.assertEqual(self.flushLoggedErrors(ValueError)[0].value, problem)
        self.settings.edge.ids = Others()
        self.ready.stamp = None
        self.record(2)
        self.assertIsNone(self.ready.stamp)

    def record(self, times: int) -> None:
        """Of a new head."""
        headers = self.begin()
        for _ in range(times):
            recordAnswer(self.connection, self.ready, headers, b"", TRAFFIC)

    def test_given(self) -> None:
        """An id that came with the request stays, and may be another one next time."""
        headers = self.begin(x_request_id=b"one")
        for value in (b"one", b"two", b"two", b"one", b""):
            recordAnswer(self.connection, self.ready, headers, value, TRAFFIC)
        self.assertEqual(
            [info.requestID for info in self.told], [b"one", b"two", b"two", b"one", b"one"]
        )
