"""
Is this the beginning of an HTTP request, and of which version? Sans-IO.

    first bytes                               answer
    the preface of HTTP/2                     h2c
    a request line of HTTP/1.1                http/1.1
    one of another version, or of none        http/1.0
    part of either                            None: more is needed
    anything else                             NotHTTP

Envoy: source/extensions/filters/listener/http_inspector
"""

from __future__ import annotations

import re

from twisted_envoy.codec.h1.request import parseRequestLine
from twisted_envoy.codec.http import CodecError

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MOST = 65536
"""Bytes of a request line that are waited for."""

_FIRST = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]")


class NotHTTP(Exception):
    """These bytes begin no request."""


class HTTPReader:
    """Looks at the growing beginning of one connection; a line is searched for its end once."""

    __slots__ = ("_searched",)

    def __init__(self) -> None:
        self._searched = 0

    def feed(self, data: bytes) -> str | None:
        """
        Look at everything that has come so far.

        Returns:
            `http/1.0`, `http/1.1` or `h2c` as ALPN spells them; None when that is not clear yet.
        Raises:
            NotHTTP: it is something else.
        """
        if data.startswith(PREFACE[: len(data)]):
            return "h2c" if len(data) >= len(PREFACE) else None
        if _FIRST.match(data) is None:
            raise NotHTTP
        end = data.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(data)
            return None
        line = data[:end]
        try:
            _, _, current = parseRequestLine(line[:-1] if line.endswith(b"\r") else line, True)
        except CodecError:
            raise NotHTTP from None
        return "http/1.1" if current else "http/1.0"
