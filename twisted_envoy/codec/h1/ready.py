"""
Whole requests like the one before that are answered without a stream (`IReadyAnswers`).

Envoy: source/common/http/http1/codec_impl.cc (ResponseEncoderImpl)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted_envoy.codec.h1.encode import CRLF, STATUS_LINES, fieldLines, statusLine
from twisted_envoy.codec.h1.request import RequestHead
from twisted_envoy.codec.h1.server_stream import H1ServerStream
from twisted_envoy.codec.h1.similar import isSameButID, placeOfID
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Traffic

if TYPE_CHECKING:
    from twisted_envoy.codec.h1.server import H1ServerCodec

_OK = b"200"
_LINES = len(STATUS_LINES[_OK]) + len(CRLF)
"""Bytes of a head that are none of its fields."""


def findKnown(codec: H1ServerCodec, head: RequestHead, block: bytes) -> None:
    """
    Find what becomes of a head that has come again.

    Args:
        head: what it says, for `asked`, `ready`, `place` and `template`. block: its bytes.
    """
    head.asked = True
    if codec.answers is None or head.length or head.raw or not (head.isUsual and codec.isPlain):
        return
    known = codec.answers.knownFor(head.headers)
    if known is None:
        return
    if not known.isReady:
        head.template = known
    elif known.body and known.headers[b":status"] == _OK:
        head.ready = known
        head.place = placeOfID(block)


def answeredLike(codec: H1ServerCodec, block: bytes, seen: bytes, head: RequestHead) -> bool:
    """The same as answeredAtOnce of what may be another head, but for its x-request-id."""
    return (
        head.place is not None
        and len(block) == len(seen)
        and isSameButID(block, seen, head.place)
        and answeredAtOnce(codec, head, block)
    )


def answeredAtOnce(codec: H1ServerCodec, head: RequestHead, block: bytes) -> bool:
    """Answer such a request; False, and nothing is done: it has to have a stream."""
    output = codec.output
    ready = head.ready
    if codec.full or output.pieces or not codec.answers.answersAtOnce(ready):
        return False
    codec.countAnswered()
    wire = ready.wire
    if not wire:
        lines = statusLine(_OK, "HTTP/1.1") + fieldLines(ready.headers)
        wire = ready.wire = b"%b%b%b" % (lines, CRLF, ready.body)
        if ready.isLogged:
            sizes = (len(lines) + len(CRLF) - _LINES, len(wire))
            ready.traffic = Traffic(head.headerBytes, len(block), *sizes)
    output.write(wire)
    if ready.isLogged:
        stamp = ready.stamp
        if stamp is not None:
            stamp(ready.now)
            return True
        place = head.place
        value = b"" if place is None else block[place[0] : place[1]]
        codec.answers.answered(ready, head.headers, value, ready.traffic)
    return True


def carried(codec: H1ServerCodec, head: RequestHead, block: bytes) -> bool:
    """Have a whole request carried that has a template; False, and nothing is done: it is not."""
    if codec.full or codec.output.pieces:
        return False
    stream = H1ServerStream(codec, 0)
    stream.receivedWireBytes = len(block)
    stream.receivedHeaderBytes = head.headerBytes
    stream.head = head
    stream.received = True
    exchange = codec.answers.carry(head.template, stream)
    if exchange is None:
        return False
    codec.carrying(stream, exchange)
    return True


def carriedOther(codec: H1ServerCodec, stream: H1ServerStream, headers: HeaderMap) -> bool:
    """Have a whole request carried whose head need not have come before; False: it is not."""
    answers = codec.answers
    if (
        answers is None
        or not (stream.head.isUsual and codec.isPlain)
        or codec.full
        or codec.output.pieces
    ):
        return False
    exchange = answers.carryOther(headers, stream)
    if exchange is None:
        return False
    codec.carries(exchange)
    return True
