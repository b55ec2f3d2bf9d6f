"""
What a TCP proxy asks its upstream for when it tunnels, from `TcpProxy.TunnelingConfig`.

Implemented: CONNECT over HTTP/1.1. Headers are added as Envoy's HeaderParser does it: first those
that overwrite each other, then the others in order; a name without a value is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted_envoy.errors import UnsupportedField
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import Formatter, compileText
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_DISABLE_KEY = "envoy.tcp_proxy.disable_tunneling"
_PROPAGATED = ("propagate_response_headers", "propagate_response_trailers")
_APPENDS = "APPEND_IF_EXISTS_OR_ADD"
_OVERWRITES = "OVERWRITE_IF_EXISTS_OR_ADD"
_ONLY_OVERWRITES = "OVERWRITE_IF_EXISTS"

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

    name: str
    value: Formatter
    keepsEmpty: bool
    overwrites: bool


@dataclass(frozen=True, slots=True)
class TunnelRequest:
    """
    Makes the request of each tunnel.

    Attributes:
        hostname: the format of it.
        headers: besides `host`, in order.
    """

    hostname: Formatter
    headers: tuple[Header, ...] = ()

    def applies(self, info: StreamInfo) -> bool:
        """Shall this connection be tunnelled? An object in its filter state may say no."""
        asked = info.filterState.get(_DISABLE_KEY)
        return asked is None or asked.plainText() != "true"

    def text(self, context: FormatContext) -> bytes:
        """
        The request.

        Raises:
            BadRequest: it would be none.
        """
        hostname = self.hostname(context)
        if _HOST.fullmatch(hostname) is None:
            raise BadRequest(hostname)
        overwriting: dict[str, str] = {}
        added = []
        for header in self.headers:
            value = header.value(context)
            if _VALUE.fullmatch(value) is None:
                raise BadRequest(value)
            if not value and not header.keepsEmpty:
                continue
            if header.overwrites:
                overwriting[header.name] = value
            else:
                added.append((header.name, value))
        lines = [f"{name}: {value}\r\n" for name, value in (*overwriting.items(), *added)]
        head = f"CONNECT {hostname} HTTP/1.1\r\nhost: {hostname}\r\n{''.join(lines)}\r\n"
        return head.encode("utf-8", "replace")


def readTunneling(config: View) -> TunnelRequest:
    """
    Read a tunneling_config.

    Raises:
        ConfigError: what Envoy refuses.
        UnsupportedField: what is not implemented.
    """
    if config.post_path and not config.use_post:
        raise config.error("Can't set a post path when POST method isn't used", "post_path")
    hostname = _compiled(config, "hostname", config.hostname)
    headers = [_header(option) for option in config.headers_to_add]
    if config.use_post:
        raise _unsupported(config, "use_post")
    for field in _PROPAGATED:
        if getattr(config, field):
            raise _unsupported(config, field)
    return TunnelRequest(hostname, tuple(header for header in headers if header is not None))


def _header(option: View) -> Header | None:
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
    value = _compiled(header, "value", header.value, omitEmpty=True)
    keepsEmpty: bool = option.keep_empty_value
    if action == _ONLY_OVERWRITES:
        return None
    return Header(name.lower(), value, keepsEmpty, action == _OVERWRITES)


def _compiled(owner: View, field: str, text: str, omitEmpty: bool = False) -> Formatter:
    try:
        return compileText(text, omitEmpty)
    except FormatError as problem:
        raise owner.error(str(problem), field) from None


def _unsupported(config: View, field: str) -> UnsupportedField:
    problem = f"{field} is not implemented by twisted_envoy"
    return UnsupportedField(config.path, problem, config.position(field))
