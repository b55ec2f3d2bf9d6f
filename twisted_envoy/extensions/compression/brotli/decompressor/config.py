"""
Brotli's decompressor.

Envoy: extensions.compression.brotli.decompressor.v3.Brotli
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.compression.package import importPackage
from twisted_envoy.interfaces.compression import DecompressorLibrary
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_CHUNK = 4096
_MOST_RATIO = 1000
_PROBLEMS = ("brotli_error", "brotli_output_overflow", "brotli_redundant_input")


class BrotliDecompressor:
    """
    One body.

    Args:
        brotli: the package. chunk: bytes that are made at a time.
    """

    __slots__ = ("_brotli", "_chunk", "_reader", "problem")

    def __init__(self, brotli: Any, chunk: int) -> None:
        self._brotli = brotli
        self._reader = brotli.Decompressor()
        self._chunk = chunk
        self.problem = ""

    def decompress(self, data: bytes) -> bytes:
        reader = self._reader
        if reader.is_finished():
            if data:
                self.problem = "brotli_redundant_input"
            return b""
        most = _MOST_RATIO * len(data)
        made = []
        size = 0
        try:
            while True:
                part = reader.process(data, output_buffer_limit=self._chunk)
                data = b""
                made.append(part)
                size += len(part)
                if size > most:
                    self.problem = "brotli_output_overflow"
                    break
                if not part or reader.is_finished():
                    break
        except self._brotli.error:
            self.problem = "brotli_error"
        return b"".join(made)


@implementer(IExtensionFactory)
class BrotliDecompressorFactory:
    """Builds Brotli's DecompressorLibrary."""

    typeURL = "envoy.extensions.compression.brotli.decompressor.v3.Brotli"
    category = "compression.decompressor"
    descriptors = b""

    def build(self, config: View, context: Any) -> DecompressorLibrary:
        brotli = importPackage("brotli", config)
        config.moot("disable_ring_buffer_reallocation", "memory is the package's affair")
        make = partial(BrotliDecompressor, brotli, config.chunk_size or _CHUNK)
        return DecompressorLibrary(b"br", "brotli.", _PROBLEMS, make)
