"""The seam to the h2 library: header blocks, SETTINGS and states, two of them joined."""

from __future__ import annotations

from h2.connection import H2Connection
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import EH, ES, SETTINGS, block, frame, headers, setting
from tests.codec.h2.support import REQUEST, RESPONSE
from twisted_envoy.codec.h2.core import INTERIM, STREAM_ERROR, TRAILERS, Block
from twisted_envoy.codec.h2.core import REQUEST as A_REQUEST
from twisted_envoy.codec.h2.core import RESPONSE as A_RESPONSE
from twisted_envoy.codec.h2.failures import ConnectionFailure
from twisted_envoy.codec.h2.library import LibraryCore
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings

words = st.sampled_from((b"a", b"b", b"cc", b"dd" * 40, b"e" * 900, b"x-1", b"x-2"))
messages = st.lists(st.tuples(words, words), max_size=5)


class Core(LibraryCore):
    """Takes whole frames."""

    def take(self, data: bytes) -> Block | None:
        """One HEADERS or CONTINUATION frame."""
        streamID = int.from_bytes(data[5:9], "big")
        return self.receive(data[4], streamID, data, 9, len(data))

    def takeSettings(self, data: bytes) -> dict[int, int]:
        """One SETTINGS frame."""
        return self.receiveSettings(data, 9, len(data))


def core(client: bool, settings: HTTP2Settings | None = None) -> Core:
    made = Core(client, settings or HTTP2Settings(), HeaderLimits())
    made.takeSettings(SETTINGS)
    return made


