"""
How a request and its response pass the HTTP filters.

A plan (http.filter_plan) says which filter has a say in which direction. A stream has one passage
for each direction where somebody besides the terminal filter has; a filter that holds keeps there
what comes later, until it is released.

Envoy: Http::FilterManager
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.filter_plan import Step

if TYPE_CHECKING:
    from twisted_envoy.http.filter import HTTPFilter
    from twisted_envoy.http.stream import HTTPStream


class _Held:
    """What waits behind a filter that holds."""

    __slots__ = ("chunks", "ended", "headers", "headersEnd", "size", "trailers")

    def __init__(self) -> None:
        self.headers: HeaderMap | None = None
        self.headersEnd = False
        self.chunks: list[bytes] = []
        self.size = 0
        self.ended = False
        self.trailers: HeaderMap | None = None


class Direction:
    """
    One direction of one stream.

    Args:
        stream: what it is a part of. filters: of the stream.
        steps: of the plan, in this direction's order.

    Attributes:
        heldBytes: queued behind filters that hold.
    """

    __slots__ = ("_added", "_filters", "_holds", "_steps", "_stream", "heldBytes")

    def __init__(
        self, stream: HTTPStream, filters: Sequence[HTTPFilter], steps: tuple[Step, ...]
    ) -> None:
        self._stream = stream
        self._filters = filters
        self._steps = steps
        self._holds: dict[int, _Held] = {}
        self._added: HeaderMap | None = None
        self.heldBytes = 0

    # What each direction has of its own.

    def _headersTo(self, filter: Any, headers: HeaderMap, endStream: bool) -> None:
        raise NotImplementedError

    def _dataTo(self, filter: Any, data: bytes, endStream: bool) -> bytes:
        raise NotImplementedError

    def _trailersTo(self, filter: Any, trailers: HeaderMap) -> None:
        raise NotImplementedError

    def _isOver(self) -> bool:
        """Nothing passes any more."""
        raise NotImplementedError

    def _headersOut(self, headers: HeaderMap, endStream: bool) -> None:
        """Past the last filter."""

    def _dataOut(self, data: bytes, endStream: bool) -> None:
        """Past the last filter."""

    def _trailersOut(self, trailers: HeaderMap) -> None:
        """Past the last filter."""

    def _heldChanged(self) -> None:
        """heldBytes has another value."""

    # Passing.

    def headers(self, headers: HeaderMap, endStream: bool, start: int = 0) -> None:
        """Headers come; start: which step is next."""
        for index, takes, _, _ in self._steps[start:]:
            if takes:
                self._headersTo(self._filters[index], headers, endStream)
                if self._isOver():
                    return
            held = self._holds.get(index)
            if held is not None:
                held.headers = headers
                held.headersEnd = held.ended = endStream
                return
        self._headersOut(headers, endStream)

    def data(self, data: bytes, endStream: bool, start: int = 0) -> None:
        """Body bytes come."""
        for index, _, takes, _ in self._steps[start:]:
            if takes:
                data = self._dataTo(self._filters[index], data, endStream)
                if self._isOver():
                    return
                if data.__class__ is not bytes:
                    raise TypeError(f"{self._filters[index]!r} returned {data!r}, not bytes")
                if endStream and self._added is not None:
                    self._endWithTrailers(index, data)
                    return
            held = self._holds.get(index)
            if held is not None:
                self._queue(held, data, endStream)
                return
            if not data and not endStream:
                return
        self._dataOut(data, endStream)

    def trailers(self, trailers: HeaderMap, start: int = 0) -> None:
        """Trailers come, the last of it all."""
        for index, _, _, takes in self._steps[start:]:
            if takes:
                self._trailersTo(self._filters[index], trailers)
                if self._isOver():
                    return
            held = self._holds.get(index)
            if held is not None:
                held.trailers = trailers
                held.ended = True
                return
        self._trailersOut(trailers)

    def insert(self, index: int, data: bytes) -> None:
        """Body bytes that a filter has left over when it is given the trailers."""
        if data:
            self.data(data, False, self._after(index))

    def addTrailers(self) -> HeaderMap:
        """A filter that is given the last body bytes ends the message with trailers instead."""
        self._added = HeaderMap()
        return self._added

    def _endWithTrailers(self, index: int, data: bytes) -> None:
        trailers, self._added = cast(HeaderMap, self._added), None
        self.insert(index, data)
        if not self._isOver():
            self.trailers(trailers, self._after(index))

    def _after(self, index: int) -> int:
        """Which step is next after a filter's."""
        return next(n for n, step in enumerate(self._steps) if step[0] == index) + 1

    def _queue(self, held: _Held, data: bytes, endStream: bool) -> None:
        held.ended = endStream
        if data:
            held.chunks.append(data)
            held.size += len(data)
            self.heldBytes += len(data)
            self._heldChanged()

    # Holding.

    def hold(self, index: int) -> None:
        """Let nothing pass this filter."""
        if index not in self._holds:
            self._holds[index] = _Held()

    def release(self, index: int) -> None:
        """Let pass what waited there, in its order."""
        held = self._holds.pop(index, None)
        if held is None or self._isOver():
            return
        start = self._after(index)
        chunks = held.chunks
        if chunks:
            self.heldBytes -= held.size
            self._heldChanged()
        if held.headers is not None:
            only = held.ended and not chunks and held.trailers is None
            self.headers(held.headers, only, start)
            if only:
                return
        last = len(chunks) - 1 if held.ended and held.trailers is None else -1
        for number, data in enumerate(chunks):
            if self._isOver():
                return
            self.data(data, number == last, start)
        if self._isOver():
            return
        if held.trailers is not None:
            self.trailers(held.trailers, start)
        elif held.ended and not chunks and held.headers is None:
            self.data(b"", True, start)

    def releaseSome(self, index: int, size: int) -> None:
        """Let pass so many of the body bytes that wait there; what is left goes on waiting."""
        held = self._holds.get(index)
        if held is None or held.headers is not None:
            return
        if size >= held.size:
            self.release(index)
            return
        passing = []
        while size > 0:
            data = held.chunks.pop(0)
            if len(data) > size:
                held.chunks.insert(0, data[size:])
                data = data[:size]
            size -= len(data)
            held.size -= len(data)
            self.heldBytes -= len(data)
            passing.append(data)
        self._heldChanged()
        start = self._after(index)
        if passing and not self._isOver():
            self.data(b"".join(passing), False, start)


