"""How requests and responses pass HTTP filters."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.filter_chain import Decoding, Encoding
from twisted_envoy.http.filter_plan import FilterPlan


class Idle(HTTPFilter):
    """Defines nothing."""

    __slots__ = ()


class Teller(HTTPFilter):
    """Writes down what it is asked; holds when it is told to."""

    __slots__ = ("holdOn", "name", "said")

    def __init__(self, name: str = "", said: list[Any] | None = None, holdOn: str = "") -> None:
        self.name = name
        self.said: list[Any] = [] if said is None else said
        self.holdOn = holdOn

    def _tell(self, what: str, *more: Any) -> None:
        self.said.append((self.name, what, *more))

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self._tell("headers", endStream)
        if self.holdOn == "headers":
            self.holdDecode()

    def decodeData(self, data: bytes, endStream: bool) -> bytes:
        self._tell("data", data, endStream)
        if self.holdOn == "data":
            self.holdDecode()
        return data

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        self._tell("trailers")

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self._tell("encode headers", endStream)

    def encodeData(self, data: bytes, endStream: bool) -> bytes:
        self._tell("encode data", data, endStream)
        return data.upper()

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        self._tell("encode trailers")


class Stream:
    """As much of an HTTPStream as passages need."""

    def __init__(self, *filters: HTTPFilter) -> None:
        self.decodingEnded = self.ended = False
        self.held: list[int] = []
        self.sent: list[Any] = []
        self.filters = filters
        plan = FilterPlan([lambda one=one: one for one in filters])  # type: ignore[misc]
        stream: Any = self
        self.decoding = Decoding(stream, filters, plan.decodeSteps)
        self.encoding = Encoding(stream, filters, plan.encodeSteps)
        for index, one in enumerate(filters):
            one.index = index
            one.stream = stream

    def holdDecode(self, filter: HTTPFilter) -> None:
        self.decoding.hold(filter.index)

    def heldRequestChanged(self, size: int) -> None:
        self.held.append(size)

    def heldResponseChanged(self, size: int) -> None:
        self.held.append(size)

    def sendHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self.sent.append(("headers", endStream))

    def sendData(self, data: bytes, endStream: bool) -> None:
        self.sent.append((data, endStream))

    def sendTrailers(self, trailers: HeaderMap) -> None:
        self.sent.append("trailers")


class Ender(HTTPFilter):
    """Has bytes left over when the trailers come."""

    __slots__ = ("passage", "rest")

    def __init__(self, rest: bytes) -> None:
        self.rest = rest
        self.passage: Any = None

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        self.passage.insert(self.index, self.rest)


class PassageTests(SynchronousTestCase):
    """Order, holding and releasing."""

    def test_insert(self) -> None:
        """What a filter has left over passes those behind it, before the trailers; nothing is."""
        for rest in (b"rest", b""):
            said: list[Any] = []
            ender = Ender(rest)
            stream = Stream(Teller("a", said), ender, Teller("b", said))
            ender.passage = stream.decoding

            stream.decoding.headers(HeaderMap(), False)
            stream.decoding.trailers(HeaderMap())

            expected = [("b", "data", rest, False)] if rest else []
            self.assertEqual(said[2:], [("a", "trailers"), *expected, ("b", "trailers")])

    def test_insertWhereItIsHeld(self) -> None:
        """It waits with the trailers."""
        said: list[Any] = []
        ender = Ender(b"rest")
        stream = Stream(ender, Teller("b", said, holdOn="headers"), Teller("c", said))
        ender.passage = stream.decoding

        stream.decoding.headers(HeaderMap(), False)
        stream.decoding.trailers(HeaderMap())
        before = list(said)
        stream.decoding.release(1)

        self.assertEqual(before[-1], ("b", "trailers"))
        self.assertEqual(
            said[len(before) :],
            [("c", "headers", False), ("c", "data", b"rest", False), ("c", "trailers")],
        )

    def test_requestInOrder(self) -> None:
        """Every filter sees headers, data and trailers, the first one first."""
        said: list[Any] = []
        stream = Stream(Teller("a", said), Idle(), Teller("b", said))

        stream.decoding.headers(HeaderMap(), False)
        stream.decoding.data(b"x", False)
        stream.decoding.trailers(HeaderMap())

        self.assertEqual(
            said,
            [
                *(("a", "headers", False), ("b", "headers", False)),
                *(("a", "data", b"x", False), ("b", "data", b"x", False)),
                *(("a", "trailers"), ("b", "trailers")),
            ],
        )

    def test_responseInReverse(self) -> None:
        """The response passes the last filter first, and what one changes the next one gets."""
        said: list[Any] = []
        stream = Stream(Teller("a", said), Teller("b", said))

        stream.encoding.headers(HeaderMap(), False)
        stream.encoding.data(b"x", True)

        self.assertEqual(
            [one[:2] for one in said[:2]], [("b", "encode headers"), ("a", "encode headers")]
        )
        self.assertEqual(said[3], ("a", "encode data", b"X", True))
        self.assertEqual(stream.sent, [("headers", False), (b"X", True)])

    def test_heldThenReleased(self) -> None:
        """What comes while a filter holds passes it and waits; released, it goes on in order."""
        said: list[Any] = []
        first = Teller("a", said, "headers")
        stream = Stream(first, Teller("b", said))
        stream.decoding.headers(HeaderMap(), False)
        stream.decoding.data(b"12", False)
        stream.decoding.data(b"3", True)
        self.assertEqual([one for one in said if one[0] == "b"], [])
        self.assertEqual(stream.decoding.heldBytes, 3)

        stream.decoding.release(first.index)

        self.assertEqual(
            [one for one in said if one[0] == "b"],
            [("b", "headers", False), ("b", "data", b"12", False), ("b", "data", b"3", True)],
        )
        self.assertEqual(stream.held, [2, 3, 0])

    def test_heldHeadersOnly(self) -> None:
        """Headers that end the stream still do after they were held."""
        said: list[Any] = []
        first = Teller("a", said, "headers")
        stream = Stream(first, Teller("b", said))
        stream.decoding.headers(HeaderMap(), True)

        stream.decoding.release(first.index)

        self.assertEqual(said[1:], [("b", "headers", True)])

    def test_heldTrailers(self) -> None:
        """Trailers end the stream, the data before them does not."""
        said: list[Any] = []
        first = Teller("a", said, "headers")
        stream = Stream(first, Teller("b", said))
        stream.decoding.headers(HeaderMap(), False)
        stream.decoding.data(b"1", False)
        stream.decoding.trailers(HeaderMap())

        stream.decoding.release(first.index)

        self.assertEqual(
            [one[1:] for one in said if one[0] == "b"],
            [("headers", False), ("data", b"1", False), ("trailers",)],
        )

    def test_twoHold(self) -> None:
        """What one releases waits again behind the next one that holds."""
        said: list[Any] = []
        filters = [Teller("a", said, "headers"), Teller("b", said, "headers"), Teller("c", said)]
        stream = Stream(*filters)
        stream.decoding.headers(HeaderMap(), False)
        stream.decoding.data(b"1", True)

        stream.decoding.release(0)
        self.assertEqual([one for one in said if one[0] == "c"], [])
        stream.decoding.release(1)

        self.assertEqual(
            [one[1:] for one in said if one[0] == "c"], [("headers", False), ("data", b"1", True)]
        )

    def test_overInTheMiddle(self) -> None:
        """A filter that ends the stream keeps the next ones from it."""
        said: list[Any] = []

        class Ender(HTTPFilter):
            def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
                self.stream.decodingEnded = True

        stream = Stream(Ender(), Teller("b", said))

        stream.decoding.headers(HeaderMap(), False)

        self.assertEqual(said, [])

    def test_endAfterHeldData(self) -> None:
        """An end without data is passed on by itself."""
        said: list[Any] = []
        first = Teller("a", said, "data")
        stream = Stream(first, Teller("b", said))
        stream.decoding.headers(HeaderMap(), False)
        stream.decoding.data(b"", True)

        stream.decoding.release(first.index)

        self.assertEqual(said[-1], ("b", "data", b"", True))

    def test_someOfIt(self) -> None:
        """So many bytes pass as are let; what is left waits, the end behind it."""
        said: list[Any] = []
        first = Teller("a", said, "data")
        stream = Stream(first, Teller("b", said))
        stream.decoding.headers(HeaderMap(), False)
        stream.decoding.data(b"abc", False)
        stream.decoding.data(b"defg", False)
        stream.decoding.data(b"h", True)

        for size in (0, 2, 4, 1, 9):
            stream.decoding.releaseSome(first.index, size)
            held = stream.decoding.heldBytes
            said.append(("held", held))

        self.assertEqual(
            [one[-1] if one[0] == "held" else one[2:] for one in said if one[0] != "a"],
            [
                *((False,), 8),
                *((b"ab", False), 6),
                *((b"cdef", False), 2),
                *((b"g", False), 1),
                *((b"h", True), 0),
            ],
        )
        stream.decoding.releaseSome(first.index, 1)

    def test_someOfHeldHeaders(self) -> None:
        """Where headers wait, nothing passes before them."""
        said: list[Any] = []
        first = Teller("a", said, "headers")
        stream = Stream(first, Teller("b", said))
        stream.decoding.headers(HeaderMap(), False)
        stream.decoding.data(b"abc", True)

        stream.decoding.releaseSome(first.index, 9)

        self.assertEqual([one for one in said if one[0] == "b"], [])


class AddedTrailersTests(SynchronousTestCase):
    """A filter that ends a message with trailers of its own."""

    def test_added(self) -> None:
        """Those behind it get the last bytes and then the trailers; no empty bytes."""

        class Adder(HTTPFilter):
            passage: Any = None
            rest = b""

            def decodeData(self, data: bytes, endStream: bool) -> bytes:
                if endStream:
                    self.passage.addTrailers().set(b"a", b"b")
                return self.rest

        for rest in (b"rest", b""):
            said: list[Any] = []
            adder = Adder()
            adder.rest = rest
            stream = Stream(adder, Teller("b", said))
            adder.passage = stream.decoding

            stream.decoding.headers(HeaderMap(), False)
            stream.decoding.data(b"x", True)

            expected = [("b", "data", rest, False)] if rest else []
            self.assertEqual(said[1:], [*expected, ("b", "trailers")])
