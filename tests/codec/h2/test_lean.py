"""Our core: which headers may come, SETTINGS, what is kept; more by tests of the codec over it."""

from __future__ import annotations

from hpack import Encoder
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import EH, ES, HELLO, block, frame, headers, names, parse, rst, setting
from tests.codec.h2.support import REQUEST, RESPONSE, Pair, Side
from tests.switches import REFERENCE_CODEC
from twisted_envoy.codec.h2 import failures
from twisted_envoy.codec.h2.core import REQUEST as A_REQUEST
from twisted_envoy.codec.h2.core import Block
from twisted_envoy.codec.h2.failures import ConnectionFailure
from twisted_envoy.codec.h2.hpack import number
from twisted_envoy.codec.h2.lean import LeanCore
from twisted_envoy.codec.h2.resets import ResetStreams
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings


def core(client: bool, limits: HeaderLimits | None = None) -> LeanCore:
    return LeanCore(client, HTTP2Settings(), limits or HeaderLimits(), {}, ResetStreams())


def take(core: LeanCore, data: bytes) -> Block | None:
    """One HEADERS frame."""
    streamID = int.from_bytes(data[5:9], "big")
    return core.receive(data[4], streamID, data, 9, len(data))


class HeadersTests(SynchronousTestCase):
    """A server's core, that knows of no open stream."""

    def setUp(self) -> None:
        self.core = core(False)

    def fails(self, data: bytes, code: int) -> None:
        with self.assertRaises(ConnectionFailure) as caught:
            take(self.core, data)
        self.assertEqual(caught.exception.code, code)

    def test_leftOut(self) -> None:
        """A number below the highest was used and closed, or left out for ever."""
        for streamID in (3, 5, 13):
            self.assertEqual(
                take(self.core, headers(streamID)), (A_REQUEST, streamID, list(REQUEST), True)
            )
        for streamID, code in ((1, 1), (3, 5), (5, 5), (7, 1), (11, 1), (13, 5), (2, 1)):
            self.fails(headers(streamID), code)

    def test_leftOutOften(self) -> None:
        """What was left out long ago is forgotten."""
        for streamID in range(1, 4001, 4):
            take(self.core, headers(streamID))
        self.assertLess(len(self.core._gaps), 100)
        self.fails(headers(3995), 1)
        self.fails(headers(3), 5)

    def test_early(self) -> None:
        """A request that was begun before its block was whole is one still."""
        self.core.begin(5)
        self.assertEqual(take(self.core, headers(5)), (A_REQUEST, 5, list(REQUEST), True))
        self.fails(headers(5), 5)
        self.fails(headers(3), 1)

    def test_strippedOfItsFrame(self) -> None:
        """Padding, priority and both."""
        data = block()
        for flags, payload in (
            (8, b"\x03" + data + b"\0\0\0"),
            (32, b"\0\0\0\3\0" + data),
            (40, b"\x01\0\0\0\3\0" + data + b"\0"),
        ):
            self.setUp()
            found = take(self.core, frame(1, ES | EH | flags, 1, payload))
            self.assertEqual(found, (A_REQUEST, 1, list(REQUEST), True))
        for flags, payload, code in (
            (8, b"", 6),
            (8, b"\x01", 1),
            (32, b"\0\0\0\3", 6),
            (40, b"\0\0\0\0\3", 6),
            (32, b"\0\0\0\1\0" + data, 1),
            (40, b"\x05\0\0\0\3\0", 1),
        ):
            self.fails(frame(1, ES | EH | flags, 1, payload), code)


class SettingsTests(SynchronousTestCase):
    """Of the peer's."""

    def test_push(self) -> None:
        """A server has none to offer."""
        data = setting(2, 1)
        core(False).receiveSettings(data, 9, len(data))
        with self.assertRaises(ConnectionFailure):
            core(True).receiveSettings(data, 9, len(data))

    def test_smallerTable(self) -> None:
        """A peer whose table is smaller hears once that it is."""
        made = core(True)
        plain = made.sendHeaders(1, REQUEST, True)
        data = setting(1, 100)
        made.receiveSettings(data, 9, len(data))
        first, _, third = (made.sendHeaders(stream, REQUEST, True) for stream in (3, 5, 7))
        self.assertEqual(first[9:], b"\x3f\x45" + plain[9:])
        self.assertLess(len(third), len(plain))

    def test_sizesInOneFrame(self) -> None:
        """A table that shrinks and grows at once was emptied all the same."""
        made = core(True)
        data = frame(4, 0, 0, setting(1, 0)[9:] + setting(1, 4096)[9:])
        self.assertEqual(made.receiveSettings(data, 9, len(data)), {1: 4096})
        self.assertEqual(made.output, frame(4, 1, 0))
        self.assertEqual(made.sendHeaders(1, REQUEST, True)[9:13], b"\x20\x3f\xe1\x1f")

    def test_streams(self) -> None:
        """As many as the peer allows; and numbers end."""
        made = core(True)
        data = setting(3, 0)
        made.receiveSettings(data, 9, len(data))
        with self.assertRaises(ConnectionFailure):
            made.nextStreamID()
        made = core(True)
        made.highest = 2**31 - 1
        with self.assertRaises(ConnectionFailure):
            made.nextStreamID()

    def test_largeBlocks(self) -> None:
        """In frames that the peer takes."""
        made, reader = core(True), core(False)
        fields = [*REQUEST, (b"x", bytes(range(33, 127)) * 500)]
        data = made.sendHeaders(1, fields, True)
        self.assertEqual(names(data), ["Headers", "Continuation", "Continuation"])
        pieces = [one.data for one in parse(data)]
        self.assertEqual([len(piece) for piece in pieces[:2]], [16384, 16384])
        found = take(reader, frame(1, ES | EH, 1, b"".join(pieces)))
        self.assertEqual(found, (A_REQUEST, 1, fields, True))


