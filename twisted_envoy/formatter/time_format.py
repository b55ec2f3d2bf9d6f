"""
Time formats: strftime's letters and the extensions that Envoy adds.

`%E3S` are seconds with three decimals, `%E*S` with as many as matter, `%f` nanoseconds, `%3f`
(`%1f` to `%9f`, `%E3f`) the first decimals, `%s` seconds since 1970, `%Ez` the offset with a colon.
Everything coarser than a second is kept until the second changes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from twisted_envoy.formatter.parser import FormatError

_NEWLINE = re.compile(r"%[-_0^#]*[1-9]*[EO]?n")
_TOKEN = re.compile(
    r"%(?:E(?P<seconds>\*|\d+)S|(?:E(?P<decimals>\*|\d+)|(?P<digits>[1-9])?)f"
    r"|[1-9]?(?P<epoch>s)|(?P<offset>E\*?z|:{1,3}z|z)|(?P<zone>Z)|(?P<year>E4Y)|(?P<percent>%)"
    r"|(?P<raw>E[ST])|[-_0^#]*\d*[EO]?[A-Za-z+])|%|[^%]+"
)

_MILLISECONDS = 3
"""Decimals."""

Moment = tuple[time.struct_time, int]
Piece = Callable[[Moment], str]
Fraction = Callable[[int], str]


def compileTimeFormat(source: str, local: bool) -> Callable[[float], str]:
    """
    Make the function from seconds (since 1970, float, microseconds count) to text.

    Args:
        local: the time zone of this machine instead of UTC.
    Raises:
        FormatError: the format would print a newline.
    """
    if _NEWLINE.search(source):
        raise FormatError("Invalid header configuration. Format string contains newline.")
    pieces: list[Piece | Fraction] = []
    fractions: list[bool] = []
    for token in _TOKEN.finditer(source):
        for isFraction, piece in _piecesOf(token, local):
            pieces.append(piece)
            fractions.append(isFraction)
    fine = [index for index, isFraction in enumerate(fractions) if isFraction]
    coarse = [index for index, isFraction in enumerate(fractions) if not isFraction]
    split = time.localtime if local else time.gmtime
    lastSecond = -1
    texts = [""] * len(pieces)

    def render(seconds: float) -> str:
        nonlocal lastSecond
        second, microseconds = divmod(round(seconds * 1_000_000), 1_000_000)
        if second != lastSecond:
            moment = (split(second), second)
            for index in coarse:
                texts[index] = pieces[index](moment)  # type: ignore[arg-type]
            lastSecond = second
        for index in fine:
            texts[index] = pieces[index](microseconds)  # type: ignore[arg-type]
        return "".join(texts)

    return render if isFine(source) else _eachMillisecond(render)


def isFine(source: str) -> bool:
    """Whether it may tell times of one millisecond apart."""
    return any(
        not _isCoarse(token) and any(isFraction for isFraction, _ in _piecesOf(token, False))
        for token in _TOKEN.finditer(source)
    )


def _eachMillisecond(render: Callable[[float], str]) -> Callable[[float], str]:
    """The same, kept until the millisecond changes: a busy server has many in one."""
    last = -1
    text = ""

    def kept(seconds: float) -> str:
        nonlocal last, text
        moment = round(seconds * 1_000_000) // 1000
        if moment != last:
            text, last = render(seconds), moment
        return text

    return kept


def _isCoarse(token: re.Match[str]) -> bool:
    """Whether it shows no more than milliseconds."""
    digits = token["seconds"] or token["decimals"] or token["digits"]
    return digits is not None and digits.isdigit() and int(digits) <= _MILLISECONDS


def _piecesOf(token: re.Match[str], local: bool) -> list[tuple[bool, Piece | Fraction]]:
    """(whether it is a part of a second, its function) for one token of a format."""
    text = token.group()
    if (digits := token["seconds"]) is not None:
        return [(False, _strftime("%S")), (True, _decimals(digits, "."))]
    if text.startswith("%") and text.endswith("f") and _isFraction(token):
        return [(True, _decimals(token["decimals"] or token["digits"] or "9", ""))]
    if token["epoch"]:
        return [(False, lambda moment: str(moment[1]))]
    if (offset := token["offset"]) is not None:
        return [(False, lambda moment: _offsetText(moment[0], offset, local))]
    if token["zone"]:
        return [(False, lambda moment: moment[0].tm_zone if local else "UTC")]
    if token["year"]:
        return [(False, lambda moment: f"{moment[0].tm_year:04d}")]
    literal = _literalOf(token, text)
    if literal is not None:
        return [(False, lambda moment: literal)]
    return [(False, _strftime(text))]


def _isFraction(token: re.Match[str]) -> bool:
    return token.group() == "%f" or bool(token["decimals"] or token["digits"])


def _literalOf(token: re.Match[str], text: str) -> str | None:
    if token["percent"]:
        return "%"
    if token["raw"]:
        return "T" if text == "%ET" else text
    return text if not text.startswith("%") or text == "%" else None


def _strftime(letter: str) -> Piece:
    return lambda moment: time.strftime(letter, moment[0])


def _decimals(digits: str, before: str) -> Fraction:
    if digits == "*":

        def significant(microseconds: int) -> str:
            text = f"{microseconds:06d}".rstrip("0")
            return before + text if text else "" if before else "0"

        return significant
    width = int(digits)
    if not width:
        return lambda microseconds: ""
    return lambda microseconds: before + f"{microseconds:06d}"[:width].ljust(width, "0")


def _offsetText(moment: time.struct_time, style: str, local: bool) -> str:
    offset = (moment.tm_gmtoff or 0) if local else 0
    sign = "-" if offset < 0 else "+"
    hours, rest = divmod(abs(offset), 3600)
    minutes, seconds = divmod(rest, 60)
    if style == "z":
        return f"{sign}{hours:02d}{minutes:02d}"
    if style in ("Ez", ":z"):
        return f"{sign}{hours:02d}:{minutes:02d}"
    if style in ("E*z", "::z"):
        return f"{sign}{hours:02d}:{minutes:02d}:{seconds:02d}"
    text = f"{sign}{hours:02d}"
    if minutes or seconds:
        text += f":{minutes:02d}"
    return text + f":{seconds:02d}" if seconds else text
