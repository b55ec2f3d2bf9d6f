"""
Lines that are like each other but for a time and a UUID.

All else of such a line is known: of those of one millisecond only the UUID is put in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted_envoy.formatter.line import Hole


def isStampable(parts: Sequence[str | Hole], isLate: bool) -> bool:
    """
    Whether a time and UUIDs fill all holes of a line, and its texts can be encoded one by one.

    Args:
        isLate: records are made when the request has come; else they have another time.
    """
    texts = "".join([part for part in parts if isinstance(part, str)])
    holes = [part for part in parts if not isinstance(part, str)]
    return (
        texts != ""
        and (texts.isascii() or _isEncodable(texts))
        and all(
            hole.quotes is not None or (hole.moment is not None and (isLate or not hole.isLate))
            for hole in holes
        )
    )


def _isEncodable(text: str) -> bool:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


class Stamp:
    """
    Writes such lines.

    Args:
        append: gets each. parts: stampable ones.
    """

    __slots__ = ("_append", "_first", "_last", "_parts", "_pieces")

    def __init__(self, append: Callable[[bytes], None], parts: Sequence[str | Hole]) -> None:
        self._append = append
        self._parts = tuple(parts)
        self._pieces: tuple[bytes, ...] = ()
        self._first, self._last = 1.0, 0.0

    def write(self, now: float, uuid: bytes) -> None:
        """
        One more line.

        Args:
            now: seconds. uuid: its text.
        """
        if not self._first <= now <= self._last:
            self._renew(now)
        self._append(uuid.join(self._pieces))

    def _renew(self, now: float) -> None:
        """Fill in a time; what it is close to the edge of a millisecond is seen each time."""
        texts = [""]
        for part in self._parts:
            if isinstance(part, str):
                texts[-1] += part
            elif part.moment is not None:
                texts[-1] += part.moment(now)
            else:
                quote = part.quotes or ""
                texts[-1] += quote
                texts.append(quote)
        self._pieces = tuple([encoded(text) for text in texts])
        millisecond = round(now * 1_000_000) // 1000
        self._first = (millisecond * 1000 + 1) / 1_000_000
        self._last = (millisecond * 1000 + 998) / 1_000_000


def encoded(text: str) -> bytes:
    """As it is in a file: odd bytes, which are surrogates, as bytes."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")