class KnownHeadTests(SynchronousTestCase):
    """Blocks that come again are not read again."""

    skip = "it looks into the lean core" if REFERENCE_CODEC else None

    def setUp(self) -> None:
        self.side = Side(False)
        self.side.receive(HELLO)
        self.encoder = Encoder()
        self.streamID = -1

    def send(self, data: bytes, ended: bool = True) -> None:
        self.streamID += 2
        flags = EH | ES if ended else EH
        self.assertIsNone(self.side.receive(frame(1, flags, self.streamID, data)))

    @property
    def heads(self) -> dict[bytes, object]:
        return self.side.codec.core.heads  # type: ignore[no-any-return]

    def test_fixed(self) -> None:
        """A block without the table is known from its third time on; maps are each request's."""
        for count in range(5):
            self.send(block())
            self.assertEqual(len(self.heads), int(count > 0))
            request = self.side.owner.requests[-1]
            self.assertEqual(request.events, [("headers", list(REQUEST), True)])
            request.encoder.resetStream(Reset.LOCAL)

    def test_mutated(self) -> None:
        """What an owner does to a request's headers is not seen in the next."""
        for _ in range(4):
            self.send(block())
        given = self.side.codec.core.heads[block()][0]
        self.assertIsInstance(given, HeaderMap)
        seen: list[HeaderMap] = []
        self.side.owner.makeDecoder = lambda: Taker(seen)
        self.send(block())
        self.send(block())
        self.assertEqual([b"x" in one for one in seen], [True, True])
        self.assertNotIn(b"x", given)

    def test_table(self) -> None:
        """A block of the table is known until the table changes; one without it for good."""
        via = [*REQUEST, (b"via", b"a")]
        for _ in range(2):
            self.send(block())
        self.send(self.encoder.encode(via))
        again = self.encoder.encode(via)
        for _ in range(3):
            self.send(again)
        self.assertEqual(set(self.heads), {block(), again})
        self.send(self.encoder.encode([*REQUEST, (b"via", b"b")]))
        self.assertEqual(set(self.heads), {block()})
        self.streamID += 2
        details = self.side.receive(frame(1, EH | ES, self.streamID, again))
        self.assertEqual(details, failures.PROTOCOL)  # no :authority any more

    def test_literalsThatEnter(self) -> None:
        """A block that only puts fields into the table is known, and puts them there again."""
        enters = b"\x40\x01a\x01b"
        for _ in range(5):
            self.send(block() + enters)
        self.assertEqual(list(self.heads), [block() + enters])
        for _ in range(3):
            self.send(block() + b"\xc2")  # the fifth newest
        self.assertEqual(self.side.owner.requests[-1].headers[b"a"], b"b")
        self.assertEqual(len(self.heads), 2)
        self.send(block() + enters)
        self.assertEqual(len(self.heads), 1)
        self.streamID += 2
        details = self.side.receive(frame(1, EH | ES, self.streamID, block() + b"\xc4"))
        self.assertEqual(details, failures.PROTOCOL)  # there are six

    def test_tableThatMustShrink(self) -> None:
        """A peer that knows of our smaller table and goes on as before is refused."""
        for obeys in (True, False):
            self.side = Side(False, HTTP2Settings(hpackTableSize=100))
            self.side.receive(HELLO)
            self.streamID = -1
            for _ in range(4):
                self.send(block())
            self.side.receive(frame(4, 1, 0))
            if obeys:
                self.send(b"\x3f\x45" + block())
                for _ in range(4):
                    self.send(block())
                self.assertEqual(len(self.heads), 1)
            else:
                self.streamID += 2
                details = self.side.receive(frame(1, EH | ES, self.streamID, block()))
                self.assertEqual(details, failures.PROTOCOL)

    def test_content(self) -> None:
        """A known head still promises its body."""
        post = [(b":method", b"POST"), *REQUEST[1:], (b"content-length", b"2")]
        for _ in range(4):
            self.send(block(post), False)
            self.side.receive(frame(0, ES, self.streamID, b"ab"))
            self.assertEqual(bytes(self.side.owner.requests[-1].body), b"ab")
        self.send(block(post), False)
        self.side.receive(frame(0, ES, self.streamID, b"abc"))
        self.assertIsNotNone(self.side.owner.requests[-1].reset)
        self.streamID += 2
        details = self.side.receive(headers(self.streamID, post))
        self.assertEqual(details, failures.PROTOCOL)

    def test_rules(self) -> None:
        """Limits, numbers and refusals are the same for it."""
        side = self.side = Side(False, HTTP2Settings(maxConcurrentStreams=3))
        side.receive(HELLO)
        for _ in range(4):
            self.send(block())
        self.assertEqual(side.stats.stream_refused_errors.value, 1)
        self.assertEqual(len(side.owner.requests), 3)
        side.receive(rst(1))
        side.codec.goAway()
        self.send(block())
        self.assertEqual(side.stats.stream_refused_errors.value, 2)
        self.assertIsNone(side.receive(headers(3)))
        self.assertEqual(side.receive(headers(2)), failures.PROTOCOL)

    def test_manyBlocks(self) -> None:
        """Few are kept, long ones never, and none once underscores are counted."""
        for count in range(300):
            self.send(block([*REQUEST, (b"x", b"%d" % count)]))
            self.side.owner.requests.pop().encoder.resetStream(Reset.LOCAL)
        self.assertEqual(len(self.heads), 0)
        self.assertLessEqual(len(self.side.codec.core._seen), 256)
        for count in range(200):
            for _ in range(2):
                self.send(block([*REQUEST, (b"x", b"%d" % count)]))
                self.side.owner.requests.pop().encoder.resetStream(Reset.LOCAL)
        self.assertLessEqual(len(self.heads), 64)
        for _ in range(3):
            self.send(block([*REQUEST, (b"x", b"\xe9" * 2000)]))
        self.assertLess(max(map(len, self.heads)), 1000)
        dropping = Side(False, limits=HeaderLimits(underscores="DROP_HEADER"))
        dropping.receive(HELLO)
        for streamID in (1, 3, 5, 7):
            dropping.receive(headers(streamID, [*REQUEST, (b"a_b", b"c")]))
        self.assertEqual(dropping.stats.dropped_headers_with_underscores.value, 4)

    def test_responses(self) -> None:
        """The same on a client's side, where HEAD's answer has no body."""
        pair = Pair()
        fields = [*RESPONSE, (b"content-length", b"2")]
        for method in (b"GET", b"GET", b"GET", b"HEAD", b"GET", b"HEAD"):
            asked = pair.client.request(((b":method", method), *REQUEST[1:]))
            pair.settle()
            encoder = pair.server.owner.requests[-1].encoder
            encoder.encodeHeaders(HeaderMap(fields), method == b"HEAD")
            if method == b"GET":
                encoder.encodeData(b"ab", True)
            pair.settle()
            self.assertEqual(asked.events[0], ("headers", fields, method == b"HEAD"))
            self.assertTrue(asked.ended)
        self.assertEqual(len(pair.client.codec.core.heads), 1)
        self.assertEqual(pair.client.codec.streams, {})
        self.assertEqual(pair.client.owner.closed, 6)


