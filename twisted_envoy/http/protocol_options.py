"""
From the protocol options of a config to what codecs and connections are told.

Used by connection managers and clusters alike. What is read is obeyed; what is not stays unread
and is reported.

Envoy: config.core.v3.HttpProtocolOptions, Http1ProtocolOptions, Http2ProtocolOptions;
source/common/http/utility.cc
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.settings import HTTP1Settings, HTTP2Settings, Keepalive
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

FORMATTERS = "http.stateful_header_formatters"
"""Category of what `stateful_formatter` names; its factory builds a HeaderFormat."""

_TABLE_SIZE, _PUSH, _STREAMS, _WINDOW, _CONNECT = 1, 2, 3, 4, 8
_NAMED = {
    _TABLE_SIZE: "hpack_table_size",
    _STREAMS: "max_concurrent_streams",
    _WINDOW: "initial_stream_window_size",
}
_HEADERS = 100
_KEEPALIVE_JITTER = 0.15
_LIBRARY = "twisted_envoy.http2.reference_codec"
"""Switch: the h2 library is the core of HTTP/2, not ours."""


@dataclass(frozen=True, slots=True)
class CommonHTTPOptions:
    """
    `HttpProtocolOptions`; None is not set.

    Attributes:
        idleTimeout, maxConnectionDuration, maxStreamDuration: seconds; 0 is never.
        maxConnectionDurationJitter: a share of 1 that is added at most.
        maxRequestsPerConnection: 0 is no limit.
    """

    idleTimeout: float | None = None
    maxConnectionDuration: float | None = None
    maxConnectionDurationJitter: float | None = None
    maxStreamDuration: float | None = None
    maxRequestsPerConnection: int | None = None
    maxHeadersCount: int = _HEADERS
    maxResponseHeadersKB: int | None = None
    underscores: str = "ALLOW"


@dataclass(frozen=True, slots=True)
class HeaderFormat:
    """What a stateful header formatter asks of the codec: see codec.settings.HTTP1Settings."""

    case: str
    preserveReasonPhrase: bool = False


def readCommonOptions(config: View | None) -> CommonHTTPOptions:
    """Read a HttpProtocolOptions."""
    if config is None:
        return CommonHTTPOptions()
    count = config.max_headers_count
    return CommonHTTPOptions(
        config.idle_timeout,
        config.max_connection_duration,
        _share(config.max_connection_duration_jitter),
        config.max_stream_duration,
        config.max_requests_per_connection,
        _HEADERS if count is None else count,
        config.max_response_headers_kb,
        config.headers_with_underscores_action,
    )


def _share(percent: View | None) -> float | None:
    return None if percent is None else percent.value / 100


def readHTTP1Options(
    config: View | None, context: Any, streamErrors: bool = False
) -> HTTP1Settings:
    """
    Read a Http1ProtocolOptions.

    Args:
        context: of the connection manager or cluster, builds the header formatter.
        streamErrors: the owner's default for override_stream_error_on_invalid_http_message.
    Raises:
        ConfigError: as Envoy.
    """
    if config is None:
        return HTTP1Settings(streamErrors=streamErrors)
    config.moot("use_balsa_parser", "the parser is our own")
    absolute = config.allow_absolute_url
    override = config.override_stream_error_on_invalid_http_message
    form = _headerFormat(config.header_key_format, context)
    return HTTP1Settings(
        allowAbsoluteURL=absolute is not False,
        acceptHTTP10=config.accept_http_10,
        defaultHost=config.default_host_for_http_10.encode(),
        enableTrailers=config.enable_trailers,
        headerCase=form.case,
        preserveReasonPhrase=form.preserveReasonPhrase,
        allowChunkedLength=config.allow_chunked_length,
        streamErrors=streamErrors if override is None else override,
        absoluteRequests=config.send_fully_qualified_url,
        customMethods=config.allow_custom_methods,
        ignoresUpgrade=_ignoresUpgrade(config.ignore_http_11_upgrade),
    )


def _headerFormat(config: View | None, context: Any) -> HeaderFormat:
    if config is None:
        return HeaderFormat("lower")
    if config.which("header_format") == "proper_case_words":
        config.proper_case_words  # noqa: B018  read is obeyed
        return HeaderFormat("proper")
    made: HeaderFormat = context.build(config.stateful_formatter, FORMATTERS)
    return made


def _ignoresUpgrade(views: tuple[View, ...]) -> Callable[[str], bool] | None:
    if not views:
        return None
    from twisted_envoy.network.matchers import buildStringMatch

    matches = tuple(map(buildStringMatch, views))
    return lambda value: any(match(value) for match in matches)


def readHTTP2Options(
    config: View | None, context: Any, streamErrors: bool = False
) -> HTTP2Settings:
    """
    Read a Http2ProtocolOptions; the arguments are readHTTP1Options'.

    Raises:
        ConfigError: as Envoy.
    """
    usesLibrary = bool(context.runtime.boolean(_LIBRARY, False))
    if config is None:
        return HTTP2Settings(streamErrors=streamErrors, usesLibrary=usesLibrary)
    config.moot("use_oghttp2_codec", "the codec is our own")
    config.moot("max_metadata_size", "METADATA frames are not taken")
    override = config.override_stream_error_on_invalid_http_message
    if override is None:
        override = streamErrors or config.stream_error_on_invalid_http_messaging
    else:
        config.moot("stream_error_on_invalid_http_messaging", "it is overridden")
    kilobytes = config.max_header_field_size_kb
    custom = _customSettings(config)
    given = {
        "hpackTableSize": custom.pop(_TABLE_SIZE, config.hpack_table_size),
        "maxConcurrentStreams": custom.pop(_STREAMS, config.max_concurrent_streams),
        "initialStreamWindow": custom.pop(_WINDOW, config.initial_stream_window_size),
        "initialConnectionWindow": config.initial_connection_window_size,
        "maxOutboundFrames": config.max_outbound_frames,
        "maxOutboundControlFrames": config.max_outbound_control_frames,
        "maxConsecutiveEmptyFrames": config.max_consecutive_inbound_frames_with_empty_payload,
        "maxPriorityFramesPerStream": config.max_inbound_priority_frames_per_stream,
        "maxWindowUpdatesPerData": config.max_inbound_window_update_frames_per_data_frame_sent,
        "resetBurst": config.stream_reset_burst,
        "resetRate": config.stream_reset_rate,
        "huffman": config.enable_huffman_encoding,
        "refusesObsText": config.disallow_obs_text,
        "keepalive": _keepalive(config.connection_keepalive),
    }
    return HTTP2Settings(
        allowConnect=config.allow_connect,
        streamErrors=override,
        usesLibrary=usesLibrary,
        customSettings=tuple(custom.items()),
        maxFieldBytes=None if kilobytes is None else 1024 * kilobytes,
        **{name: value for name, value in given.items() if value is not None},
    )


def _customSettings(config: View) -> dict[int, int]:
    """By identifier, in the order of the config."""
    custom: dict[int, int] = {}
    different: list[str] = []
    named: list[str] = []
    for one in config.custom_settings_parameters:
        identifier, value = one.identifier, one.value
        if custom.setdefault(identifier, value) != value:
            different.append(f"0x{identifier:02x}")
        if identifier == _PUSH and value == 1:
            raise one.error(
                "server push is not supported by Envoy and can not be enabled via a SETTINGS "
                "parameter."
            )
        if identifier == _CONNECT:
            raise one.error(
                'the "allow_connect" SETTINGS parameter must only be configured through the named '
                "field"
            )
        if identifier in _NAMED and config.has(_NAMED[identifier]):
            named.append(_NAMED[identifier])
    if different:
        raise config.error(
            "inconsistent HTTP/2 custom SETTINGS parameter(s) detected; identifiers = "
            f"{{{','.join(different)}}}",
            "custom_settings_parameters",
        )
    if named:
        raise config.error(
            f"the {{{','.join(named)}}} HTTP/2 SETTINGS parameter(s) can not be configured through "
            "both named and custom parameters",
            "custom_settings_parameters",
        )
    return custom


def _keepalive(config: View | None) -> Keepalive | None:
    if config is None:
        return None
    jitter = _share(config.interval_jitter)
    return Keepalive(
        config.timeout,
        config.interval,
        _KEEPALIVE_JITTER if jitter is None else jitter,
        config.connection_idle_interval,
    )
