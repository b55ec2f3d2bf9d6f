"""
Gzip's compressor.

Envoy: extensions.compression.gzip.compressor.v3.Gzip
"""

from __future__ import annotations

import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.interfaces.compression import CompressorLibrary
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_MEMORY_LEVEL = 5
_WINDOW_BITS = 12
_GZIP_HEADER = 16
_LEVELS = {
    "DEFAULT_COMPRESSION": zlib.Z_DEFAULT_COMPRESSION,
    "BEST_SPEED": 1,
    "BEST_COMPRESSION": 9,
    **{f"COMPRESSION_LEVEL_{level}": level for level in range(1, 10)},
}
_STRATEGIES = {
    "DEFAULT_STRATEGY": zlib.Z_DEFAULT_STRATEGY,
    "FILTERED": zlib.Z_FILTERED,
    "HUFFMAN_ONLY": zlib.Z_HUFFMAN_ONLY,
    "RLE": zlib.Z_RLE,
    "FIXED": zlib.Z_FIXED,
}


class GzipCompressor:
    """One body; arguments as zlib's."""

    __slots__ = ("_zlib",)

    def __init__(self, level: int, windowBits: int, memoryLevel: int, strategy: int) -> None:
        self._zlib = zlib.compressobj(level, zlib.DEFLATED, windowBits, memoryLevel, strategy)

    def compress(self, data: bytes) -> bytes:
        return self._zlib.compress(data) + self._zlib.flush(zlib.Z_SYNC_FLUSH)

    def finish(self, data: bytes = b"") -> bytes:
        return self._zlib.compress(data) + self._zlib.flush()


@implementer(IExtensionFactory)
class GzipCompressorFactory:
    """Builds gzip's CompressorLibrary."""

    typeURL = "envoy.extensions.compression.gzip.compressor.v3.Gzip"
    category = "compression.compressor"
    descriptors = b""

    def build(self, config: View, context: Any) -> CompressorLibrary:
        config.moot("chunk_size", "output is not cut into chunks")
        windowBits = _WINDOW_BITS if config.window_bits is None else config.window_bits
        memoryLevel = _MEMORY_LEVEL if config.memory_level is None else config.memory_level
        make = partial(
            GzipCompressor,
            _LEVELS[config.compression_level],
            windowBits + _GZIP_HEADER,
            memoryLevel,
            _STRATEGIES[config.compression_strategy],
        )
        return CompressorLibrary(b"gzip", "gzip.", make)