class Taker:
    """An owner's decoder that changes what it gets."""

    encoder: object = None

    def __init__(self, seen: list[HeaderMap]) -> None:
        self.seen = seen

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        headers.set(b"x", b"y")
        headers.remove(b":path")
        self.seen.append(headers)


words = st.sampled_from((b"a", b"b", b"via", b"x" * 900))
turns = st.lists(
    st.tuples(st.sampled_from("tfe"), st.lists(st.tuples(words, words), max_size=3)), max_size=30
)


class RepeatedBlockTests(SynchronousTestCase):
    """However blocks of all kinds repeat between others, they say what they said."""

    @settings(max_examples=60, deadline=None, database=None)
    @given(turns, st.lists(st.integers(0, 29), max_size=60))
    def test_anyOrder(
        self, turns: list[tuple[str, list[tuple[bytes, bytes]]]], order: list[int]
    ) -> None:
        """With the table, without it, and only putting something into it."""
        side, encoder = Side(False), Encoder()
        side.receive(HELLO)
        streamID = -1
        for place in order:
            if place >= len(turns):
                continue
            kind, fields = turns[place]
            fields = [*REQUEST, *fields]
            if kind == "t":
                data = encoder.encode(fields)
            elif kind == "f":
                data = block(fields)
            else:
                data = b"".join(entering(*field) for field in fields)
                for field in fields:
                    encoder.header_table.add(*field)
            streamID += 2
            self.assertIsNone(side.receive(frame(1, EH | ES, streamID, data)))
            found = side.owner.requests[-1].events
            self.assertEqual(found, [("headers", list(HeaderMap(fields).pairs()), True)])
            side.owner.requests[-1].encoder.resetStream(Reset.LOCAL)


def entering(name: bytes, value: bytes) -> bytes:
    """A field as a literal that enters the table."""
    return b"\x40" + number(len(name), 0x7F, 0) + name + number(len(value), 0x7F, 0) + value
