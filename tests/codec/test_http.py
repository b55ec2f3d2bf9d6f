"""Tests of twisted_envoy.codec.http."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.codec.h1.doubles import ClientOwner, ServerOwner, Transport, requestOf
from twisted_envoy.codec.http import (
    CodecError,
    CodecOutput,
    IClientCodec,
    ICodec,
    IStreamEncoder,
)


class OutputTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.posted: list[Callable[[], None]] = []
        self.transport = Transport()
        self.output = CodecOutput(self.posted.append, self.transport)

    def test_onceAnEvent(self) -> None:
        """What is written during an event leaves at its end, in order."""
        self.assertFalse(self.output.pending)
        self.output.write(b"a")
        self.output.write(b"b")
        self.assertEqual(self.transport.pieces, [])
        self.assertEqual(len(self.posted), 1)
        self.assertTrue(self.output.pending)

        self.posted.pop()()
        self.assertEqual(self.transport.pieces, [b"ab"])
        self.assertEqual(self.output.sent.value, 2)
        self.assertFalse(self.output.pending)

        self.output.write(b"c")
        self.assertEqual(len(self.posted), 1)
        self.posted.pop()()
        self.assertEqual(self.transport.pieces, [b"ab", b"c"])

    def test_large(self) -> None:
        """A large last piece is handed on as it is."""
        large = bytes(100_000)
        self.output.write(b"a")
        self.output.write(large)
        self.output.flush()
        self.assertIs(self.transport.pieces[1], large)
        self.assertEqual(self.output.sent.value, 100_001)

    def test_through(self) -> None:
        """There may be a shorter way; what it does not take goes to the transport."""
        taken: list[bytes] = []
        answers = [True, True, False]

        def through(data: bytes) -> bool:
            taken.append(data)
            return answers.pop(0)

        self.output.through = through
        for pieces in ((b"1",), (b"2", b"3"), (b"4",), (b"5", bytes(100_000))):
            for piece in pieces:
                self.output.write(piece)
            self.assertEqual(len(self.posted), 1)
            self.posted.pop()()

        self.assertEqual(taken, [b"1", b"23", b"4"])
        self.assertEqual(self.transport.pieces, [b"4", b"5", bytes(100_000)])
        self.assertEqual(self.output.sent.value, 100_005)

    def test_shut(self) -> None:
        """What is written later is nobody's."""
        nobody = Transport()
        sent = self.output.sent
        self.output.through = lambda data: True
        self.output.write(b"a")
        self.output.shut(nobody)
        self.posted.pop()()

        self.assertEqual((self.transport.pieces, nobody.pieces, sent.value), ([], [b"a"], 0))

    def test_flush(self) -> None:
        """A flush does not wait; the event's end has nothing left to do."""
        self.output.write(b"a")
        self.output.flush()
        self.output.flush()
        self.assertEqual(self.transport.pieces, [b"a"])
        self.posted.pop()()
        self.assertEqual(self.transport.pieces, [b"a"])


class ContractTests(SynchronousTestCase):
    def test_error(self) -> None:
        """An error has what the peer is told."""
        error = CodecError("x")
        self.assertEqual((str(error), error.status, error.body), ("x", 400, b"Bad Request"))

    def test_http1(self) -> None:
        """The codecs of HTTP/1.1 have all that is promised."""
        server, client = ServerOwner(), ClientOwner()
        server.feed(b"G")
        client.request(requestOf())
        verifyObject(ICodec, server.codec)
        verifyObject(IClientCodec, client.codec)
        verifyObject(IStreamEncoder, server.encoders[0])
        verifyObject(IStreamEncoder, client.encoder)


class BeforeTests(SynchronousTestCase):
    """What is to be done before an event's output is sent."""

    def test_before(self) -> None:
        """It runs once, at the end of the event, and what it writes is sent along."""
        posted: list[Any] = []
        sent: list[bytes] = []

        class Transport:
            def writeSequence(self, pieces: list[bytes]) -> None:
                sent.extend(pieces)

            def write(self, data: bytes) -> None:
                sent.append(data)

        output = CodecOutput(posted.append, Transport())
        output.before = lambda: output.write(b"2")
        output.write(b"1")

        posted.pop(0)()

        self.assertEqual(sent, [b"12"])
        self.assertIsNone(output.before)