class CoreTests(SynchronousTestCase):
    """A client and a server."""

    def setUp(self) -> None:
        self.client = core(True)
        self.server = core(False)

    def test_exchange(self) -> None:
        """Each block is told as what it is."""
        interim = [(b":status", b"100")]
        trailers = [(b"a", b"b")]
        one = self.client.nextStreamID()

        request = self.server.take(self.client.sendHeaders(one, REQUEST, True))
        first = self.client.take(self.server.sendHeaders(one, interim, False, True))
        second = self.client.take(self.server.sendHeaders(one, RESPONSE, False))
        third = self.client.take(self.server.sendHeaders(one, trailers, True))

        self.assertEqual(request, (A_REQUEST, 1, list(REQUEST), True))
        self.assertEqual(first, (INTERIM, 1, interim, False))
        self.assertEqual(second, (A_RESPONSE, 1, list(RESPONSE), False))
        self.assertEqual(third, (TRAILERS, 1, trailers, True))
        self.assertEqual((self.client.highest, self.server.highest), (1, 1))
        self.assertEqual(self.client.nextStreamID(), 3)

    def test_inPieces(self) -> None:
        """The same when the library itself puts the pieces together."""
        data = block()
        self.assertIsNone(self.server.take(frame(1, 0, 1, data[:3])))
        found = self.server.take(frame(9, EH, 1, data[3:]))
        self.assertEqual(found and found[:2], (A_REQUEST, 1))
        found = self.server.take(frame(1, ES | EH | 8, 1, b"\x01" + block([(b"a", b"b")]) + b"\0"))
        self.assertEqual(found, (TRAILERS, 1, [(b"a", b"b")], True))
        self.client.sendHeaders(1, REQUEST, True)
        for status, kind in ((b"100", INTERIM), (b"200", A_RESPONSE)):
            piece = b"\x00" + block([(b":status", status)])
            found = self.client.take(frame(1, EH | 8, 1, piece))
            self.assertEqual(found and found[0], kind)

    @settings(max_examples=100, deadline=None, database=None)
    @given(st.lists(st.tuples(st.sampled_from(range(4)), messages), max_size=25))
    def test_keptBlocks(self, turns: list[tuple[int, list[tuple[bytes, bytes]]]]) -> None:
        """However blocks repeat between others, the peer reads what was written."""
        client, server = core(True), core(False)
        stream = -1
        known: list[list[tuple[bytes, bytes]]] = [[(b"a", b"b")]]
        for repeat, fields in turns:
            if repeat:
                fields = known[repeat % len(known)]
            else:
                known.append(fields)
            stream += 2
            for _ in range(2):
                sent = [*REQUEST, *fields]
                found = server.take(client.sendHeaders(stream, sent, True))
                self.assertEqual(found, (A_REQUEST, stream, sent, True))
                sent = [*RESPONSE, *fields]
                found = client.take(server.sendHeaders(stream, sent, True))
                self.assertEqual(found, (A_RESPONSE, stream, sent, True))
                stream += 2
            stream -= 2

    def test_tableThatShrinks(self) -> None:
        """What the peer's SETTINGS do to the table is told before the next block."""
        for _ in range(3):
            stream = self.client.nextStreamID()
            self.server.take(self.client.sendHeaders(stream, REQUEST, True))
        self.client.takeSettings(setting(1, 0))
        stream = self.client.nextStreamID()
        data = self.client.sendHeaders(stream, REQUEST, True)
        self.assertEqual(data[9] & 0xE0, 0x20)
        found = self.server.take(data)
        self.assertEqual(found, (A_REQUEST, stream, list(REQUEST), True))

    def test_tableThatGrows(self) -> None:
        """A peer may offer a table as large as it likes, we use ours."""
        self.client.takeSettings(setting(1, 1 << 30))
        data = self.client.sendHeaders(1, REQUEST, True)
        self.assertIsNotNone(self.server.take(data))

    def test_ack(self) -> None:
        """SETTINGS are acknowledged; what they change is told."""
        self.assertEqual(self.client.takeSettings(setting(3, 7)), {3: 7})
        self.assertEqual(self.client.output, frame(4, 1, 0))

    def test_manyStreams(self) -> None:
        """Streams that are done are let go of."""
        for _ in range(200):
            stream = self.client.nextStreamID()
            self.server.take(self.client.sendHeaders(stream, REQUEST, True))
            self.client.take(self.server.sendHeaders(stream, RESPONSE, True))
        for side in (self.client, self.server):
            self.assertLess(len(side._connection.streams), 40)

    def test_bodies(self) -> None:
        """Streams close by what happens outside."""
        self.server.take(self.client.sendHeaders(1, REQUEST, False))
        self.client.endSent(1)
        self.server.endReceived(1)
        with self.assertRaises(ConnectionFailure):
            self.client.sendHeaders(1, [(b"a", b"b")], True)
        self.server.reset(1, 8)
        self.client.resetReceived(1)
        self.assertEqual(self.server.reset(1, 8), self.server.reset(1, 8))

    def test_halfClosed(self) -> None:
        """Headers after the end are the stream's error, and the library answers."""
        self.server.take(headers(1))
        found = self.server.take(headers(1))
        self.assertEqual(found and found[:2], (STREAM_ERROR, 1))
        self.assertEqual(self.server.output, frame(3, 0, 1, b"\0\0\0\5"))

    def test_failures(self) -> None:
        """Each with its code."""
        for data, code in (
            (frame(1, ES | EH, 1, b"\xff\xff\xff\xff\xff\x01"), 9),
            (frame(1, ES | EH | 8, 1, b"\0\xff\xff\xff\xff\xff\x01"), 9),
            (headers(2), 1),
            (frame(1, ES | EH, 1, b"\xbe" * 9), 9),
            (frame(9, EH, 1, b""), 1),
        ):
            with self.assertRaises(ConnectionFailure) as caught:
                core(False).take(data)
            self.assertEqual(caught.exception.code, code, data)
        with self.assertRaises(ConnectionFailure) as caught:
            self.server.takeSettings(setting(4, 1 << 31))
        self.assertEqual(caught.exception.code, 3)

    def test_interimThatEnds(self) -> None:
        """No response ends with an interim one."""
        self.client.sendHeaders(1, REQUEST, True)
        with self.assertRaises(ConnectionFailure):
            self.client.take(headers(1, [(b":status", b"100")]))

    def test_noMoreStreams(self) -> None:
        """IDs run out; a peer's limit is a limit."""
        self.client.takeSettings(setting(3, 1))
        self.client.sendHeaders(1, REQUEST, True)
        with self.assertRaises(ConnectionFailure):
            self.client.sendHeaders(3, REQUEST, True)
        self.client._connection.highest_outbound_stream_id = 2**31 - 1
        with self.assertRaises(ConnectionFailure):
            self.client.nextStreamID()


class LibraryTests(SynchronousTestCase):
    """The library's own client talks to our server's core."""

    def test_requests(self) -> None:
        """Its blocks are read, with Huffman and dynamic table."""
        other = H2Connection()
        server = core(False)
        for stream in (1, 3, 5):
            other.send_headers(stream, REQUEST, True)
            found = server.take(other.data_to_send())
            self.assertEqual(found, (A_REQUEST, stream, list(REQUEST), True))
