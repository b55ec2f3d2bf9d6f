"""
headers_to_add and headers_to_remove: edits of requests and responses.

Each level of a route configuration removes first, then overwrites, then adds, as Envoy's
HeaderParser does it.

Envoy: source/common/router/header_parser.cc
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import Formatter, compileText
from twisted_envoy.http.edge.joining import JOINED_IN_REQUESTS, JOINED_IN_RESPONSES
from twisted_envoy.http.routes.old_formats import translated
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

Edit = Callable[[HeaderMap, StreamInfo], None]

APPEND, ABSENT, OVERWRITE, IF_EXISTS = range(4)
_ACTIONS = {
    "APPEND_IF_EXISTS_OR_ADD": APPEND,
    "ADD_IF_ABSENT": ABSENT,
    "OVERWRITE_IF_EXISTS_OR_ADD": OVERWRITE,
    "OVERWRITE_IF_EXISTS": IF_EXISTS,
}
MODIFIED = ":-prefixed or host headers may not be modified"


class HeaderValue:
    """
    One header that is added.

    Attributes:
        value: as it is, or None when `format` has to make it.
        action: APPEND, ABSENT, OVERWRITE or IF_EXISTS.
    """

    __slots__ = ("action", "format", "keepsEmpty", "name", "value")

    def __init__(self, name: bytes, value: bytes, action: int, keepsEmpty: bool) -> None:
        self.name = name
        self.value: bytes | None = value
        self.format: Formatter | None = None
        self.action = action
        self.keepsEmpty = keepsEmpty


class HeaderEdits:
    """
    The edits of one level.

    Args:
        removed: lower-case names.
        added: in order.
        seconds: the reactor's clock, for formats.
    """

    __slots__ = ("_added", "_isStatic", "_joined", "_removed", "_seconds", "_simple")

    def __init__(
        self,
        removed: Sequence[bytes],
        added: Sequence[HeaderValue],
        seconds: Callable[[], float],
        joined: frozenset[bytes] = frozenset(),
    ) -> None:
        self._joined = joined
        self._removed = tuple(removed)
        self._added = tuple(added)
        self._seconds = seconds
        self._isStatic = all(header.value is not None for header in added)
        self._simple: tuple[tuple[bytes, bytes], ...] | None = None
        if self._isStatic and all(header.action == OVERWRITE for header in added):
            self._simple = tuple(
                (header.name, header.value or b"")
                for header in added
                if header.value or header.keepsEmpty
            )

    def __call__(self, headers: HeaderMap, info: StreamInfo) -> None:
        """Edit headers; formats see info."""
        for name in self._removed:
            headers.remove(name)
        if self._simple is not None:
            for name, value in self._simple:
                _overwrite(headers, name, value)
        elif self._added:
            self._add(headers, info)

    def _add(self, headers: HeaderMap, info: StreamInfo) -> None:
        context = None if self._isStatic else FormatContext(info, now=self._seconds())
        adds = []
        overwrites = []
        for header in self._added:
            value = header.value
            if value is None:
                assert header.format is not None and context is not None
                value = header.format(context).encode("utf-8", "surrogateescape")
            if not value and not header.keepsEmpty:
                continue
            action = header.action
            if action == APPEND:
                adds.append((header.name, value))
            elif action == OVERWRITE:
                overwrites.append((header.name, value))
            elif header.name in headers:
                if action == IF_EXISTS:
                    overwrites.append((header.name, value))
            elif action == ABSENT:
                adds.append((header.name, value))
        for name, value in overwrites:
            _overwrite(headers, name, value)
        for name, value in adds:
            if name in self._joined and name in headers:
                headers[name] += b"," + value
            else:
                headers.add(name, value)


def _overwrite(headers: HeaderMap, name: bytes, value: bytes) -> None:
    """It goes to the end, as in Envoy."""
    headers.remove(name)
    headers.add(name, value)


def buildEdits(
    added: Sequence[Any], removed: Sequence[str], owner: Any, field: str, context: Any
) -> HeaderEdits | None:
    """
    Read a level's headers_to_add and headers_to_remove.

    Args:
        added: Views of HeaderValueOptions. removed: names.
        owner, field: where an error about a removed name points.
    Returns:
        None when there is nothing to do.
    Raises:
        ConfigError: a header that must not be touched, a wrong format.
    """
    if not added and not removed:
        return None
    names = []
    for name in removed:
        if name.startswith(":") or name.lower() == "host":
            raise owner.error(":-prefixed or host headers may not be removed", field)
        names.append(name.lower().encode())
    joined = JOINED_IN_REQUESTS if field.startswith("request") else JOINED_IN_RESPONSES
    edits = [readHeader(option) for option in added]
    return HeaderEdits(names, edits, context.reactor.seconds, joined)


def readHeader(option: Any) -> HeaderValue:
    """
    Read a config.core.v3.HeaderValueOption.

    Raises:
        ConfigError: see buildEdits.
    """
    header = option.header
    name: str = header.key
    if name.startswith(":") or name.lower() == "host":
        raise header.error(MODIFIED, "key")
    action = option.append_action
    if option.has("append"):
        if action != "APPEND_IF_EXISTS_OR_ADD":
            raise option.error("Both append and append_action are set and it's not allowed")
        if option.append is False:
            action = "OVERWRITE_IF_EXISTS_OR_ADD"
    text: str = header.value
    if text:
        header.moot("raw_value", "value is what counts")
    else:
        text = header.raw_value.decode("utf-8", "surrogateescape")
    edit = HeaderValue(
        name.lower().encode(),
        text.encode("utf-8", "surrogateescape"),
        _ACTIONS[action],
        option.keep_empty_value,
    )
    if "%" in text:
        edit.value = None
        try:
            edit.format = compileText(translated(text, header.warn), omitEmpty=True).render
        except FormatError as problem:
            raise header.error(str(problem), "value") from None
    return edit
