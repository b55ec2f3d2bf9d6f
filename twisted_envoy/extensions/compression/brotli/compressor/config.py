"""
Brotli's compressor.

Envoy: extensions.compression.brotli.compressor.v3.Brotli
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.compression.package import importPackage
from twisted_envoy.interfaces.compression import CompressorLibrary
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_QUALITY = 3
_WINDOW_BITS = 18
_INPUT_BLOCK_BITS = 24


class BrotliCompressor:
    """
    One body.

    Args:
        brotli: the package. mode, quality, windowBits, blockBits: as its Compressor has them.
    """

    __slots__ = ("_finish", "_flush", "_process")

    def __init__(
        self, brotli: Any, mode: int, quality: int, windowBits: int, blockBits: int
    ) -> None:
        made = brotli.Compressor(mode=mode, quality=quality, lgwin=windowBits, lgblock=blockBits)
        self._process = made.process
        self._flush = made.flush
        self._finish = made.finish

    def compress(self, data: bytes) -> bytes:
        start: bytes = self._process(data)
        rest: bytes = self._flush()
        return start + rest

    def finish(self, data: bytes = b"") -> bytes:
        start: bytes = self._process(data)
        rest: bytes = self._finish()
        return start + rest


@implementer(IExtensionFactory)
class BrotliCompressorFactory:
    """Builds Brotli's CompressorLibrary."""

    typeURL = "envoy.extensions.compression.brotli.compressor.v3.Brotli"
    category = "compression.compressor"
    descriptors = b""

    def build(self, config: View, context: Any) -> CompressorLibrary:
        brotli = importPackage("brotli", config)
        config.moot("chunk_size", "output is not cut into chunks")
        modes = {
            "DEFAULT": brotli.MODE_GENERIC,
            "GENERIC": brotli.MODE_GENERIC,
            "TEXT": brotli.MODE_TEXT,
            "FONT": brotli.MODE_FONT,
        }
        blockBits = config.input_block_bits
        make = partial(
            BrotliCompressor,
            brotli,
            modes[config.encoder_mode],
            _QUALITY if config.quality is None else config.quality,
            _WINDOW_BITS if config.window_bits is None else config.window_bits,
            _INPUT_BLOCK_BITS if blockBits is None else blockBits,
        )
        return CompressorLibrary(b"br", "brotli.", make)
