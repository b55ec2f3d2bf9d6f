"""
The reference core: the h2 library's HPACK, SETTINGS and states of streams.

Everything else of HTTP/2 (bodies, windows, PING, GOAWAY, limits) is done beside it: the library
closes a connection at the first GOAWAY, either way, ends it where a stream error is due, and copies
each byte of a body four times. It judges the lean core in the tests, and can be switched on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from h2.config import H2Configuration
from h2.connection import ConnectionInputs, H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    Event,
    InformationalResponseReceived,
    RemoteSettingsChanged,
    RequestReceived,
    ResponseReceived,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import DenialOfServiceError, H2Error, ProtocolError
from h2.settings import SettingCodes, Settings
from h2.stream import H2Stream as LibraryStream
from h2.stream import StreamInputs, StreamState
from hpack.exceptions import HPACKError, OversizedHeaderListError
from hpack.hpack import Encoder

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
from twisted_envoy.codec.h2.failures import (
    MESSAGING,
    PROTOCOL,
    TOO_MANY_HEADERS,
    ConnectionFailure,
)
from twisted_envoy.codec.h2.frames import (
    COMPRESSION_ERROR,
    END_HEADERS,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    HEADER_BYTES,
    HEADERS,
    PADDED,
    PREFACE,
    PRIORITY_FLAG,
    PROTOCOL_ERROR,
    headersFrames,
    rstStream,
)
from twisted_envoy.codec.h2.library_blocks import Blocks, Pairs
from twisted_envoy.codec.h2.requested import Requested
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings

_SEND_HEADERS = StreamInputs.SEND_HEADERS
_SEND_INTERIM = StreamInputs.SEND_INFORMATIONAL_HEADERS
_SEND_END = StreamInputs.SEND_END_STREAM
_UNBOUNDED = 2**31 - 1
_FIRST_TABLE = 4096
_FIRST_WINDOW = 65535
_CLEAN_EVERY = 32
_ODD_FLAGS = END_HEADERS | PADDED | PRIORITY_FLAG
_READABLE = (StreamState.IDLE, StreamState.OPEN, StreamState.HALF_CLOSED_LOCAL)
_RECEIVE_HEADERS = StreamInputs.RECV_HEADERS
_RECEIVE_INTERIM = StreamInputs.RECV_INFORMATIONAL_HEADERS
_RECEIVE_END = StreamInputs.RECV_END_STREAM


class PlainEncoder(Encoder):
    """Writes strings as they are, not in Huffman's code."""

    def encode(self, headers: Any, huffman: bool = False) -> bytes:
        """As the base class does, whatever huffman says."""
        return bytes(super().encode(headers, False))


