"""Libraries that compress bodies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class ICompressor(Protocol):
    """One body on its way."""

    def compress(self, data: bytes) -> bytes:
        """What goes on for these bytes: all of them can be read from it."""

    def finish(self) -> bytes:
        """What ends the body; nothing comes after it."""


@dataclass(frozen=True, slots=True)
class CompressorLibrary:
    """
    What a factory of the category `compression.compressor` builds.

    Attributes:
        encoding: as content-encoding and accept-encoding have it.
        statPrefix: ends with a dot. make: makes one for a body.
    """

    encoding: bytes
    statPrefix: str
    make: Callable[[], ICompressor]
