"""
Random bytes, random cuts, mutated exchanges: nothing but CodecError comes out of a codec.

The same goes through both cores, and the same must come of it: what the owner is told, what is
counted, and each frame that is sent.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import (
    EH,
    ES,
    HELLO,
    PING,
    PREFACE,
    SETTINGS,
    block,
    frame,
    headers,
    rst,
    window,
)
from tests.codec.h2.support import REQUEST, RESPONSE, Side
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.codec.settings import HTTP2Settings

few = settings(max_examples=150, deadline=None, database=None, derandomize=True)
COMPRESSION = b"\0\0\0\x09"
STREAM_CLOSED = b"\0\0\0\5"

frames = st.builds(
    frame,
    st.integers(0, 11),
    st.integers(0, 255),
    st.sampled_from((0, 1, 2, 3, 5, 7, 2**31 - 1)),
    st.one_of(
        st.binary(max_size=40),
        st.just(block()),
        st.just(block(RESPONSE)),
        st.just(block([(b"a", b"b")])),
        st.just(bytes(4)),
        st.just(b"\x7f\xff\xff\xff"),
    ),
)
good = st.sampled_from(
    (
        headers(1),
        headers(1, flags=EH),
        headers(3),
        headers(5, flags=EH),
        headers(1, RESPONSE, EH),
        headers(3, RESPONSE, ES | EH),
        headers(1, [(b"x", b"y")]),
        frame(0, 0, 1, b"data"),
        frame(0, ES, 1, b"data"),
        frame(0, ES, 5),
        window(0, 1000),
        window(1, 1000),
        rst(1),
        rst(3),
        PING,
        SETTINGS,
        frame(7, 0, 0, bytes(8)),
    )
)


def feed(client: bool, data: bytes, cuts: list[int], streamErrors: bool) -> None:
    """
    Both cores take the same, and the same comes of it.

    But that the library ends the connection over headers of a stream that we have reset if the
    peer had ended it before; ours ignores them, as it does all frames of such streams.
    """
    lean = outcome(client, data, cuts, HTTP2Settings(streamErrors=streamErrors), False)
    library = outcome(client, data, cuts, HTTP2Settings(streamErrors=streamErrors), True)
    last = library[-1][-1] if library[-1] else None
    if last is None or last[0] != 7 or last[3][4:] != STREAM_CLOSED:
        assert lean == library, f"{lean}\n{library}"


def outcome(
    client: bool, data: bytes, cuts: list[int], settings: HTTP2Settings, usesLibrary: bool
) -> list[Any]:
    """Feed data in pieces to a codec whose owner answers what it can; everything that it does."""
    side = Side(client, settings, usesLibrary=usesLibrary)
    recorders = [side.request(REQUEST, ended) for ended in (True, False, True)] if client else []
    details = None
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, stop in zip(places, places[1:], strict=False):
        details = side.receive(data[start:stop])
        if details is not None:
            break
        for request in side.owner.requests:
            encoder = request.encoder
            if "headers" in request.kinds() and not encoder.answered:
                encoder.encodeHeaders(HeaderMap(RESPONSE), False)
                encoder.encodeData(bytes(20_000), False)
    side.codec.pauseProducing()
    side.codec.resumeProducing()
    assert side.stats.streams_active.value >= 0
    side.codec.connectionLost(Reset.CONNECTION_TERMINATION)
    assert side.stats.streams_active.value == 0
    assert side.stats.pending_send_bytes.value == 0
    told = [(bytes(one.body), one.events) for one in (*recorders, *side.owner.requests)]
    owner = side.owner.goAways, side.owner.maxConcurrent, side.owner.closed
    counted = {name: stat.value for name, stat in vars(side.stats).items()}
    return [details, told, owner, counted, sent(side.wire.take())]


def sent(data: bytes) -> list[tuple[int, int, int, bytes]]:
    """Type, flags, stream and payload of our frames; a header block may be any."""
    data = data.removeprefix(PREFACE)
    found = []
    while data:
        stop = 9 + int.from_bytes(data[:3], "big")
        payload = b"" if data[3] == 1 else data[9:stop]
        if payload[4:] == COMPRESSION and data[3] == 7:
            payload = COMPRESSION  # the library does not count a stream whose head comes in pieces
        found.append((data[3], data[4], int.from_bytes(data[5:9], "big"), payload))
        data = data[stop:]
    return found


cutPoints = st.lists(st.integers(0, 5000), max_size=6)


class FuzzTests(SynchronousTestCase):
    """Both roles; feed() fails on any other exception and on what is left behind."""

    @few
    @given(st.booleans(), st.binary(max_size=300), cutPoints)
    def test_randomBytes(self, client: bool, data: bytes, cuts: list[int]) -> None:
        """After a right beginning or none."""
        feed(client, data, cuts, False)
        feed(client, (SETTINGS if client else HELLO) + data, cuts, True)

    @few
    @given(st.booleans(), st.lists(st.one_of(frames, good), max_size=12), cutPoints, st.booleans())
    def test_randomFrames(
        self, client: bool, pieces: list[bytes], cuts: list[int], streamErrors: bool
    ) -> None:
        """Well cut frames with random contents among right ones."""
        data = (SETTINGS if client else HELLO) + b"".join(pieces)
        feed(client, data, cuts, streamErrors)

    @few
    @given(
        st.booleans(),
        st.lists(good, min_size=1, max_size=8),
        st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4),
        cutPoints,
    )
    def test_mutatedExchanges(
        self, client: bool, pieces: list[bytes], changes: list[tuple[int, int]], cuts: list[int]
    ) -> None:
        """Right frames with a few bytes changed."""
        data = bytearray((SETTINGS if client else HELLO) + b"".join(pieces))
        for place, byte in changes:
            data[place % len(data)] = byte
        feed(client, bytes(data), cuts, False)
