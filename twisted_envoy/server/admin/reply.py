"""What a page is asked and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import unquote

from twisted_envoy.values import dataclass

TEXT = "text/plain; charset=UTF-8"
BARE_TEXT = "text/plain"
JSON = "application/json"
HTML = "text/html; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """
    One answer.

    Attributes:
        body: the text, or what makes it once the answer's status has been counted: a stats page
            shows its own request, as Envoy's does.
    """

    body: str | Callable[[], str]
    code: int = 200
    contentType: str = TEXT

    def text(self) -> str:
        """The body."""
        return self.body if isinstance(self.body, str) else self.body()


OK = Reply("OK\n")


class Query:
    """
    The parameters of a request, in order; those of a form body behind those of the URL.

    Envoy's rules: `+` stays what it is, and of a parameter given twice the first counts.
    """

    def __init__(self, text: str = "", form: str = "") -> None:
        self.pairs = tuple(_pairs(text)) + tuple(_pairs(form))

    def has(self, name: str) -> bool:
        """Whether it was given at all, with whatever value (`graceful=false` too)."""
        return any(key == name for key, _ in self.pairs)

    def first(self, name: str) -> str | None:
        """The first value, None when there is none."""
        return next((value for key, value in self.pairs if key == name), None)

    def nonEmpty(self, name: str) -> str | None:
        """The first value, None when it is absent or empty."""
        return self.first(name) or None

    def arguments(self) -> dict[bytes, list[bytes]]:
        """As `twisted.web`'s request.args."""
        found: dict[bytes, list[bytes]] = {}
        for key, value in self.pairs:
            found.setdefault(key.encode(), []).append(value.encode())
        return found


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split("&"):
        if part:
            key, _, value = part.partition("=")
            yield unquote(key), unquote(value)
