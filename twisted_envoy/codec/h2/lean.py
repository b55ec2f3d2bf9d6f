"""
The core of our own: HPACK, SETTINGS, and which headers may come now.

It keeps no states of streams: those that are open are the codec's, what is closed follows from
the highest number.

    HEADERS of a stream that            server                 client
    is new and above the highest        a request              PROTOCOL_ERROR
    is open                             trailers, with END     interim, response, trailers with END
    has ended on the peer's side        RST STREAM_CLOSED      RST STREAM_CLOSED
    we have reset                       nothing                nothing
    the peer has reset                  RST STREAM_CLOSED      RST STREAM_CLOSED
    was left out                        PROTOCOL_ERROR         PROTOCOL_ERROR
    has ended otherwise                 STREAM_CLOSED          STREAM_CLOSED

RFC 9113, sections 5.1, 6.2 and 6.5
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.h2 import frames
from twisted_envoy.codec.h2.answered import Answered
from twisted_envoy.codec.h2.core import (
    INTERIM,
    REQUEST,
    RESPONSE,
    STREAM_ERROR,
    TRAILERS,
    Block,
    Entered,
    Fields,
    Head,
)
from twisted_envoy.codec.h2.failures import MESSAGING, ConnectionFailure
from twisted_envoy.codec.h2.frames import (
    END_HEADERS,
    END_STREAM,
    FLOW_CONTROL_ERROR,
    HEADERS,
    PADDED,
    PRIORITY_FLAG,
    PROTOCOL_ERROR,
    STREAM_CLOSED,
    frameHeader,
    headersFrames,
    rstStream,
)
from twisted_envoy.codec.h2.hpack import Field
from twisted_envoy.codec.h2.hpack_decoder import Decoder
from twisted_envoy.codec.h2.hpack_encoder import Encoder
from twisted_envoy.codec.h2.requested import Requested
from twisted_envoy.codec.h2.resets import ResetStreams
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings

if TYPE_CHECKING:
    from twisted_envoy.codec.h2.stream import H2Stream

_FIRST_TABLE = 4096
_MOST_GAPS = 64
_MOST_KEPT = 64
_MOST_SEEN = 256
_LONGEST_KEPT = 1024
_ACK = frameHeader.pack(0, 0, frames.SETTINGS, frames.ACK, 0)

_pack = frameHeader.pack
_setting = frames.setting.unpack_from


class LeanCore:
    """
    The state of one connection; see Core.

    Args:
        streams, resets: the codec's: those that are open, those that were reset lately.
    """

    tracks = False

    __slots__ = (
        *("_answered", "_client", "_decoder", "_early", "_encoder", "_fixed", "_gaps", "_last"),
        *("_most", "_mostPayload", "_mostTable", "_passing", "_resets", "_seen", "_streams"),
        *("heads", "highest", "output"),
    )

    def __init__(
        self,
        client: bool,
        settings: HTTP2Settings,
        limits: HeaderLimits,
        streams: Mapping[int, H2Stream],
        resets: ResetStreams,
    ) -> None:
        self._client = client
        self._streams = streams
        self._resets = resets
        self._mostTable = settings.hpackTableSize
        # Smaller tables bind the peer only once it knows of them.
        allowed = max(_FIRST_TABLE, settings.hpackTableSize)
        self._decoder = Decoder(allowed, 65536 + 4 * limits.maxBytes)
        self._encoder = Encoder(settings.huffman, settings.hpackTableSize)
        self._answered = Answered()
        self._mostPayload = frames.MOST_PAYLOAD
        self._most = frames.LAST_STREAM
        self._early = 0
        self._gaps: list[tuple[int, int]] = []
        self._last = b""
        self._passing = False
        self._fixed: dict[bytes, Head] = {}
        self._seen: set[bytes] = set()
        self.heads: dict[bytes, Head] = {}
        self.highest = 0
        self.output = b""

    @property
    def takesMore(self) -> bool:
        """See Core."""
        return len(self._streams) < self._most and self.highest < frames.LAST_STREAM - 1

    def nextStreamID(self) -> int:
        """See Core."""
        streamID = self.highest + 2 if self.highest else 1
        if streamID > frames.LAST_STREAM or len(self._streams) >= self._most:
            raise ConnectionFailure(None)
        return streamID

    def began(self, streamID: int) -> None:
        """See Core."""
        following = self.highest + 2 if self.highest else 1
        if streamID != following:
            self._gaps.append((following, streamID))
            del self._gaps[:-_MOST_GAPS]
        self.highest = streamID

    # Headers in.

    def begin(self, streamID: int) -> None:
        """See Core."""
        self.began(streamID)
        self._early = streamID

    def receive(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> Block:
        """See Core."""
        self.output = b""
        if not streamID:
            raise ConnectionFailure(PROTOCOL_ERROR)
        if flags & (PADDED | PRIORITY_FLAG):
            start, stop = frames.stripHeaders(flags, streamID, data, start, stop)
        ended = flags & END_STREAM > 0
        stream = self._streams.get(streamID)
        begins = stream is None and not self._client and streamID & 1 and streamID > self.highest
        if begins:
            self.began(streamID)
        elif streamID == self._early:
            self._early = 0
            begins = True
        fields = self._decode(data[start:stop])
        if begins:
            return REQUEST, streamID, fields, ended
        if stream is None:
            return self._closed(streamID)
        if stream.remoteEnded:
            self.output = rstStream(streamID, STREAM_CLOSED)
            return STREAM_ERROR, streamID, (), True
        if self._client:
            interim = bool(fields) and fields[0][0] == b":status" and fields[0][1][:1] == b"1"
            if not stream.answered and not interim:
                return RESPONSE, streamID, fields, ended
            if interim and (ended or stream.answered):
                raise ConnectionFailure(PROTOCOL_ERROR)
            if interim:
                return INTERIM, streamID, fields, False
        if not ended:
            raise ConnectionFailure(PROTOCOL_ERROR, MESSAGING)
        return TRAILERS, streamID, fields, True

    def _decode(self, block: bytes) -> list[Field]:
        decoder = self._decoder
        fields = decoder.decode(block)
        if self._passing and (decoder.entered or decoder.resized):
            self._forget()
        self._last = block
        return fields

    def _forget(self) -> None:
        """The table has changed: the heads are gone that refer to it."""
        self._passing = False
        self.heads.clear()
        self.heads.update(self._fixed)

    def entered(self, fields: Entered) -> None:
        """See Core."""
        self._decoder.enterLater(fields)
        if self._passing:
            self._forget()

    def _closed(self, streamID: int) -> Block:
        """What comes for a stream that is not open and is not to be begun."""
        if not self._resets.byUs(streamID):
            if not self._resets.byPeer(streamID):
                raise ConnectionFailure(
                    PROTOCOL_ERROR if self._wasLeftOut(streamID) else STREAM_CLOSED
                )
            self.output = rstStream(streamID, STREAM_CLOSED)
        return STREAM_ERROR, streamID, (), True

    def _wasLeftOut(self, streamID: int) -> bool:
        if not streamID & 1:
            return True
        return any(first <= streamID < last for first, last in self._gaps)

    def keep(
        self, headers: HeaderMap, length: int, knownFor: Callable[[HeaderMap], Any] | None = None
    ) -> None:
        """See Core; what comes twice is kept, unless it needs and changes the table."""
        block = self._last
        decoder = self._decoder
        if decoder.resized or len(block) > _LONGEST_KEPT or (decoder.refers and decoder.entered):
            return
        seen = self._seen
        if block not in seen:
            if len(seen) >= _MOST_SEEN:
                seen.clear()
            seen.add(block)
            return
        heads = self.heads
        if len(heads) >= _MOST_KEPT:
            heads.clear()
            self._fixed.clear()
            self._passing = False
        known = None if knownFor is None else knownFor(headers)
        heads[block] = head = headers.copy(), length, decoder.entered, known
        if decoder.refers:
            self._passing = True
        else:
            self._fixed[block] = head

    # SETTINGS.

    def receiveSettings(self, data: bytes, start: int, stop: int) -> dict[int, int]:
        """See Core."""
        changed: dict[int, int] = {}
        for place in range(start, stop, 6):
            identifier, value = _setting(data, place)
            code = self._faultOf(identifier, value)
            if code:
                raise ConnectionFailure(code)
            changed[identifier] = value
            if identifier == frames.HEADER_TABLE_SIZE:
                self._encoder.resize(value)
        most = changed.get(frames.MAX_FRAME_SIZE, self._mostPayload)
        if most < self._mostPayload:
            self._encoder.changes += 1  # frames that are kept may be too long
        self._mostPayload = most
        self._most = changed.get(frames.MAX_CONCURRENT_STREAMS, self._most)
        self.output = _ACK
        return changed

    def _faultOf(self, identifier: int, value: int) -> int:
        """The code of the GOAWAY that answers a setting; 0 for none."""
        if identifier == frames.INITIAL_WINDOW_SIZE:
            return FLOW_CONTROL_ERROR if value > frames.MOST_WINDOW else 0
        if identifier == frames.MAX_FRAME_SIZE:
            wrong = not frames.MOST_PAYLOAD <= value < 1 << 24
        elif identifier == frames.ENABLE_PUSH:
            wrong = value > (0 if self._client else 1)
        else:
            wrong = identifier == frames.ENABLE_CONNECT_PROTOCOL and value > 1
        return PROTOCOL_ERROR if wrong else 0

    def settingsAcked(self) -> None:
        """See Core; until the peer has shrunk its table every block is looked at."""
        decoder = self._decoder
        decoder.allowed = self._mostTable
        if decoder.mustShrink:
            self._passing = False
            self._fixed.clear()
            self.heads.clear()

    # Headers out.

    def sendHeaders(
        self, streamID: int, fields: Fields, endStream: bool, interim: bool = False
    ) -> bytes:
        """See Core."""
        block = self._encoder.encode(fields)
        if streamID > self.highest:
            self.highest = streamID
        size = len(block)
        if size > self._mostPayload:
            return headersFrames(streamID, block, endStream, self._mostPayload)
        flags = END_HEADERS | END_STREAM if endStream else END_HEADERS
        return _pack(size >> 8, size & 255, HEADERS, flags, streamID) + block

    def request(self, streamID: int, requested: Requested, value: bytes) -> bytes:
        """See Core; what does not change is kept, with holes for the stream and the value."""
        encoder = self._encoder
        self.highest = streamID
        if (
            encoder is requested.encoder
            and encoder.changes == requested.changes
            and len(value) == requested.size
        ):
            begin, block, rest = requested.pieces
            return b"".join((begin, streamID.to_bytes(4, "big"), block, value, rest))
        return requested.encode(encoder, streamID, value, self._mostPayload)

    def answer(self, streamID: int, fields: HeaderMap, body: bytes) -> bytes:
        """See Core; what does not change is kept, with holes for the stream."""
        answered = self._answered
        encoder = self._encoder
        if (
            fields is answered.fields
            and encoder.changes == answered.changes
            and len(body) == answered.size
        ):
            return streamID.to_bytes(4, "big").join(answered.pieces) + body
        return answered.encode(encoder, streamID, fields, body, self._mostPayload)

    def endSent(self, streamID: int) -> None:
        """See Core."""

    def endReceived(self, streamID: int) -> None:
        """See Core."""

    def reset(self, streamID: int, code: int) -> bytes:
        """See Core."""
        return rstStream(streamID, code)

    def resetReceived(self, streamID: int) -> None:
        """See Core."""
