"""The same bytes through both cores: what comes of them must be the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.codec.h2.bytesof import PREFACE, Fields
from tests.codec.h2.support import RESPONSE, Recorder, Side
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.codec.settings import HTTP2Settings

COMPRESSION = b"\0\0\0\x09"
STREAM_CLOSED = b"\0\0\0\5"

Asked = Iterable[tuple[Fields, bool]] | None
"""A client's requests (fields, ended); None for a server."""


def checkBoth(
    data: bytes, asked: Asked = None, cuts: Iterable[int] = (), streamErrors: bool = False
) -> list[Any]:
    """
    Feed data, cut at these places, to a codec with each core.

    But that the library ends the connection over headers of a stream that we have reset, if the
    peer had ended it before, and over interim ones: the sequences have none. Ours ignores them, as
    it does all frames of such streams (RFC 9113, 5.1).

    Returns:
        `outcome` of ours.
    """
    cuts = list(cuts)
    lean, library = (outcome(data, asked, cuts, streamErrors, which) for which in (False, True))
    last = library[-1][-1] if library[-1] else None
    if last is None or last[0] != 7 or last[3][4:] != STREAM_CLOSED:
        assert lean == library, f"{data.hex()}\n{lean}\n{library}"
    return lean


def outcome(
    data: bytes, asked: Asked, cuts: Iterable[int], streamErrors: bool, usesLibrary: bool
) -> list[Any]:
    """
    Feed data in pieces to a codec whose owner answers what it can.

    Returns:
        Details of the failure, what decoders were told, what the owner was told, what was counted,
        the frames that were sent.
    """
    settings = HTTP2Settings(streamErrors=streamErrors)
    side = Side(asked is not None, settings, usesLibrary=usesLibrary)
    recorders = [side.request(tuple(fields), ended) for fields, ended in asked or ()]
    details = None
    places = [0, *cuts, len(data)]
    for start, stop in zip(places, places[1:], strict=False):
        details = side.receive(data[start:stop])
        if details is not None:
            break
        answer(side.owner.requests)
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


def answer(requests: list[Recorder]) -> None:
    """Each request that was not, without an end."""
    for request in requests:
        encoder = request.encoder
        if "headers" in request.kinds() and not encoder.answered:
            encoder.encodeHeaders(HeaderMap(RESPONSE), False)
            encoder.encodeData(bytes(20_000), False)


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
