"""
Matchers of texts, values, metadata and headers (`type.matcher.v3` and route.v3.HeaderMatcher).

Each is built once from its view into a function that answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted_envoy.formatter.operators.metadata import lookUp
from twisted_envoy.stats.regex import compileRegex

TextMatch = Callable[[str], bool]
ValueMatch = Callable[[object], bool]


def buildStringMatch(view: Any) -> TextMatch:
    """
    Build a StringMatcher.

    Raises:
        ConfigError: a pattern that is wrong, or a custom matcher.
    """
    kind = view.which("match_pattern")
    if kind == "safe_regex":
        view.moot("ignore_case", "Envoy ignores it with safe_regex")
        return buildRegexMatch(view.safe_regex)
    if kind not in ("exact", "prefix", "suffix", "contains"):
        raise view.error(f"string matcher {kind} is not implemented by twisted_envoy", kind)
    pattern: str = getattr(view, kind)
    ignoreCase: bool = view.ignore_case
    if ignoreCase:
        lowered = _textMatch(kind, pattern.lower())
        return lambda text: lowered(text.lower())
    return _textMatch(kind, pattern)


def _textMatch(kind: str, pattern: str) -> TextMatch:
    if kind == "exact":
        return lambda text: text == pattern
    if kind == "prefix":
        return lambda text: text.startswith(pattern)
    if kind == "suffix":
        return lambda text: text.endswith(pattern)
    return lambda text: pattern in text


def buildRegexMatch(view: Any) -> TextMatch:
    """
    Build a RegexMatcher: the whole text has to match.

    Raises:
        ConfigError: the pattern is wrong, in RE2's words.
    """
    if view.which("engine_type") == "google_re2":
        view.moot("google_re2", "RE2's syntax is the only one")
    try:
        return _whole(view.regex)
    except ValueError as error:
        raise view.error(str(error), "regex") from error


def _whole(pattern: str) -> TextMatch:
    compiled = compileRegex(pattern)
    return lambda text: compiled.fullmatch(text) is not None


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
    wanted = view.present_match
    return lambda value: (value is not None) is wanted


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
    view: Any, missing: bool
) -> Callable[[Mapping[str, Mapping[str, object]]], bool]:
    """
    Build a MetadataMatcher.

    Args:
        missing: the answer when there is nothing at the path.
    """
    path = [view.filter, *(segment.key for segment in view.path_)]
    match = buildValueMatch(view.value)
    invert: bool = view.invert

    def matches(metadata: Mapping[str, Mapping[str, object]]) -> bool:
        value = lookUp(metadata, path)
        return missing if value is None else match(value) is not invert

    return matches


def buildHeaderMatch(view: Any) -> Callable[[Mapping[str, str]], bool]:
    """
    Build a HeaderMatcher over headers by lower-case name.

    A header that is absent matches nothing, inverted or not, unless it is treated as empty or the
    question is its presence.
    """
    name: str = view.name.lower()
    invert: bool = view.invert_match
    kind = view.which("header_match_specifier")
    if kind is None or kind == "present_match":
        wanted = True if kind is None else view.present_match
        return lambda headers: ((name in headers) is wanted) is not invert
    match = _headerValueMatch(view, kind)
    asEmpty: bool = view.treat_missing_header_as_empty

    def matches(headers: Mapping[str, str]) -> bool:
        value = headers.get(name, "" if asEmpty else None)
        return False if value is None else match(value) is not invert

    return matches


def _headerValueMatch(view: Any, kind: str) -> TextMatch:
    if kind == "string_match":
        return buildStringMatch(view.string_match)
    if kind == "range_match":
        start, end = view.range_match.start, view.range_match.end
        return lambda text: _isWhole(text) and start <= int(text) < end
    if kind == "safe_regex_match":
        return buildRegexMatch(view.safe_regex_match)
    plain = kind.removesuffix("_match")
    return _textMatch(plain, getattr(view, kind))


def _isWhole(text: str) -> bool:
    return text.lstrip("+-").isdecimal()
