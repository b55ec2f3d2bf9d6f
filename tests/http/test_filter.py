"""The base class of HTTP filters."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.filter import HTTPFilter


class Stream:
    """Writes down what a filter asks of its stream."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.asked.append((name, *arguments))


class HTTPFilterTests(SynchronousTestCase):
    """What a filter says of itself and what it may ask."""

    def test_defines(self) -> None:
        """A class knows which of the methods it has, inherited ones too."""

        class Base(HTTPFilter):
            def decodeHeaders(self, headers: Any, endStream: bool) -> None:
                """Looks."""

        class More(Base):
            def streamEnded(self) -> None:
                """Lets go."""

        self.assertEqual(HTTPFilter.defines, frozenset())
        self.assertEqual(More.defines, {"decodeHeaders", "streamEnded"})

    def test_watches(self) -> None:
        """What defines no method is idle; what does has to see each request unless it says."""

        class Looks(HTTPFilter):
            def encodeHeaders(self, headers: Any, endStream: bool) -> None:
                """Looks."""

        self.assertEqual(HTTPFilter().watches(None, "name"), frozenset())
        self.assertIsNone(Looks().watches(None, "name"))

    def test_verbs(self) -> None:
        """Each verb is the stream's, told who asks."""
        one = HTTPFilter()
        stream = Stream()
        one.stream = stream  # type: ignore[assignment]

        one.holdDecode()
        one.releaseDecode()
        one.holdEncode()
        one.releaseEncode()
        one.sendLocalReply(403, b"no", "why", ((b"a", b"b"),), 7)
        one.addDecodedData(b"d")
        one.addEncodedData(b"e")
        one.addDecodedTrailers()
        one.addEncodedTrailers()

        names = ["holdDecode", "releaseDecode", "holdEncode", "releaseEncode"]
        self.assertEqual(stream.asked[:4], [(name, one) for name in names])
        self.assertEqual(stream.asked[4], ("sendLocalReply", 403, b"no", "why", ((b"a", b"b"),), 7))
        added = [("addDecodedData", one, b"d"), ("addEncodedData", one, b"e")]
        self.assertEqual(stream.asked[5:7], added)
        self.assertEqual(stream.asked[7:], [("addDecodedTrailers",), ("addEncodedTrailers",)])
