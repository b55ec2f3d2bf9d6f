"""
What a TCP proxy asks its upstream for when it tunnels, from `TcpProxy.TunnelingConfig`.

Headers are added as Envoy's HeaderParser does it: first those that overwrite each other, then the
others in order; a name without a value is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel_kind import (
    TunnelKind,
    TunnelSwitches,
    kindOver,
)
from twisted_envoy.formatter.operators import BUILT_IN
from twisted_envoy.formatter.operators.entry import Operators
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.substitution import withFormatters
from twisted_envoy.formatter.text import Formatter, compileText
from twisted_envoy.state.stream_info import FormatContext, StreamInfo
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

METADATA = "envoy.filters.network.tcp_proxy"

_DISABLE_KEY = "envoy.tcp_proxy.disable_tunneling"
_APPENDS = "APPEND_IF_EXISTS_OR_ADD"
_OVERWRITES = "OVERWRITE_IF_EXISTS_OR_ADD"
_ONLY_OVERWRITES = "OVERWRITE_IF_EXISTS"
_REQUEST_ID = "x-request-id"
_ID_KEY = "tunnel_request_id"

_HOST = re.compile("[^\0-\x20\x7f]+")
_VALUE = re.compile("[^\0-\x08\n-\x1f\x7f]*")


class BadRequest(Exception):
    """What the formats gave cannot be sent: it would break out of its line."""


@dataclass(frozen=True, slots=True)
class Header:
    """
    A header of the request.

    Attributes:
        name: in lower case.
        value: the format of it; gives "" for what is not set.
        keepsEmpty: it is sent without a value too.
        overwrites: it takes the place of others before it that do so.
    """

    name: bytes
    value: Formatter
    keepsEmpty: bool
    overwrites: bool


@dataclass(frozen=True, slots=True)
class RequestID:
    """
    Gives each request an id.

    Attributes:
        new: makes one; header: where it goes, in lower case; key: of the dynamic metadata.
    """

    new: Callable[[], bytes]
    header: bytes
    key: str


@dataclass(frozen=True, slots=True)
class TunnelRequest:
    """
    Makes the request of each tunnel.

    Attributes:
        hostname: the format of it.
        headers: besides `host`, in order.
        path: of a POST; None for CONNECT.
        requestID: None for none.
        propagatesHeaders, propagatesTrailers: the answer's are put into the filter state.
        post: runs a callable when the current event has ended.
    """

    hostname: Formatter
    switches: TunnelSwitches
    post: Callable[[Callable[[], None]], None]
    added: tuple[Header, ...] = ()
    path: bytes | None = None
    requestID: RequestID | None = None
    propagatesHeaders: bool = False
    propagatesTrailers: bool = False

    def applies(self, info: StreamInfo) -> bool:
        """Shall this connection be tunnelled? An object in its filter state may say no."""
        asked = info.filterState.get(_DISABLE_KEY)
        return asked is None or asked.plainText() != "true"

    def kindOf(self, http1: bool) -> TunnelKind:
        """How a tunnel behaves that is open now."""
        return kindOver(http1, self.switches)

    def headers(self, info: StreamInfo, now: float, scheme: bytes | None = None) -> HeaderMap:
        """
        The request.

        Args:
            now: seconds.
            scheme: of a POST over HTTP/2, `http` or `https`.
        Raises:
            BadRequest: it would be none.
        """
        context = FormatContext(info, now=now)
        hostname = self.hostname(context)
        if _HOST.fullmatch(hostname) is None:
            raise BadRequest(hostname)
        headers = HeaderMap()
        headers[b":method"] = b"CONNECT" if self.path is None else b"POST"
        headers[b":authority"] = hostname.encode("utf-8", "replace")
        if self.path is not None:
            headers[b":path"] = self.path
            if scheme is not None:
                headers[b":scheme"] = scheme
        if self.requestID is not None:
            self._identify(self.requestID, headers, info)
        self._add(headers, context)
        return headers

    def _identify(self, requestID: RequestID, headers: HeaderMap, info: StreamInfo) -> None:
        value = requestID.new()
        headers.set(requestID.header, value)
        known = info.dynamicMetadata.get(METADATA, {})
        info.dynamicMetadata[METADATA] = {**known, requestID.key: value.decode("ascii")}

    def _add(self, headers: HeaderMap, context: FormatContext) -> None:
        added = []
        for header in self.added:
            value = header.value(context)
            if _VALUE.fullmatch(value) is None:
                raise BadRequest(value)
            if not value and not header.keepsEmpty:
                continue
            if header.overwrites:
                headers.set(header.name, value.encode("utf-8", "replace"))
            else:
                added.append((header.name, value.encode("utf-8", "replace")))
        for name, text in added:
            headers.add(name, text)


def readTunneling(config: View, context: Any) -> TunnelRequest:
    """
    Read a tunneling_config.

    Args:
        context: IFactoryContext.
    Raises:
        ConfigError: what Envoy refuses.
    """
    if config.post_path and not config.use_post:
        raise config.error("Can't set a post path when POST method isn't used", "post_path")
    operators = withFormatters(config, BUILT_IN)
    hostname = _compiled(config, "hostname", config.hostname, False, operators)
    headers = [_header(option, operators) for option in config.headers_to_add]
    path = (config.post_path or "/").encode() if config.use_post else None
    return TunnelRequest(
        hostname=hostname,
        switches=TunnelSwitches(context.runtime),
        post=context.registry.turn.post,
        added=tuple(header for header in headers if header is not None),
        path=path,
        requestID=_requestID(config, context),
        propagatesHeaders=config.propagate_response_headers,
        propagatesTrailers=config.propagate_response_trailers,
    )


def _requestID(config: View, context: Any) -> RequestID | None:
    extension = config.request_id_extension
    if extension is None or extension.typed_config is None:
        for field in ("request_id_header", "request_id_metadata_key"):
            config.moot(field, "there is no request_id_extension")
        return None
    factory, inner = context.extensions.openAny(extension.typed_config, "", "request_id", extension)
    header = (config.request_id_header or _REQUEST_ID).lower().encode()
    key = config.request_id_metadata_key or _ID_KEY
    return RequestID(factory.build(inner, context).new, header, key)


def _header(option: View, operators: Operators) -> Header | None:
    """One of headers_to_add; None for one that could only replace what is not there."""
    header = option.header
    name: str = header.key
    if name.startswith(":") or name.lower() == "host":
        raise header.error(":-prefixed or host headers may not be modified", "key")
    action: str = option.append_action
    if option.append is not None:
        if action != _APPENDS:
            raise option.error("Both append and append_action are set and it's not allowed")
        action = action if option.append else _OVERWRITES
    value = _compiled(header, "value", header.value, True, operators)
    keepsEmpty: bool = option.keep_empty_value
    if action == _ONLY_OVERWRITES:
        return None
    return Header(name.lower().encode(), value, keepsEmpty, action == _OVERWRITES)


def _compiled(
    owner: View, field: str, text: str, omitEmpty: bool, operators: Operators
) -> Formatter:
    try:
        return compileText(text, omitEmpty, operators)
    except FormatError as problem:
        raise owner.error(str(problem), field) from None