class LibraryCore:
    """The state of one connection; see Core. `heads` stays empty."""

    tracks = True

    __slots__ = (
        *("_begun", "_blocks", "_client", "_connection", "_decoded", "_early", "_encoded"),
        *("_mostTable", "heads", "output"),
    )

    def __init__(self, client: bool, settings: HTTP2Settings, limits: HeaderLimits) -> None:
        self._client = client
        self._mostTable = settings.hpackTableSize
        self.output = b""
        self.heads: dict[bytes, Head] = {}
        self._begun = self._early = 0
        self._connection = connection = H2Connection(
            H2Configuration(
                client_side=client,
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
            )
        )
        values = {
            SettingCodes.MAX_CONCURRENT_STREAMS: _UNBOUNDED,
            SettingCodes.HEADER_TABLE_SIZE: settings.hpackTableSize,
            SettingCodes.ENABLE_CONNECT_PROTOCOL: 1,
        }
        connection.local_settings = Settings(client=client, initial_values=values)
        # Smaller tables bind the peer only once it knows of them.
        connection.decoder.max_allowed_table_size = max(_FIRST_TABLE, settings.hpackTableSize)
        connection.decoder.max_header_list_size = 65536 + 4 * limits.maxBytes
        if not settings.huffman:
            connection.encoder = PlainEncoder()
        if settings.hpackTableSize < _FIRST_TABLE:
            connection.encoder.header_table_size = settings.hpackTableSize
        self._blocks = Blocks(connection.decoder, connection.encoder)
        self._decoded, self._encoded = self._blocks.decoded, self._blocks.encoded
        connection.initiate_connection()
        connection.clear_outbound_data_buffer()
        if not client:
            connection.receive_data(PREFACE)

    @property
    def highest(self) -> int:
        if self._client:
            return int(self._connection.highest_outbound_stream_id)
        return int(self._connection.highest_inbound_stream_id)

    @property
    def takesMore(self) -> bool:
        """See Core; nothing is carried, so that nobody asks."""
        return False

    def nextStreamID(self) -> int:
        """
        For a client's next request.

        Raises:
            ConnectionFailure: there is none left.
        """
        try:
            return int(self._connection.get_next_available_stream_id())
        except H2Error as error:
            raise ConnectionFailure(None) from error

    def begin(self, streamID: int) -> None:
        """See Core."""
        stream = self._begin(streamID)
        if stream is not None:
            stream.state_machine.process_input(_RECEIVE_HEADERS)
            self._early = streamID

    def began(self, streamID: int) -> None:
        """See Core; no head is ever known."""

    def entered(self, fields: Entered) -> None:
        """See Core; no head is ever known."""

    def keep(
        self, headers: HeaderMap, length: int, knownFor: Callable[[HeaderMap], Any] | None = None
    ) -> None:
        """See Core; Messages keeps what a block means."""

    def request(self, streamID: int, requested: Requested, value: bytes) -> bytes:
        """See Core; never called, as no answer would be known."""
        raise NotImplementedError

    def answer(self, streamID: int, fields: HeaderMap, body: bytes) -> bytes:
        """See Core; never called, as no head is ever known."""
        raise NotImplementedError

    def receive(
        self, flags: int, streamID: int, data: bytes, start: int, stop: int
    ) -> Block | None:
        """See Core."""
        frame = data[start - HEADER_BYTES : stop]
        if frame[4] & _ODD_FLAGS == END_HEADERS and frame[3] == HEADERS:
            stream = self._connection.streams.get(streamID)
            if stream is None:
                stream = self._begin(streamID)
            if stream is not None and stream.state_machine.state in _READABLE:
                return self._usual(stream, frame)
        return self._unusual(frame)

    def _begin(self, streamID: int) -> LibraryStream | None:
        """A stream that may be begun now, by whichever side; None when the library must say."""
        connection = self._connection
        if self._client or not streamID & 1:
            return None
        if streamID <= connection.highest_inbound_stream_id:
            return None
        if not connection.highest_inbound_stream_id:
            connection.state_machine.process_input(ConnectionInputs.RECV_HEADERS)
        connection.highest_inbound_stream_id = streamID
        if not self._count():
            connection.open_inbound_streams  # noqa: B018  it lets go of those that are closed
        return self._newStream(streamID)

    def _count(self) -> int:
        self._begun = begun = (self._begun + 1) % _CLEAN_EVERY
        return begun

    def _newStream(self, streamID: int) -> LibraryStream:
        connection = self._connection
        stream = LibraryStream(streamID, connection.config, _FIRST_WINDOW, _FIRST_WINDOW)
        stream.max_outbound_frame_size = connection.max_outbound_frame_size
        connection.streams[streamID] = stream
        return stream

    def _usual(self, stream: LibraryStream, frame: bytes) -> Block:
        """A whole block without padding or priority, on a stream that may get one."""
        self.output = b""
        block = frame[HEADER_BYTES:]
        fields = self._decoded.get(block)
        if fields is None:
            fields = self._decode(block)
        ended = bool(frame[4] & END_STREAM)
        machine = stream.state_machine
        interim = self._client and bool(fields) and _isInterim(*fields[0])
        try:
            if stream.stream_id == self._early:
                self._early = 0
            else:
                machine.process_input(_RECEIVE_INTERIM if interim else _RECEIVE_HEADERS)
            if ended:
                machine.process_input(_RECEIVE_END)
        except H2Error as error:
            raise ConnectionFailure(PROTOCOL_ERROR) from error
        if interim:
            if ended:
                raise ConnectionFailure(PROTOCOL_ERROR)
            return INTERIM, stream.stream_id, fields, False
        if not machine.trailers_received:
            return RESPONSE if self._client else REQUEST, stream.stream_id, fields, ended
        if not ended:
            raise ConnectionFailure(PROTOCOL_ERROR, MESSAGING)
        return TRAILERS, stream.stream_id, fields, True

    def _decode(self, block: bytes) -> Pairs:
        try:
            return self._blocks.decode(block)
        except OversizedHeaderListError as error:
            raise ConnectionFailure(ENHANCE_YOUR_CALM, TOO_MANY_HEADERS) from error
        except (HPACKError, ValueError, IndexError, TypeError) as error:
            raise ConnectionFailure(COMPRESSION_ERROR) from error

    def _unusual(self, frame: bytes) -> Block | None:
        """What is padded or may not come at all: the library's whole way."""
        self._decoded.clear()
        events = self._receive(frame)
        self.output = self._connection.data_to_send() or b""
        for event in events:
            if isinstance(event, RequestReceived):
                return REQUEST, event.stream_id, event.headers, event.stream_ended is not None
            if isinstance(event, ResponseReceived):
                return RESPONSE, event.stream_id, event.headers, event.stream_ended is not None
            if isinstance(event, TrailersReceived):
                return TRAILERS, event.stream_id, event.headers, event.stream_ended is not None
            if isinstance(event, InformationalResponseReceived):
                return INTERIM, event.stream_id, event.headers, False
            if isinstance(event, StreamReset):
                return STREAM_ERROR, event.stream_id, (), True
        return None

    def receiveSettings(self, data: bytes, start: int, stop: int) -> dict[int, int]:
        """See Core."""
        changed: dict[int, int] = {}
        self._encoded.clear()
        for event in self._receive(data[start - HEADER_BYTES : stop]):
            if isinstance(event, RemoteSettingsChanged):
                for identifier, change in event.changed_settings.items():
                    changed[int(identifier)] = change.new_value
        self.output = self._connection.data_to_send() or b""
        self._capTable()
        return changed

    def _capTable(self) -> None:
        """The peer may offer a table as large as it likes; ours stays in its bounds."""
        encoder = self._connection.encoder
        most = self._mostTable
        if encoder.header_table_size > most:
            encoder.header_table_size = most
            told = encoder.table_size_changes
            encoder.table_size_changes = [size for size in told if size <= most]

    def settingsAcked(self) -> None:
        """The peer knows our SETTINGS."""
        self._decoded.clear()
        self._connection.decoder.max_allowed_table_size = self._mostTable

    def _receive(self, frame: bytes) -> list[Event]:
        try:
            return self._connection.receive_data(frame)
        except DenialOfServiceError as error:
            raise ConnectionFailure(int(error.error_code), TOO_MANY_HEADERS) from error
        except ProtocolError as error:
            raise ConnectionFailure(_codeOf(error), PROTOCOL) from error
        except (H2Error, HPACKError, ValueError, KeyError, IndexError) as error:
            raise ConnectionFailure(PROTOCOL_ERROR, PROTOCOL) from error

    def sendHeaders(
        self, streamID: int, fields: Fields, endStream: bool, interim: bool = False
    ) -> bytes:
        """
        A header block, for a new stream or one that is open on our side.

        What the library does for an open stream beside its state and HPACK (checks of fields that
        our filters have made, copies, frame objects) costs more than both and is left out.

        Raises:
            ConnectionFailure: the peer allows no further stream now.
        """
        connection = self._connection
        stream = connection.streams.get(streamID)
        try:
            if stream is None:
                stream = self._request(streamID)
            if stream is None:
                self._encoded.clear()
                connection.send_headers(streamID, fields, endStream)
                return connection.data_to_send()
            machine = stream.state_machine
            machine.process_input(_SEND_INTERIM if interim else _SEND_HEADERS)
            if endStream:
                machine.process_input(_SEND_END)
        except H2Error as error:
            raise ConnectionFailure(None) from error
        pairs = tuple(fields)
        block = self._encoded.get(pairs)
        if block is None:
            block = self._blocks.encode(pairs)
        return headersFrames(streamID, block, endStream, connection.max_outbound_frame_size)

    def _request(self, streamID: int) -> LibraryStream | None:
        """A client's next stream; None when the server may allow no more."""
        connection = self._connection
        if not connection.highest_outbound_stream_id:
            connection.state_machine.process_input(ConnectionInputs.SEND_HEADERS)
        if len(connection.streams) >= connection.remote_settings.max_concurrent_streams:
            return None
        if not self._count():
            connection.open_outbound_streams  # noqa: B018  it lets go of those that are closed
        connection.highest_outbound_stream_id = streamID
        return self._newStream(streamID)

    def endSent(self, streamID: int) -> None:
        """A body of ours has ended."""
        self._connection.streams[streamID].state_machine.process_input(_SEND_END)

    def endReceived(self, streamID: int) -> None:
        """A body of the peer's has ended."""
        self._connection.streams[streamID].state_machine.process_input(_RECEIVE_END)

    def reset(self, streamID: int, code: int) -> bytes:
        """End a stream; b"" is never returned."""
        stream = self._connection.streams.get(streamID)
        if stream is not None and not stream.closed:
            stream.state_machine.process_input(StreamInputs.SEND_RST_STREAM)
        return rstStream(streamID, code)

    def resetReceived(self, streamID: int) -> None:
        """The peer has ended a stream."""
        self._connection.streams[streamID].state_machine.process_input(StreamInputs.RECV_RST_STREAM)


def _codeOf(error: ProtocolError) -> int:
    """HPACK errors come wrapped in the library's general one."""
    if isinstance(error.__cause__, HPACKError):
        return COMPRESSION_ERROR
    return int(error.error_code) if error.error_code is not None else int(ErrorCodes.PROTOCOL_ERROR)


def _isInterim(name: bytes, value: bytes) -> bool:
    return name == b":status" and value[:1] == b"1"
