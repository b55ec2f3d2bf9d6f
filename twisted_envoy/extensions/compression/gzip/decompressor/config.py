"""
Gzip's decompressor.

Envoy: extensions.compression.gzip.decompressor.v3.Gzip
"""

from __future__ import annotations

import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.interfaces.compression import DecompressorLibrary
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_WINDOW_BITS = 15
_GZIP_HEADER = 16
_CHUNK = 4096
_MOST_RATIO = 100
_DATA_ERROR = "zlib_data_error"
_PROBLEMS = (
    *("zlib_errno", "zlib_stream_error", _DATA_ERROR),
    *("zlib_mem_error", "zlib_buf_error", "zlib_version_error"),
)


class GzipDecompressor:
    """
    One body; what comes after its first member is dropped, as in Envoy.

    Args:
        chunk: bytes that are made at a time.
        ratio: times the size of its input that an output may have.
    """

    __slots__ = ("_chunk", "_ratio", "_zlib", "problem")

    def __init__(self, windowBits: int, chunk: int, ratio: int) -> None:
        self._zlib = zlib.decompressobj(windowBits)
        self._chunk = chunk
        self._ratio = ratio
        self.problem = ""

    def decompress(self, data: bytes) -> bytes:
        chunk = self._chunk
        most = self._ratio * len(data)
        made = []
        size = 0
        try:
            while not self._zlib.eof:
                part = self._zlib.decompress(data, chunk)
                made.append(part)
                size += len(part)
                if len(part) < chunk:
                    break
                if size > most:
                    self.problem = _DATA_ERROR
                    break
                data = self._zlib.unconsumed_tail
        except zlib.error:
            self.problem = _DATA_ERROR
        return b"".join(made)


@implementer(IExtensionFactory)
class GzipDecompressorFactory:
    """Builds gzip's DecompressorLibrary."""

    typeURL = "envoy.extensions.compression.gzip.decompressor.v3.Gzip"
    category = "compression.decompressor"
    descriptors = b""

    def build(self, config: View, context: Any) -> DecompressorLibrary:
        windowBits = _WINDOW_BITS if config.window_bits is None else config.window_bits
        make = partial(
            GzipDecompressor,
            windowBits + _GZIP_HEADER,
            config.chunk_size or _CHUNK,
            config.max_inflate_ratio or _MOST_RATIO,
        )
        return DecompressorLibrary(b"gzip", "gzip.", _PROBLEMS, make)
