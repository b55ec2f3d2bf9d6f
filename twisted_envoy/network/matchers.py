"""
Matchers of texts, values, metadata and headers (`type.matcher.v3` and route.v3.HeaderMatcher).

Each is built once from its view into a function that answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, AnyStr

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.network.cidr import CIDR, parseAddress, parseCIDR
from twisted_envoy.network.regex import buildRegex

TextMatch = Callable[[str], bool]
BytesMatch = Callable[[bytes], bool]
HeaderMatch = Callable[[HeaderMap], bool]
ValueMatch = Callable[[object], bool]


def buildStringMatch(view: Any) -> TextMatch:
    """
    Build a StringMatcher over texts.

    Raises:
        ConfigError: a pattern that is wrong, or a custom matcher.
    """
    kind = view.which("match_pattern")
    if kind == "safe_regex":
        matches = _regexMatch(view)
        return lambda text: matches(text.encode("utf-8", "surrogateescape"))
    return _textMatch(kind, _pattern(view, kind), view.ignore_case)


def buildBytesMatch(view: Any) -> BytesMatch:
    """
    Build a StringMatcher over bytes: values of headers, paths, query parameters.

    Raises:
        ConfigError: a pattern that is wrong, or a custom matcher.
    """
    kind = view.which("match_pattern")
    if kind == "safe_regex":
        return _regexMatch(view)
    return _textMatch(kind, _pattern(view, kind).encode(), view.ignore_case)


def _regexMatch(view: Any) -> BytesMatch:
    if view.ignore_case:
        raise view.error("ignore_case has no effect for safe_regex.", "ignore_case")
    return buildRegex(view.safe_regex).fullmatch


def _pattern(view: Any, kind: str | None) -> str:
    if kind not in ("exact", "prefix", "suffix", "contains"):
        raise view.error(f"string matcher {kind} is not implemented by twisted_envoy", kind)
    pattern: str = getattr(view, kind)
    return pattern


def _textMatch(kind: str | None, pattern: AnyStr, ignoreCase: bool) -> Callable[[AnyStr], bool]:
    if ignoreCase:
        lowered = _textMatch(kind, pattern.lower(), False)
        return lambda text: lowered(text.lower())
    if kind == "exact":
        return lambda text: text == pattern
    if kind == "prefix":
        return lambda text: text.startswith(pattern)
    if kind == "suffix":
        return lambda text: text.endswith(pattern)
    return lambda text: pattern in text


def buildValueMatch(view: Any) -> ValueMatch:
    """
    Build a ValueMatcher over JSON-like values.

    Raises:
        ConfigError: something inside it that cannot be obeyed.
    """
    kind = view.which("match_pattern")
    if kind is None:
        raise view.error('field: "match_pattern", reason: is required')
    return _VALUES[kind](view)


def _null(view: Any) -> ValueMatch:
    view.null_match  # noqa: B018  read: it has no fields
    return lambda value: value is None


def _double(view: Any) -> ValueMatch:
    matcher = view.double_match
    if matcher.which("match_pattern") == "range":
        start, end = matcher.range.start, matcher.range.end
        return lambda value: _isNumber(value) and start <= value < end
    exact = matcher.exact
    return lambda value: _isNumber(value) and value == exact


def _isNumber(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _string(view: Any) -> ValueMatch:
    match = buildStringMatch(view.string_match)
    return lambda value: isinstance(value, str) and match(value)


def _bool(view: Any) -> ValueMatch:
    wanted = view.bool_match
    return lambda value: value is wanted


def _present(view: Any) -> ValueMatch:
    """What is not there is not asked about; `false` matches nothing, as in Envoy."""
    wanted: bool = view.present_match
    return lambda value: wanted


def _list(view: Any) -> ValueMatch:
    match = buildValueMatch(view.list_match.one_of)
    return lambda value: (
        isinstance(value, Sequence) and not isinstance(value, str) and any(map(match, value))
    )


def _or(view: Any) -> ValueMatch:
    matches = tuple(buildValueMatch(below) for below in view.or_match.value_matchers)
    return lambda value: any(match(value) for match in matches)


_VALUES: dict[str, Callable[[Any], ValueMatch]] = {
    "null_match": _null,
    "double_match": _double,
    "string_match": _string,
    "bool_match": _bool,
    "present_match": _present,
    "list_match": _list,
    "or_match": _or,
}


def buildMetadataMatch(
    view: Any, missing: bool, inverts: bool = True
) -> Callable[[Mapping[str, Mapping[str, object]]], bool]:
    """
    Build a MetadataMatcher.

    Args:
        missing: the answer when there is nothing at the path.
        inverts: False where Envoy does not look at `invert`.
    """
    path = [view.filter, *(segment.key for segment in view.path_)]
    match = buildValueMatch(view.value)
    invert: bool = inverts and view.invert
    if not inverts:
        view.moot("invert", "Envoy does not look at it here")

    def matches(metadata: Mapping[str, Mapping[str, object]]) -> bool:
        value: object = metadata
        for key in path:
            if not isinstance(value, Mapping) or key not in value:
                return missing
            value = value[key]
        return match(value) is not invert

    return matches


def buildFilterStateMatch(view: Any) -> Callable[[Any], bool]:
    """
    Build a FilterStateMatcher: of an object's text or of its address.

    Returns:
        takes the object of the matcher's key, or None.
    Raises:
        ConfigError: in Envoy's words.
    """
    if view.which("matcher") == "string_match":
        match = buildStringMatch(view.string_match)

        def matches(value: Any) -> bool:
            text = None if value is None else value.plainText()
            return text is not None and match(text)

        return matches
    ranges = tuple(map(buildCIDR, view.address_match.ranges))
    invert: bool = view.address_match.invert_match

    def matchesAddress(value: Any) -> bool:
        host = getattr(value, "host", None)
        if host is None:
            return False
        address = parseAddress(host)
        return any(cidr.contains(address) for cidr in ranges) is not invert

    return matchesAddress


def buildCIDR(view: Any) -> CIDR:
    """
    Read a CidrRange.

    Raises:
        ConfigError: its prefix is no address, or shorter than its length.
    """
    prefix, length = view.address_prefix, view.prefix_len
    try:
        return parseCIDR(prefix, length)
    except ValueError:
        problem = f"invalid ip/mask combo '{prefix}/{length or 0}' (format is <ip>/<# mask bits>)"
        raise view.error(problem, "address_prefix") from None


def fieldName(name: str) -> bytes:
    """The name that a HeaderMap has for a header; a request's `host` is its `:authority`."""
    lower = name.lower().encode()
    return b":authority" if lower == b"host" else lower