class Decoding(Direction):
    """The request's passage; its last filter is the terminal one."""

    __slots__ = ()

    def _headersTo(self, filter: Any, headers: HeaderMap, endStream: bool) -> None:
        filter.decodeHeaders(headers, endStream)

    def _dataTo(self, filter: Any, data: bytes, endStream: bool) -> bytes:
        passed: bytes = filter.decodeData(data, endStream)
        return passed

    def _trailersTo(self, filter: Any, trailers: HeaderMap) -> None:
        filter.decodeTrailers(trailers)

    def _isOver(self) -> bool:
        return self._stream.decodingEnded

    def _heldChanged(self) -> None:
        self._stream.heldRequestChanged(self.heldBytes)


class Encoding(Direction):
    """The response's passage; past its last filter is the codec."""

    __slots__ = ()

    def _headersTo(self, filter: Any, headers: HeaderMap, endStream: bool) -> None:
        filter.encodeHeaders(headers, endStream)

    def _dataTo(self, filter: Any, data: bytes, endStream: bool) -> bytes:
        passed: bytes = filter.encodeData(data, endStream)
        return passed

    def _trailersTo(self, filter: Any, trailers: HeaderMap) -> None:
        filter.encodeTrailers(trailers)

    def _isOver(self) -> bool:
        return self._stream.ended

    def _headersOut(self, headers: HeaderMap, endStream: bool) -> None:
        self._stream.sendHeaders(headers, endStream)

    def _dataOut(self, data: bytes, endStream: bool) -> None:
        self._stream.sendData(data, endStream)

    def _trailersOut(self, trailers: HeaderMap) -> None:
        self._stream.sendTrailers(trailers)

    def _heldChanged(self) -> None:
        self._stream.heldResponseChanged(self.heldBytes)


class Straight:
    """The request's way when only the terminal filter looks at it."""

    __slots__ = ("_terminal",)

    heldBytes = 0

    def __init__(self, terminal: Any) -> None:
        self._terminal = terminal

    def headers(self, headers: HeaderMap, endStream: bool) -> None:
        self._terminal.decodeHeaders(headers, endStream)

    def data(self, data: bytes, endStream: bool) -> None:
        self._terminal.decodeData(data, endStream)

    def trailers(self, trailers: HeaderMap) -> None:
        self._terminal.decodeTrailers(trailers)

    def hold(self, index: int) -> None:
        """Nothing comes after it."""

    def release(self, index: int) -> None:
        """Nothing waits."""
