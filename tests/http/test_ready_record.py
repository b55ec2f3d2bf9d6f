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

    def test_given(self) -> None:
        """An id that came with the request stays, and may be another one next time."""
        headers = self.begin(x_request_id=b"one")
        for value in (b"one", b"two", b"two", b"one", b""):
            recordAnswer(self.connection, self.ready, headers, value, TRAFFIC)
        self.assertEqual(
            [info.requestID for info in self.told], [b"one", b"two", b"two", b"one", b"one"]
        )