def buildHeaderMatch(view: Any) -> HeaderMatch:
    """
    Build a route.v3.HeaderMatcher; of several values of the name one has to match.

    A header that is absent matches nothing, inverted or not, unless it is treated as empty or the
    question is its presence.

    Raises:
        ConfigError: a pattern that is wrong, or a custom matcher.
    """
    name = fieldName(view.name)
    invert: bool = view.invert_match
    asEmpty: bool = view.treat_missing_header_as_empty
    kind = view.which("header_match_specifier")
    if kind == "exact_match" and not view.exact_match:
        kind = None  # as Envoy reads it
    if kind is None or kind == "present_match":
        wanted = (True if kind is None else view.present_match) is not invert
        return lambda headers: (asEmpty or name in headers) is wanted
    match = _headerValueMatch(view, kind)

    def matches(headers: HeaderMap) -> bool:
        value = headers.get(name)
        if value is None:
            if not asEmpty:
                return False
            value = b""
        elif headers.more and name in headers.more:
            return any(map(match, headers.every(name))) is not invert
        return match(value) is not invert

    return matches


def _headerValueMatch(view: Any, kind: str) -> BytesMatch:
    if kind == "string_match":
        return buildBytesMatch(view.string_match)
    if kind == "range_match":
        start, end = view.range_match.start, view.range_match.end
        return lambda text: _WHOLE.match(text) is not None and start <= int(text) < end
    if kind == "safe_regex_match":
        return buildRegex(view.safe_regex_match).fullmatch
    plain = kind.removesuffix("_match")
    return _textMatch(plain, getattr(view, kind).encode(), False)


_WHOLE = re.compile(rb"\s*[+-]?[0-9]{1,19}\s*\Z")
