"""
Paths made canonical.

Every function takes and gives a path without its query, in bytes.

Envoy: source/common/http/path_utility.cc and the URL library behind it
"""

from __future__ import annotations

import re

_ESCAPED_SLASH = re.compile(rb"%(2[Ff]|5[Cc])")
_ESCAPED_DOT = re.compile(rb"%2[Ee]")
_DOT_PARAMETERS = re.compile(rb"/(\.\.?);[^/]*(?=/|\Z)")
_DOT_SEGMENT = re.compile(rb"/\.\.?(?:/|\Z)")
_CANONICAL = re.compile(rb"(?:/(?!\.)[!$&'()*+,\-.0-9:;=@A-Z\[\]_a-z~]*)+\Z")
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_STRAY_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_MUST_ESCAPE = re.compile(rb"[^!$%&'()*+,\-./0-9:;=@A-Z\[\]_a-z~]")
_HEX_PAIR = re.compile(rb"[0-9A-Fa-f]{2}\Z")
_UNRESERVED = frozenset(b"-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~")
_PERCENT = 0x25


def unescapeSlashes(path: bytes) -> bytes:
    """`%2F` becomes a slash, `%5C` a backslash; the same object when there is none."""
    if b"%" not in path:
        return path
    return _ESCAPED_SLASH.sub(lambda found: b"/" if found[1][:1] == b"2" else b"\\", path)


def mergeSlashes(path: bytes) -> bytes:
    """Slashes beside each other become one; of a path of nothing else two stay, as in Envoy."""
    if b"//" not in path:
        return path
    start = b"/" if path.startswith(b"/") else b""
    end = b"/" if path.endswith(b"/") else b""
    return start + b"/".join(filter(None, path.split(b"/"))) + end


def canonicalPath(path: bytes) -> bytes | None:
    """
    Resolve `.` and `..`, decode what needs no escape, escape what does, turn backslashes.

    Parameters of a dot segment (`..;x`) go with it.

    Returns:
        None for a path that is refused: one with a NUL, escaped or not.
    """
    if _CANONICAL.match(path):
        return path
    if b";" in path:
        path = _DOT_PARAMETERS.sub(rb"/\1", path)
    if b"%00" in path or b"\0" in path:
        return None
    path = path.replace(b"\\", b"/")
    if b"%" in path:
        path = _ESCAPED_DOT.sub(b".", path)
    if _DOT_SEGMENT.search(path):
        path = _resolved(path)
    if b"%" in path:
        path = _decodedByHand(path) if _STRAY_PERCENT.search(path) else _decoded(path)
    return _MUST_ESCAPE.sub(lambda found: b"%%%02X" % found[0][0], path)


def _resolved(path: bytes) -> bytes:
    segments = path.split(b"/")[1:]
    kept: list[bytes] = []
    for segment in segments:
        if segment == b"..":
            if kept:
                kept.pop()
        elif segment != b".":
            kept.append(segment)
    if segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)


def _decoded(path: bytes) -> bytes:
    return _ESCAPE.sub(_plain, path)


def _plain(found: re.Match[bytes]) -> bytes:
    escape = found[0]
    value = int(escape[1:], 16)
    return bytes((value,)) if value in _UNRESERVED else escape


def _decodedByHand(path: bytes) -> bytes:
    """As _decoded; a `%` that begins no escape is escaped where decoding made it begin one."""
    made = bytearray()
    stray = -3
    at = 0
    while at < len(path):
        if path[at] != _PERCENT:
            made.append(path[at])
            at += 1
            continue
        if not _ESCAPE.match(path, at):
            stray = len(made)
            made.append(_PERCENT)
            at += 1
            continue
        value = int(path[at + 1 : at + 3], 16)
        at += 3
        if value not in _UNRESERVED:
            made += path[at - 3 : at]
            continue
        made.append(value)
        if stray >= len(made) - 3 and _HEX_PAIR.match((made[stray + 1 :] + path[at : at + 1])[:2]):
            made[stray + 1 : stray + 1] = b"25"
    return bytes(made)
