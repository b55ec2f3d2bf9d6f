"""Lines that differ in a time and a UUID, beside the same ones that records give."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.access_log.stamp import Stamp, encoded, isStampable
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.line import Line
from twisted_envoy.formatter.sameness import ANSWER
from twisted_envoy.formatter.text import DEFAULT_FORMAT, compileText
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

UUIDS = (b"a7742207-012c-4ab8-b53d-ed97f48b80d6", b"01234567-89ab-4def-8123-456789abcdef")
START = 1795400112.374098
FORMATS = (
    DEFAULT_FORMAT,
    "%START_TIME%%START_TIME_LOCAL%%REQ(x-request-id)%%REQ(X-REQUEST-ID)%\n",
    "%REQ(X-REQUEST-ID)% %START_TIME(%s.%3f)% %EMIT_TIME(%Y %E0S %E1S %E2f %2f%%)%",
    "%EMIT_TIME_LOCAL(%c %z)% 100%%\n",
    "é %REQ(A)% %STREAM_ID%%START_TIME(é %E1S)%\n",
)
STRUCT = {
    "began": "%START_TIME%",
    "ended": "%EMIT_TIME()%",
    "id": "%REQ(X-REQUEST-ID)%",
    "quoted": '%START_TIME(%H"%M)%',
    "deep": [{"path": "%REQ(:PATH)%", "none": None, "id": "%REQ(X-REQUEST-ID)%"}, 1],
}


def record(now: float, uuid: bytes) -> FormatContext:
    """Of a request that was answered when it came."""
    info = RequestInfo(StreamInfo(now), now)
    info.endTime = info.headersReceivedTime = info.lastRequestByteReceivedTime = now
    fields = ((b":path", b"/100%"), (b"x-request-id", uuid), (b"a", b"\xc3\xa9\xc3\xff"))
    info.requestHeaders = HeaderMap(fields)
    return FormatContext(info, "DownstreamEnd", now)


def linesOf() -> list[Line]:
    """All of the above."""
    struct = compileJSON(STRUCT)
    assert isinstance(struct, Line)
    return [*map(compileText, FORMATS), struct]


class StampTests(SynchronousTestCase):
    """All write to one list."""

    def setUp(self) -> None:
        self.written: list[bytes] = []

    def stamp(self, line: Line) -> Stamp:
        """What writes lines like its first."""
        parts = line.partsAlike(record(START, UUIDS[0]), ANSWER)
        self.assertTrue(isStampable(parts, True), parts)
        return Stamp(self.written.append, parts)

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.one_of(
                st.floats(0, 4e9),
                st.integers(0, 3000).map(lambda count: START + count / 1e6),
                st.integers(0, 3000).map(lambda count: 1795400112 + count / 1e6),
                st.integers(0, 30).map(lambda count: count / 1e4),
            ),
            min_size=1,
        )
    )
    def test_sameLines(self, times: list[float]) -> None:
        """Whatever the time is, and whichever came before, the line is that of the record."""
        for line in linesOf():
            stamp = self.stamp(line)
            for number, now in enumerate(times):
                uuid = UUIDS[number % 2]
                stamp.write(now, uuid)
                self.assertEqual(self.written[-1], encoded(line(record(now, uuid))))

    def test_kept(self) -> None:
        """Within a millisecond no text is made anew."""
        made: list[float] = []
        (hole,) = compileText("%START_TIME%").partsAlike(record(START, b""), ANSWER)
        assert not isinstance(hole, str)

        def moment(seconds: float) -> str:
            made.append(seconds)
            return "now"

        stamp = Stamp(self.written.append, ("at ", hole._replace(moment=moment)))
        for microseconds in (1, 500, 998, 1001, 1002, 1):
            stamp.write(7 + microseconds / 1e6, b"")

        self.assertEqual(made, [7.000001, 7.001001, 7.000001])
        self.assertEqual(set(self.written), {b"at now"})

    def test_stampable(self) -> None:
        """Not what tells more than the millisecond, or less of the id, or never was bytes."""
        for source in (
            "%START_TIME(%f)%\n",
            "%START_TIME(%E6S)%\n",
            "%REQ(X-REQUEST-ID):8%\n",
            "%REQ(X-REQUEST-ID?A)%\n",
            "%REQ(A?X-REQUEST-ID)%\n",
            "%DOWNSTREAM_WIRE_BYTES_SENT%\n",
            "\ud800\n",
            "%START_TIME%",
            "",
        ):
            parts = compileText(source).partsAlike(record(START, UUIDS[0]), ANSWER)
            self.assertFalse(isStampable(parts, True), source)
        struct = compileJSON({"a": "%START_TIME% %REQ(X-REQUEST-ID)%"})
        assert isinstance(struct, Line)
        self.assertFalse(isStampable(struct.partsAlike(record(START, UUIDS[0]), ANSWER), True))

    def test_late(self) -> None:
        """Another time than that of the request is not known."""
        line = compileText("%START_TIME% %EMIT_TIME%")
        parts = line.partsAlike(record(START, UUIDS[0]), ANSWER)
        self.assertEqual([isStampable(parts, isLate) for isLate in (True, False)], [True, False])
        self.assertTrue(isStampable(parts[:2], False))

    def test_oneID(self) -> None:
        """An id that all have is known, whatever it is."""
        line = compileText("%REQ(X-REQUEST-ID)% %START_TIME(%s)%")
        parts = line.partsAlike(record(START, b"any"), ANSWER, isIDSame=True)
        Stamp(self.written.append, parts).write(START, b"")
        self.assertEqual(self.written, [b"any 1795400112"])


class EncodedTests(SynchronousTestCase):
    def test_surrogates(self) -> None:
        """Odd bytes are bytes again; what never was a byte is spelt out."""
        self.assertEqual(encoded("é\udce9"), b"\xc3\xa9\xe9")
        self.assertEqual(encoded("é\ud800"), b"\xc3\xa9\\ud800")
