"""
Texts with holes: what every format is compiled to.

A line of which some holes are known already makes another one that has fewer (`partsAlike`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from twisted_envoy.state.stream_info import FormatContext

Formatter = Callable[[FormatContext], str]


class Hole(NamedTuple):
    """
    What is filled in.

    Attributes:
        text: None where there is no value. sameness: how long it stays (formatter.sameness).
        moment, isLate: as of an Operator; gives what `text` does.
        quotes: what is around the request's x-request-id, if that is a UUID and all that this says;
            else None.
    """

    text: Callable[[FormatContext], str | None]
    sameness: int
    moment: Callable[[float], str] | None = None
    isLate: bool = False
    quotes: str | None = None


class Line:
    """
    A format.

    Args:
        parts: texts and holes, in their order. empty: stands for no value.

    Attributes:
        render: the same as calling it, a little faster.
    """

    __slots__ = ("_empty", "_parts", "render")

    def __init__(self, parts: Sequence[str | Hole], empty: str = "-") -> None:
        self._parts = tuple(parts)
        self._empty = empty
        template = "".join(
            part.replace("%", "%%") if isinstance(part, str) else "%s" for part in parts
        )
        functions = tuple(part.text for part in parts if not isinstance(part, str))
        self.render: Formatter = _filler(template, functions, empty)

    def __call__(self, context: FormatContext) -> str:
        return self.render(context)

    def withParts(self, parts: Sequence[str | Hole]) -> Line:
        """Another one with these, else the same."""
        return Line(parts, self._empty)

    def partsAlike(
        self, context: FormatContext, sameness: int, isIDSame: bool = False
    ) -> tuple[str | Hole, ...]:
        """
        The parts of a line that says the same of the records that are alike.

        Args:
            context: one of them. sameness: how alike they are. isIDSame: and have one x-request-id.
        """
        parts: list[str | Hole] = []
        for part in self._parts:
            if isinstance(part, str):
                parts.append(part)
            elif part.sameness <= sameness or (isIDSame and part.quotes is not None):
                text = part.text(context)
                parts.append(self._empty if text is None else text)
            else:
                parts.append(part)
        return tuple(parts)


def _filler(
    template: str, functions: tuple[Callable[[FormatContext], str | None], ...], empty: str
) -> Formatter:
    if not functions:
        literal = template.replace("%%", "%")
        return lambda context: literal

    def format(context: FormatContext) -> str:
        return template % tuple(
            [empty if (text := function(context)) is None else text for function in functions]
        )

    return format
