"""Requests that a codec answers without a stream; what they are is in tests/http/test_ready."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h1.ready import answeredAtOnce, answeredLike, findKnown
from twisted_envoy.codec.h1.request import RequestHead
from twisted_envoy.codec.headers import HeaderMap

GET = b"GET / HTTP/1.1\r\n\r\n"


class _Output:
    """Where the codec writes."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.pieces.append(data)


class ReadyTests(SynchronousTestCase):
    """Over a codec of attributes."""

    def setUp(self) -> None:
        self.counted = 0
        self.ready: Any = SimpleNamespace(
            headers=HeaderMap(((b":status", b"200"), (b"content-length", b"2"), (b"a", b"b\nc"))),
            body=b"ok",
            wire=b"",
            isReady=True,
            isLogged=False,
            stamp=None,
            now=7.5,
        )
        self.head = RequestHead()
        self.head.ready = self.ready
        self.mayAnswer = True
        answers = SimpleNamespace(
            knownFor=lambda headers: self.ready, answersAtOnce=lambda ready: self.mayAnswer
        )
        self.codec: Any = SimpleNamespace(
            answers=answers, isPlain=True, full=False, output=_Output(), countAnswered=self.count
        )

    def count(self) -> None:
        """One request more."""
        self.counted += 1

    def test_wire(self) -> None:
        """It is made once; nothing in a value begins another line."""
        self.assertTrue(answeredAtOnce(self.codec, self.head, GET))

        wire = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\na: b c\r\n\r\nok"
        self.assertEqual(self.codec.output.pieces, [wire])
        self.assertEqual(self.ready.wire, wire)
        self.assertEqual(self.counted, 1)

    def test_recorded(self) -> None:
        """Who logs hears how many bytes came and went, and what a stream would have been given."""
        told: list[Any] = []
        self.codec.answers.answered = lambda *arguments: told.append(arguments)
        self.ready.isLogged = True
        seen = b"GET / HTTP/1.1\r\nx-request-id: 12\r\n\r\n"
        head = self.find()
        head.headerBytes = 18

        self.assertTrue(answeredLike(self.codec, seen.replace(b"12", b"34"), seen, head))

        ((ready, headers, value, traffic),) = told
        self.assertIs(ready, self.ready)
        self.assertIs(headers, head.headers)
        self.assertEqual(value, b"34")
        received = (traffic.receivedHeaderBytes, traffic.receivedWireBytes)
        wire = self.codec.output.pieces[0]
        fields = len(b"content-length: 2\r\na: b c\r\n")
        self.assertEqual(received, (18, len(seen)))
        self.assertEqual((traffic.headerBytes, traffic.wireBytes), (fields, len(wire)))

    def test_waits(self) -> None:
        """While something waits to be sent, or when the owner says no, a stream is needed."""
        self.codec.full = True
        self.assertFalse(answeredAtOnce(self.codec, self.head, GET))
        self.codec.full = False
        self.codec.output.pieces.append(b"x")
        self.assertFalse(answeredAtOnce(self.codec, self.head, GET))
        self.codec.output.pieces.clear()
        self.mayAnswer = False
        self.assertFalse(answeredAtOnce(self.codec, self.head, GET))
        self.assertEqual(self.counted, 0)

    def test_stamped(self) -> None:
        """Where the time is all there is to tell, nothing else is told."""
        told: list[float] = []
        self.ready.isLogged, self.ready.stamp = True, told.append

        self.assertTrue(answeredAtOnce(self.codec, self.head, GET))

        self.assertEqual(told, [7.5])
        self.assertEqual(len(self.codec.output.pieces), 1)

    def find(self, **said: Any) -> Any:
        """What is found for a head that says this."""
        head = RequestHead()
        head.headers = HeaderMap()
        head.isUsual = True
        for name, value in said.items():
            setattr(head, name, value)
        findKnown(self.codec, head, b"GET / HTTP/1.1\r\nx-request-id: 12\r\n\r\n")
        return head

    def test_which(self) -> None:
        """Only those that say how long they are, in the way that codecs write."""
        codec, ready = self.codec, self.ready
        head = self.find()
        self.assertIs(head.ready, ready)
        self.assertEqual(head.place, (30, 32))
        for said in ({"length": 1}, {"length": -1}, {"raw": True}, {"isUsual": False}):
            self.assertIsNone(self.find(**said).ready)
        codec.isPlain = False
        self.assertIsNone(self.find().ready)
        codec.isPlain = True
        ready.headers[b":status"] = b"202"
        self.assertIsNone(self.find().ready)
        ready.headers[b":status"] = b"200"
        ready.body = b""
        self.assertIsNone(self.find().ready)
        self.ready = None
        self.assertIsNone(self.find().ready)

    def test_otherID(self) -> None:
        """One that differs in its x-request-id, and is as long, is like the one before."""
        seen = b"GET / HTTP/1.1\r\nx-request-id: 12\r\n\r\n"
        head = self.find()
        for other, like in (
            (seen.replace(b"12", b"34"), True),
            (seen.replace(b"12", b"1\t"), False),
            (seen.replace(b"12", b"123"), False),
            (seen.replace(b"/ ", b"* "), False),
            (seen[:-2] + b"ab", False),
        ):
            self.codec.output.pieces.clear()
            self.assertIs(answeredLike(self.codec, other, seen, head), like, other)
        head.place = None
        self.codec.output.pieces.clear()
        self.assertFalse(answeredLike(self.codec, seen, seen, head))
