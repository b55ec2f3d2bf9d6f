"""What a worker is told before it begins."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from twisted_envoy.config.load import Text
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.values import dataclass

CHANNEL = 3
"""The descriptor of a worker's channel; those of its listening sockets are the next ones."""


@dataclass(frozen=True, slots=True)
class Hello:
    """
    The start of one worker.

    Attributes:
        index: its number, from 0.
        reactor: the module whose `install` makes a reactor like the first process's.
        folder: the working directory in which the first process was built.
        text: of the config file, None without one.
        logPath: the log file, "" for stderr.
        listening: of each address in the order of the config, a descriptor or CLOSED.
        pages: of the admin interface that have changed something: method, uri, form.
    """

    index: int
    reactor: str
    folder: str
    options: ServerOptions
    text: Text | None
    logPath: str
    listening: tuple[int, ...]
    pages: tuple[tuple[str, str, str], ...]

    def words(self) -> dict[str, Any]:
        """As JSON's values."""
        return asdict(self)

    @classmethod
    def of(cls, words: dict[str, Any]) -> Hello:
        """From JSON's values."""
        text = words["text"]
        return cls(
            words["index"],
            words["reactor"],
            words["folder"],
            ServerOptions(**words["options"]),
            None if text is None else Text(**text),
            words["logPath"],
            tuple(words["listening"]),
            tuple((method, uri, form) for method, uri, form in words["pages"]),
        )
