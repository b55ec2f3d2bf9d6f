"""
Templates of paths: `/users/{id}/**`.

Envoy: source/extensions/path/uri_template_lib
"""

from __future__ import annotations

import re
from typing import NamedTuple

_CHARS = rb"a-zA-Z0-9\-._~%!$&'()+,;:@=*"
_SEGMENT = b"[" + _CHARS + b"]+"
_TEXT = b"[" + _CHARS + b"/]*"
_LITERAL = re.compile(r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]*")
_VARIABLE = re.compile(r"\{([a-zA-Z][a-zA-Z0-9_]{0,15})(?:=([^{}]*))?\}")
_PATTERN = re.compile(r"/[!-~]*")


class TemplateError(Exception):
    """A template that is none; the text is Envoy's."""


class Template:
    """
    A path_template.

    Attributes:
        text: as configured. names: of its variables.
    Raises:
        TemplateError: it is none.
    """

    __slots__ = ("_pattern", "names", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: list[str] = []
        if _PATTERN.fullmatch(text) is None:
            raise TemplateError(f'Invalid pattern: "{text}"')
        pattern = b"".join(b"/" + self._segment(part) for part in _segments(text[1:]))
        if pattern.count(_TEXT) > 1 or _SEGMENT in pattern.partition(_TEXT)[2]:
            raise TemplateError("Glob after text glob.")
        if len(self.names) > 5:
            raise TemplateError(f'Exceeded variable count limit (5): "{text}"')
        self._pattern = re.compile(pattern)

    def matches(self, path: bytes) -> bool:
        """Is this path, which has no query, one of them?"""
        return self._pattern.fullmatch(path) is not None

    def captures(self, path: bytes) -> dict[str, bytes] | None:
        """The values of the variables; None when the path does not match."""
        found = self._pattern.fullmatch(path)
        return None if found is None else dict(zip(self.names, found.groups(), strict=True))

    def _segment(self, text: str) -> bytes:
        if "{" in text or "}" in text:
            variable = _VARIABLE.fullmatch(text)
            if variable is None:
                raise TemplateError(f'Unmatched variable bracket in mixed pattern: "{text}"')
            name, inner = variable[1], variable[2]
            if name in self.names:
                raise TemplateError(f'Repeated variable name: "{name}"')
            self.names.append(name)
            parts = [_plain(part) for part in ("*" if inner is None else inner).split("/")]
            return b"(" + b"/".join(parts) + b")"
        return _plain(text)


def _segments(text: str) -> list[str]:
    """What stands between slashes, but not between those inside of a variable."""
    return re.findall(r"(?:^|/)((?:\{[^{}]*\}|[^/])*)", text)


def _plain(text: str) -> bytes:
    if text == "*":
        return _SEGMENT
    if text.startswith("**"):
        return _TEXT + _literal(text[2:])
    return _literal(text)


def _literal(text: str) -> bytes:
    if _LITERAL.fullmatch(text) is None:
        raise TemplateError(f'Invalid literal: "{text}"')
    return re.escape(text.encode())


class Variable(NamedTuple):
    """A place in a rewrite that is filled with the variable of that name."""

    name: str


def rewriteParts(text: str) -> list[bytes | Variable]:
    """
    Read a path_template_rewrite.

    Raises:
        TemplateError: it is none.
    """
    if _PATTERN.fullmatch(text) is None:
        raise TemplateError(f'Invalid pattern: "{text}"')
    parts: list[bytes | Variable] = []
    for piece in re.split(r"(\{[^{}]*\})", text):
        if piece.startswith("{") and piece.endswith("}"):
            variable = _VARIABLE.fullmatch(piece)
            if variable is None or variable[2] is not None:
                raise TemplateError(f'Invalid variable: "{piece}"')
            parts.append(Variable(variable[1]))
        elif "{" in piece or "}" in piece:
            raise TemplateError(f'Unmatched variable bracket: "{piece}"')
        elif piece:
            parts.append(piece.encode())
    return parts
