"""
Answers of our own: errors, refusals, direct responses.

Envoy: extensions.filters.network.http_connection_manager.v3.LocalReplyConfig,
source/common/local_reply/local_reply.cc, Utility::prepareLocalReply
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.formatter.data_source import readDataSource
from twisted_envoy.formatter.operators.values import grpcStatusOfHTTP, isGRPC
from twisted_envoy.formatter.substitution import compileSubstitution
from twisted_envoy.formatter.text import Formatter
from twisted_envoy.http.grpc import CONTENT_TYPE, percentEncode
from twisted_envoy.http.routes.header_edits import HeaderEdits, buildEdits
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext

if TYPE_CHECKING:
    from twisted_envoy.http.stream import HTTPStream

TEXT = b"text/plain"
JSON = b"application/json"
_NO_HEADERS = HeaderMap()


class LocalReply(NamedTuple):
    """
    A whole response.

    Attributes:
        status: of `:status`. headers: `:status` and what is known here; no date, no server.
        body: to send; empty for HEAD and for gRPC, whose headers are the end of the stream.
    """

    status: int
    headers: HeaderMap
    body: bytes


class BodyFormat(NamedTuple):
    """A format of bodies and the content type that they have then."""

    format: Formatter
    contentType: bytes


class Mapper(NamedTuple):
    """
    One rule of local_reply_config.

    Attributes:
        matches: is a reply meant? status, body: put in place of its own, unless None.
        edits: of its headers. format: of its body; None for that of all.
    """

    matches: Callable[[FormatContext], bool]
    status: int | None
    body: bytes | None
    edits: HeaderEdits | None
    format: BodyFormat | None


class LocalReplies:
    """
    Makes the local replies of one connection manager.

    Args:
        config: View of its LocalReplyConfig, or None.
        context: an IFactoryContext.
        buildFilter: makes what says whether a record matches, of the View of an AccessLogFilter.
    Raises:
        ConfigError: a filter, format or header that cannot be obeyed.

    Attributes:
        isPlain: replies are what they are asked to be.
    """

    __slots__ = ("_format", "_mappers", "_seconds", "isPlain")

    def __init__(
        self,
        config: Any,
        context: Any,
        buildFilter: Callable[[Any], Callable[[FormatContext], bool]],
    ) -> None:
        self._seconds = context.reactor.seconds
        self._format: BodyFormat | None = None
        self._mappers: tuple[Mapper, ...] = ()
        if config is not None:
            self._mappers = tuple(
                _readMapper(each, context, buildFilter) for each in config.mappers
            )
            self._format = _readFormat(config.body_format, context)
        self.isPlain = not self._mappers and self._format is None

    def make(
        self,
        info: RequestInfo,
        status: int,
        body: bytes,
        headers: Sequence[tuple[bytes, bytes]] = (),
        grpcStatus: int | None = None,
        edit: Callable[[HeaderMap, RequestInfo], None] | None = None,
        editsLast: bool = False,
    ) -> LocalReply:
        """
        Make a reply.

        Args:
            info: of the request; its responseCode, responseHeaders and localReplyBody are set.
            headers: more of them, content-type and location for example.
            grpcStatus: for a gRPC request; None for what status means there.
            edit: the route's, made before headers are added, or after them with editsLast.
        """
        made = HeaderMap(((b":status", b"%d" % status),))
        if edit is not None and not editsLast:
            edit(made, info)
        for name, value in headers:
            made.add(name, value)
        if edit is not None and editsLast:
            edit(made, info)
        contentType = made.get(b"content-type")
        kind = TEXT
        if self._mappers or self._format is not None:
            status, body, kind = self._rewrite(info, status, body, made)
        request = info.requestHeaders if info.requestHeaders is not None else _NO_HEADERS
        isHead = request.get(b":method") == b"HEAD"
        if isGRPC(request):
            code = grpcStatusOfHTTP(status) if grpcStatus is None else grpcStatus
            _makeGRPC(made, code, b"" if isHead else body, kind)
            return LocalReply(200, made, b"")
        if not body:
            made.remove(b"content-length")
            made.remove(b"content-type")
            return LocalReply(status, made, b"")
        made.set(b"content-length", b"%d" % len(body))
        now = made.get(b"content-type")
        if now is None or (now == contentType and kind != TEXT):
            made.set(b"content-type", kind)
        return LocalReply(status, made, b"" if isHead else body)

    def _rewrite(
        self, info: RequestInfo, status: int, body: bytes, headers: HeaderMap
    ) -> tuple[int, bytes, bytes]:
        """What the config makes of a reply: its status, body and content type."""
        info.responseCode = status
        info.responseHeaders = headers
        context = FormatContext(info, now=self._seconds())
        chosen = self._format
        for mapper in self._mappers:
            if not mapper.matches(context):
                continue
            if mapper.body is not None:
                body = mapper.body
            if mapper.edits is not None:
                mapper.edits(headers, info)
            if mapper.status is not None:
                info.responseCode = status = mapper.status
                headers[b":status"] = b"%d" % status
            chosen = mapper.format or chosen
            break
        if chosen is None:
            return status, body, TEXT
        info.localReplyBody = body.decode("utf-8", "surrogateescape")
        text = chosen.format(context).encode("utf-8", "surrogateescape")
        return status, text, chosen.contentType


def _makeGRPC(headers: HeaderMap, code: int, message: bytes, kind: bytes) -> None:
    """Headers that are the trailers too, as gRPC wants its errors."""
    headers[b":status"] = b"200"
    headers.set(b"content-type", CONTENT_TYPE)
    if not headers.get(b"grpc-status"):
        headers.set(b"grpc-status", b"%d" % code)
    if message:
        if kind == JSON:
            message = message.removesuffix(b"\n")
        headers.set(b"grpc-message", percentEncode(message))
    headers.remove(b"content-length")


def _readMapper(
    view: Any, context: Any, buildFilter: Callable[[Any], Callable[[FormatContext], bool]]
) -> Mapper:
    return Mapper(
        buildFilter(view.filter),
        view.status_code,
        None if view.body is None else readDataSource(view.body),
        buildEdits(view.headers_to_add, (), view, "headers_to_add", context),
        _readFormat(view.body_format_override, context),
    )


def _readFormat(view: Any, context: Any) -> BodyFormat | None:
    if view is None:
        return None
    usual = JSON if view.which("format") == "json_format" else TEXT
    contentType: str = view.content_type
    return BodyFormat(compileSubstitution(view, context), contentType.encode() or usual)


def sendWhole(stream: HTTPStream, headers: HeaderMap, body: bytes) -> None:
    """Send headers and all of a body past the filters: sendHeaders and sendData in one."""
    info = stream.streamInfo
    stream.responseHeaders = info.responseHeaders = headers
    stream.connection.prepareResponse(stream, headers)
    stream.lastActivity = info.firstResponseByteSentTime = stream.settings.seconds()
    encoder = stream.encoder
    encoder.encodeHeaders(headers, False)
    stream.responseStarted = True
    info.bytesSent += len(body)
    encoder.encodeData(body, True)
    stream.responseEnds()
