"""
`type.matcher.v3.RegexMatcher`: patterns in RE2's syntax, over bytes.

A header or path is UTF-8 mostly; bytes that are not are kept through everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.stats.regex import compileRegex


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

    def substitution(self, template: str) -> Callable[[bytes], bytes]:
        """
        What replaces every match.

        Args:
            template: a backslash and a digit stand for a group, 0 for the match, two backslashes
                for one.
                A template that asks for more groups than there are changes nothing.
        """
        parts = _parts(template)
        compiled = self._compiled
        if any(isinstance(part, int) and part > compiled.groups for part in parts):
            return lambda text: text

        def substitute(text: bytes) -> bytes:
            decoded = text.decode("utf-8", "surrogateescape")
            found: list[str] = []
            end = 0
            for match in compiled.finditer(decoded):
                if found and match.start() == match.end() == end:
                    continue  # RE2 finds no empty match right behind another one
                found.append(decoded[end : match.start()])
                found += [
                    part if isinstance(part, str) else match.group(part) or "" for part in parts
                ]
                end = match.end()
            if not found:
                return text
            found.append(decoded[end:])
            return "".join(found).encode("utf-8", "surrogateescape")

        return substitute


def _parts(template: str) -> list[str | int]:
    """Literal texts and numbers of groups; it ends before what is no proper escape, as RE2's."""
    parts: list[str | int] = []
    at = 0
    while (slash := template.find("\\", at)) >= 0:
        parts.append(template[at:slash])
        following = template[slash + 1 : slash + 2]
        at = slash + 2
        if following == "\\":
            parts.append(following)
        elif following.isdecimal() and following.isascii():
            parts.append(int(following))
        else:
            return parts
    parts.append(template[at:])
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
