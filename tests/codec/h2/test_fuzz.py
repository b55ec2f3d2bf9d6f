"""
Random bytes, random cuts, mutated exchanges: nothing but CodecError comes out of a codec.

The same goes through both cores, and the same must come of it: what the owner is told, what is
counted, and each frame that is sent.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.both import checkBoth
from tests.codec.h2.bytesof import (
    EH,
    ES,
    HELLO,
    PING,
    SETTINGS,
    block,
    frame,
    headers,
    rst,
    window,
)
from tests.codec.h2.support import REQUEST, RESPONSE

few = settings(max_examples=150, deadline=None, database=None, derandomize=True)

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


ASKED = tuple((REQUEST, ended) for ended in (True, False, True))


def feed(client: bool, data: bytes, cuts: list[int], streamErrors: bool) -> None:
    """Cut at places that need not be in data."""
    places = sorted(cut % (len(data) + 1) for cut in cuts)
    checkBoth(data, ASKED if client else None, places, streamErrors)


cutPoints = st.lists(st.integers(0, 5000), max_size=6)


class FuzzTests(SynchronousTestCase):
    """Both roles; checkBoth() fails on any other exception and on what is left behind."""

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
