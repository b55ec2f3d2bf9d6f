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
_LITERAL = re.compile(r"[a-zA-Z0-9\-._~%!$&'()+,;:@=*]+")
_REWRITTEN = re.compile(r"[a-zA-Z0-9\-._~%!$&'()+,;:@=*/]+")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
_PATTERN = re.compile(r"/[!-~]*")
_MOST_VARIABLES = 5
_LONGEST_NAME = 16


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

    __slots__ = ("_globs", "_pattern", "names", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: list[str] = []
        self._globs: list[str] = []
        if _PATTERN.fullmatch(text) is None:
            raise TemplateError(f'Invalid pattern: "{text}"')
        pattern, rest = b"/", text[1:]
        while rest:
            found, rest = self._segment(rest)
            pattern += found
            if rest:  # what comes behind a slash; an empty text if nothing does
                pattern, rest = pattern + b"/", rest[1:]
                if not rest:
                    break
        self._checkNames()
        self._checkGlobs()
        self._pattern = re.compile(pattern)

    def matches(self, path: bytes) -> bool:
        """Is this path, which has no query, one of them?"""
        return self._pattern.fullmatch(path) is not None

    def captures(self, path: bytes) -> dict[str, bytes] | None:
        """The values of the variables; None when the path does not match."""
        found = self._pattern.fullmatch(path)
        return None if found is None else dict(zip(self.names, found.groups(), strict=True))

    def _segment(self, text: str) -> tuple[bytes, str]:
        """One segment's pattern, and what is left: nothing, or a slash and more."""
        if text[0] == "*":
            found, rest = self._glob(text)
            suffix, rest = _upToSlash(rest)
            if suffix and rest:
                _literal(suffix)
                raise TemplateError("Prefix match not supported.")
            return (found + _literal(suffix) if suffix else found), rest
        start = text.find("{")
        whole = _upToSlash(text)[0]
        if start < 0 or start and "}" not in whole[start:]:
            return _literal(whole), text[len(whole) :]
        end = text.find("}", start)
        if end < 0:
            raise TemplateError(f'Unmatched variable bracket in mixed pattern: "{text}"')
        suffix, rest = _upToSlash(text[end + 1 :])
        for kind, literal in (("prefix", text[:start]), ("suffix", suffix)):
            if literal and _LITERAL.fullmatch(literal) is None:
                raise TemplateError(f'Invalid {kind} literal: "{literal}"')
        before, behind = (re.escape(one.encode()) for one in (text[:start], suffix))
        return before + self._variable(text[start + 1 : end]) + behind, rest

    def _glob(self, text: str) -> tuple[bytes, str]:
        glob = "**" if text.startswith("**") else "*"
        self._globs.append(glob)
        return (_TEXT if glob == "**" else _SEGMENT), text[len(glob) :]

    def _variable(self, text: str) -> bytes:
        """What is between the brackets."""
        name, hasMatch, rest = text.partition("=")
        if _NAME.fullmatch(name) is None:
            raise TemplateError(f'Invalid variable name: "{name}"')
        self.names.append(name)
        if not hasMatch:
            self._globs.append("")
            return b"(" + _SEGMENT + b")"
        if not rest:
            raise TemplateError("Empty variable match")
        parts = []
        while rest:
            if rest[0] == "*":
                part, rest = self._glob(rest)
            else:
                literal, rest = _upToSlash(rest)
                part = _literal(literal)
            parts.append(part)
            if rest and (rest[0] != "/" or rest == "/"):
                raise TemplateError(f'Invalid variable match: "{rest}"')
            rest = rest[1:]
        return b"(" + b"/".join(parts) + b")"

    def _checkNames(self) -> None:
        for at, name in enumerate(self.names):
            if at >= _MOST_VARIABLES:
                raise TemplateError(f"Exceeded variable count limit ({_MOST_VARIABLES})")
            if len(name) > _LONGEST_NAME:
                raise TemplateError(
                    f'Invalid variable name length (length of "{name}" should be at least 1 and '
                    f"no more than {_LONGEST_NAME})"
                )
            if name in self.names[:at]:
                raise TemplateError(f'Repeated variable name: "{name}"')

    def _checkGlobs(self) -> None:
        behind = self._globs[self._globs.index("**") + 1 :] if "**" in self._globs else []
        if behind:
            implicit = "" if behind[0] else "Implicit variable path "
            raise TemplateError(f"{implicit}{'G' if behind[0] else 'g'}lob after text glob.")


def _upToSlash(text: str) -> tuple[str, str]:
    at = text.find("/")
    return (text, "") if at < 0 else (text[:at], text[at:])


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
    if text[:1] != "/" or "//" in text:
        raise TemplateError(f'Invalid pattern: "{text}"')
    parts: list[bytes | Variable] = []
    for piece in re.split(r"(\{[^{}]*\})", text):
        if piece.startswith("{") and piece.endswith("}"):
            if _NAME.fullmatch(piece[1:-1]) is None:
                raise TemplateError(f'Invalid variable: "{piece}"')
            parts.append(Variable(piece[1:-1]))
        elif piece:
            if _REWRITTEN.fullmatch(piece) is None:
                raise TemplateError(f'Invalid rewrite literal: "{piece}"')
            parts.append(piece.encode())
    return parts
