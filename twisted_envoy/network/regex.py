"""
`type.matcher.v3.RegexMatcher`: patterns in RE2's syntax, over bytes.

A header or path is UTF-8 mostly; bytes that are not are kept through everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from twisted_envoy.stats.regex import compileRegex

_REFERENCE = re.compile(rb"\\([0-9\\])|\\")


class Regex:
    """
    A compiled pattern.

    Raises:
        ValueError: RE2's words for what is wrong with it.
    """

    __slots__ = ("_compiled", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._compiled = compileRegex(pattern)

    def fullmatch(self, text: bytes) -> bool:
        """Does the pattern match all of text?"""
        return self._compiled.fullmatch(text.decode("utf-8", "surrogateescape")) is not None

    def substitute(self, text: bytes, replacement: Callable[[Any], str]) -> bytes:
        """Replace every match."""
        decoded = text.decode("utf-8", "surrogateescape")
        return self._compiled.sub(replacement, decoded).encode("utf-8", "surrogateescape")


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
