"""
Zstandard's compressor.

Envoy: extensions.compression.zstd.compressor.v3.Zstd
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.compression.package import importPackage
from twisted_envoy.formatter.data_source import readDataSource
from twisted_envoy.interfaces.compression import CompressorLibrary
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_LEVEL = 3


class ZstdCompressor:
    """
    One body.

    Args:
        zstandard: the package. arguments: of its ZstdCompressor, which is one body's own: it has
            one state, and bodies overlap in time.
    """

    __slots__ = ("_compress", "_flush", "_flushBlock")

    def __init__(self, zstandard: Any, arguments: dict[str, Any]) -> None:
        made = zstandard.ZstdCompressor(**arguments).compressobj()
        self._compress = made.compress
        self._flush = made.flush
        self._flushBlock = zstandard.COMPRESSOBJ_FLUSH_BLOCK

    def compress(self, data: bytes) -> bytes:
        start: bytes = self._compress(data)
        rest: bytes = self._flush(self._flushBlock)
        return start + rest

    def finish(self, data: bytes = b"") -> bytes:
        start: bytes = self._compress(data)
        rest: bytes = self._flush()
        return start + rest


@implementer(IExtensionFactory)
class ZstdCompressorFactory:
    """Builds Zstandard's CompressorLibrary."""

    typeURL = "envoy.extensions.compression.zstd.compressor.v3.Zstd"
    category = "compression.compressor"
    descriptors = b""

    def build(self, config: View, context: Any) -> CompressorLibrary:
        zstandard = importPackage("zstandard", config)
        config.moot("chunk_size", "output is not cut into chunks")
        make = partial(ZstdCompressor, zstandard, _arguments(config, zstandard))
        return CompressorLibrary(b"zstd", "zstd.", make)


def _arguments(config: View, zstandard: Any) -> dict[str, Any]:
    level = _LEVEL if config.compression_level is None else config.compression_level
    changes: dict[str, Any] = {"write_checksum": config.enable_checksum}
    if config.strategy != "DEFAULT":
        changes["strategy"] = getattr(zstandard, f"STRATEGY_{config.strategy}")
    level = min(level, zstandard.MAX_COMPRESSION_LEVEL)
    parameters = zstandard.ZstdCompressionParameters.from_level(level, **changes)
    arguments = {"compression_params": parameters}
    if config.dictionary is not None:
        data = readDataSource(config.dictionary)
        arguments["dict_data"] = zstandard.ZstdCompressionDict(data)
    return arguments
