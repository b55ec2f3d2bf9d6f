"""
`type.matcher.v3.RegexMatcher`: patterns in RE2's syntax, over bytes, in linear time.

RE2 itself is used when it is installed (`pip install twisted_envoy[re2]`), else what is in
`network.re2`; both answer the same. As in Envoy, each byte is a character, in patterns and in
texts: `.` matches one byte of a letter in UTF-8, and what is no UTF-8 is nothing special.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, AnyStr

GOOGLE: ModuleType | None
try:
    GOOGLE = import_module("re2")
except ImportError:
    GOOGLE = None

Match = Callable[[bytes], bool]
Parts = list["bytes | int"]
"""Texts, and numbers of groups."""
Search = Callable[[AnyStr, int], "Sequence[int] | None"]
"""Beginning and end of the first match and of its groups, from a place on; -1: a group that is not
there."""


class Regex:
    """
    A compiled pattern.

    Args:
        google: the module re2, or None to do without.

    Attributes:
        fullmatch(text): does the pattern match all of text?
    Raises:
        ValueError: RE2's words for what is wrong with it.
    """

    __slots__ = ("_replace", "fullmatch", "groups", "pattern")

    def __init__(self, pattern: str, google: Any = GOOGLE) -> None:
        self.pattern = pattern
        self.fullmatch: Match
        self._replace: Callable[[bytes, Parts], bytes]
        if google is None:
            self._useOurs()
        else:
            self._useGoogle(google)

    def _useGoogle(self, google: Any) -> None:
        options = google.Options()
        options.log_errors = False
        options.encoding = google.Options.Encoding.LATIN1
        try:
            compiled = google.compile(self.pattern.encode(), options)
        except google.error as error:
            words = error.args[0]
            raise ValueError(
                words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
            ) from None
        self.groups: int = compiled.groups
        fullmatch = compiled.fullmatch
        self.fullmatch = lambda text: fullmatch(text) is not None

        search = compiled.search
        groups = range(compiled.groups + 1)

        def spans(text: bytes, start: int) -> Sequence[int] | None:
            match = search(text, start)
            return match and [edge for group in groups for edge in match.span(group)]

        self._replace = lambda text, parts: _replaceAll(text, parts, spans)

    def _useOurs(self) -> None:
        from twisted_envoy.network.re2.linear import isLinear
        from twisted_envoy.network.re2.machine import Machine
        from twisted_envoy.network.re2.parse import Parser
        from twisted_envoy.network.re2.python import pythonPattern

        parser = Parser(_decoded(self.pattern.encode()), self.pattern)
        node = parser.parse()
        self.groups = parser.groups
        translated = pythonPattern(node)
        if isLinear(node, True):
            fullmatch = re.compile(translated).fullmatch
            self.fullmatch = lambda text: fullmatch(_decoded(text)) is not None
        else:
            whole = Machine(node, parser.groups).fullmatch
            self.fullmatch = lambda text: whole(_decoded(text))
        spans = (
            _pythonSearch(re.compile(translated))
            if isLinear(node, False)
            else Machine(node, parser.groups).search
        )

        def replace(text: bytes, parts: Parts) -> bytes:
            texts = [part if isinstance(part, int) else _decoded(part) for part in parts]
            return _replaceAll(_decoded(text), texts, spans).encode("latin-1")

        self._replace = replace

    def substitution(self, template: str) -> Callable[[bytes], bytes]:
        """
        What replaces every match.

        Args:
            template: a backslash and a digit stand for a group, 0 for the match, two backslashes
                for one. A template that asks for more groups than there are changes nothing.
        """
        parts = _parts(template)
        if any(isinstance(part, int) and part > self.groups for part in parts):
            return lambda text: text
        replace = self._replace
        return lambda text: replace(text, parts)


def _decoded(text: bytes) -> str:
    return text.decode("latin-1")


def _pythonSearch(compiled: re.Pattern[str]) -> Search[str]:
    def search(text: str, start: int) -> Sequence[int] | None:
        match = compiled.search(text, start)
        return match and [edge for pair in match.regs for edge in pair]

    return search


def _replaceAll(
    text: AnyStr,
    parts: Sequence[AnyStr | int],
    search: Search[AnyStr],
) -> AnyStr:
    """RE2::GlobalReplace: no empty match right behind another one."""
    found: list[AnyStr] = []
    at, before = 0, -1
    while at <= len(text):
        edges = search(text, at)
        if edges is None:
            break
        start, end = edges[0], edges[1]
        found.append(text[at:start])
        if start == end == before:
            if start == len(text):
                return text[:0].join(found)
            at = start + 1
            found.append(text[start:at])
            continue
        found += [
            text[max(edges[2 * part], 0) : max(edges[2 * part + 1], 0)]
            if isinstance(part, int)
            else part
            for part in parts
        ]
        at = before = end
    found.append(text[at:])
    return text[:0].join(found)


def _parts(template: str) -> Parts:
    """Literal texts and numbers of groups; it ends before what is no proper escape, as RE2's."""
    parts: Parts = []
    at = 0
    while (slash := template.find("\\", at)) >= 0:
        parts.append(template[at:slash].encode())
        following = template[slash + 1 : slash + 2]
        at = slash + 2
        if following == "\\":
            parts.append(following.encode())
        elif following.isdecimal() and following.isascii():
            parts.append(int(following))
        else:
            return parts
    parts.append(template[at:].encode())
    return parts


def buildRegex(view: Any) -> Regex:
    """
    Build a RegexMatcher.

    Raises:
        ConfigError: the pattern is wrong, in RE2's words.
    """
    if view.which("engine_type") == "google_re2":
        view.moot("google_re2", "RE2's syntax is the only one")
    try:
        return Regex(view.regex)
    except ValueError as error:
        raise view.error(str(error), "regex") from error
