"""
What codecs may be told; the defaults are Envoy's.

Envoy: config.core.v3.HttpProtocolOptions, Http1ProtocolOptions, Http2ProtocolOptions
"""

from __future__ import annotations

from collections.abc import Callable

from twisted_envoy.values import dataclass


@dataclass(frozen=True, slots=True)
class HeaderLimits:
    """
    Of the messages that come in.

    Attributes:
        maxBytes: of a head (HTTP/1.1: first line and line ends too); maxCount: of fields.
        underscores: `ALLOW`, `REJECT_REQUEST` or `DROP_HEADER`, for names with an underscore.
    """

    maxBytes: int = 60 * 1024
    maxCount: int = 100
    underscores: str = "ALLOW"


@dataclass(frozen=True, slots=True)
class HTTP1Settings:
    """
    Of an HTTP/1.1 codec, either side.

    Attributes:
        allowAbsoluteURL: `GET http://host/path`; defaultHost: for HTTP/1.0 without Host.
        enableTrailers: pass trailers on, both ways; without it they are dropped.
        headerCase: of what we send: `lower`, `proper`, or `preserve` (as the other side spelt it).
        preserveReasonPhrase: with `preserve` and forward_reason_phrase.
        allowChunkedLength: content-length beside chunked is dropped instead of refused.
        streamErrors: an invalid message ends the stream and not the connection, where possible.
        absoluteRequests: a client sends absolute URLs (send_fully_qualified_url).
        customMethods: any token is a method, not only the registered ones.
        ignoresUpgrade: tells whether an Upgrade of that value is ignored; None: none is.
        refusesHTTPS: absolute URLs of https are refused (a client without TLS, at the edge).
    """

    allowAbsoluteURL: bool = True
    acceptHTTP10: bool = False
    defaultHost: bytes = b""
    enableTrailers: bool = False
    headerCase: str = "lower"
    preserveReasonPhrase: bool = False
    allowChunkedLength: bool = False
    streamErrors: bool = False
    absoluteRequests: bool = False
    customMethods: bool = False
    ignoresUpgrade: Callable[[str], bool] | None = None
    refusesHTTPS: bool = False


@dataclass(frozen=True, slots=True)
class Keepalive:
    """Seconds; interval None: only after idleInterval of silence; jitter is a share of 1."""

    timeout: float
    interval: float | None = None
    jitter: float = 0.15
    idleInterval: float | None = None


@dataclass(frozen=True, slots=True)
class HTTP2Settings:
    """
    Of an HTTP/2 codec, either side.

    Attributes:
        allowConnect: a server says ENABLE_CONNECT_PROTOCOL and takes extended CONNECT.
        streamErrors: an invalid message resets the stream and not the connection.
        customSettings: (identifier, value) pairs, sent after the others.
        resetBurst, resetRate: streams that a client may reset at once, and a second.
        maxFieldBytes: of one header field.
        usesLibrary: the h2 library is the core, not ours.
    """

    hpackTableSize: int = 4096
    maxConcurrentStreams: int = 1024
    initialStreamWindow: int = 16 * 1024 * 1024
    initialConnectionWindow: int = 24 * 1024 * 1024
    allowConnect: bool = False
    maxOutboundFrames: int = 10_000
    maxOutboundControlFrames: int = 1_000
    maxConsecutiveEmptyFrames: int = 1
    maxPriorityFramesPerStream: int = 100
    maxWindowUpdatesPerData: int = 10
    streamErrors: bool = False
    customSettings: tuple[tuple[int, int], ...] = ()
    keepalive: Keepalive | None = None
    resetBurst: int | None = None
    resetRate: int | None = None
    maxFieldBytes: int | None = None
    huffman: bool = True
    refusesObsText: bool = False
    usesLibrary: bool = False
