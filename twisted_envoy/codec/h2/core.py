"""
The seam between a connection and its core: header blocks, SETTINGS, who may send headers when.

    core           is
    lean.py        ours: the states are those of the codec's own streams
    library.py     the h2 library, as a reference; `HTTP2Settings.usesLibrary` takes it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from twisted_envoy.codec.h2.requested import Requested
from twisted_envoy.codec.headers import HeaderMap

REQUEST = 0
RESPONSE = 1
INTERIM = 2
TRAILERS = 3
STREAM_ERROR = 4

Fields = Iterable[tuple[bytes, bytes]]
Block = tuple[int, int, Fields, bool]
"""One of the kinds above, the stream, the fields, whether the stream ends with it."""
Entered = list[tuple[bytes, bytes]]
Head = tuple[HeaderMap, int, Entered, Any]
"""
What a whole block says, checked, its content-length (-1: none), what it puts into the table, and
what becomes of it: of a request IReadyAnswers.knownFor, of an answer an AnswerHead.
"""


class Core(Protocol):
    """
    The state of one connection.

    Attributes:
        heads: what blocks say now that may come again. For such a block `receive` is not called,
            but `began` for a request and `entered`, if it puts something into the table. Its map is
            copied by who takes it.
        tracks: it keeps states of streams, and has to be told where bodies end.
        highest: the last stream that the client has begun; 0 before the first.
        output: what the peer has to get after `receive`; taken by the caller.
    """

    heads: dict[bytes, Head]
    output: bytes
    tracks: bool

    @property
    def highest(self) -> int: ...

    @property
    def takesMore(self) -> bool:
        """The peer allows another stream, and there is a number for it."""

    def nextStreamID(self) -> int:
        """
        For a client's next request.

        Raises:
            ConnectionFailure: there is none left, or the peer allows none.
        """

    def began(self, streamID: int) -> None:
        """The client begins a stream above `highest`, with a known head."""

    def entered(self, fields: Entered) -> None:
        """A known head's fields go into the table again."""

    def begin(self, streamID: int) -> None:
        """The client begins a stream above `highest` with headers that come in pieces."""

    def receive(
        self, flags: int, streamID: int, data: bytes, start: int, stop: int
    ) -> Block | None:
        """
        Take one HEADERS frame with a whole block.

        Args:
            start, stop: its payload in data; the frame's header stands before.
        Returns:
            The block; STREAM_ERROR, or None, when it may not come and only `output` is to be sent.
        Raises:
            ConnectionFailure: it may not come now, or is malformed.
        """

    def keep(
        self, headers: HeaderMap, length: int, knownFor: Callable[[HeaderMap], Any] | None = None
    ) -> None:
        """
        The block that came last says this, and has no fault.

        Args:
            knownFor: asked what becomes of it when it comes again.
        """

    def receiveSettings(self, data: bytes, start: int, stop: int) -> dict[int, int]:
        """
        Take one SETTINGS frame that is no ACK and whose size is right; `output` has the ACK.

        Returns:
            identifier -> value.
        Raises:
            ConnectionFailure: a value is out of its range.
        """

    def settingsAcked(self) -> None:
        """The peer knows our SETTINGS."""

    def sendHeaders(
        self, streamID: int, fields: Fields, endStream: bool, interim: bool = False
    ) -> bytes:
        """
        A header block, for a new stream or one that is open on our side.

        Raises:
            ConnectionFailure: the peer allows no further stream now.
        """

    def request(self, streamID: int, requested: Requested, value: bytes) -> bytes:
        """A whole request without a body, on the next stream; the frames, END_STREAM included."""

    def answer(self, streamID: int, fields: HeaderMap, body: bytes) -> bytes:
        """
        A whole response with one value of each header; the frames of both, END_STREAM included.

        Args:
            fields: the same map if they are the same as before. body: fits into one frame.
        """

    def endSent(self, streamID: int) -> None:
        """A body of ours has ended; told if it `tracks`."""

    def endReceived(self, streamID: int) -> None:
        """A body of the peer's has ended; the same."""

    def reset(self, streamID: int, code: int) -> bytes:
        """End a stream: the frame."""

    def resetReceived(self, streamID: int) -> None:
        """The peer has ended a stream."""
