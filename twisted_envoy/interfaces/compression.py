"""Libraries that compress bodies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted_envoy.values import dataclass


class ICompressor(Protocol):
    """One body on its way."""

    def compress(self, data: bytes) -> bytes:
        """What goes on for these bytes: all of them can be read from it."""

    def finish(self, data: bytes = b"") -> bytes:
        """What ends the body, with its last bytes; nothing comes after it."""


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


class IDecompressor(Protocol):
    """
    One compressed body on its way.

    Attributes:
        problem: which counter says why nothing comes any more; empty while all is well.
    """

    problem: str

    def decompress(self, data: bytes) -> bytes:
        """What these bytes stand for, as far as it is known; not called after a problem."""


@dataclass(frozen=True, slots=True)
class DecompressorLibrary:
    """
    What a factory of the category `compression.decompressor` builds.

    Attributes:
        encoding: as content-encoding has it. statPrefix: ends with a dot.
        problems: names of the counters. make: makes one for a body.
    """

    encoding: bytes
    statPrefix: str
    problems: tuple[str, ...]
    make: Callable[[], IDecompressor]
