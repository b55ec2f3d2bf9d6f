"""
Heads of requests that are the same as one before but for their path and their x-request-id.

Most requests of a connection are: then only what differs has to be looked at. A head is similar if
its fields are, byte for byte, those of the other one; x-request-id may have another value of the
same length. Everything else is for the parser.
"""

from __future__ import annotations

import re

from twisted_envoy.codec.h1.request import RequestHead
from twisted_envoy.codec.headers import HeaderMap

_REQUEST_ID = b"x-request-id"
_ID_LINE = b"\r\nx-request-id: "
_ENDS = b" HTTP/1.1"
_ENDING = len(_ENDS)
_PATH = re.compile(rb"/[!-~]*")
_VALUE = re.compile(rb"[!-~]+")


def readSimilar(block: bytes, seen: bytes, head: RequestHead) -> HeaderMap | None:
    """
    Read a head that is similar to one before.

    Args:
        block: the whole head. seen: that other one. head: what it says.
    Returns:
        The headers; None when the head has to be parsed.
    """
    end = block.find(b"\r\n")
    path = len(head.method) + 1
    target = block[path : end - _ENDING]
    if (
        block[: path + 1] != seen[: path + 1]  # the method, a blank, and the slash, as _PATH says
        or head.raw
        or block[end - _ENDING : end] != _ENDS
        or seen[seen.find(b"\r\n") - _ENDING :][:_ENDING] != _ENDS
        or _PATH.fullmatch(target) is None
    ):
        return None
    fields = block[end:]
    known = seen[seen.find(b"\r\n") :]
    value = None
    if fields != known:
        value = _otherID(fields, known)
        if value is None:
            return None
    headers = head.headers.copy()
    headers[b":path"] = target
    if value is not None:
        if headers.more is not None and _REQUEST_ID in headers.more:
            return None  # which of them it is, is not known
        headers[_REQUEST_ID] = value
    return headers


def placeOfID(seen: bytes) -> tuple[int, int] | None:
    """Where in a whole head the value of its x-request-id begins and ends; None: not sure."""
    start = seen.find(_ID_LINE) + len(_ID_LINE)
    end = seen.find(b"\r\n", start)
    if start < len(_ID_LINE) or seen.find(_ID_LINE, end) >= 0 or seen[end + 2] in b" \t":
        return None
    return start, end


def isSameButID(block: bytes, seen: bytes, place: tuple[int, int]) -> bool:
    """Whether only the x-request-id at that place differs, and is one."""
    start, end = place
    return (
        block[:start] == seen[:start]
        and block[end:] == seen[end:]
        and _VALUE.fullmatch(block, start, end) is not None
    )


def _otherID(fields: bytes, known: bytes) -> bytes | None:
    """The request's id, if that is all that differs."""
    if len(fields) != len(known):
        return None
    start = known.find(_ID_LINE) + len(_ID_LINE)
    end = known.find(b"\r\n", start)
    if start < len(_ID_LINE) or fields[:start] != known[:start] or fields[end:] != known[end:]:
        return None
    if known[end + 2] in b" \t":
        return None  # a folded line
    value = fields[start:end]
    return None if _VALUE.fullmatch(value) is None else value
