"""
Zstandard's decompressor.

Envoy: extensions.compression.zstd.decompressor.v3.Zstd
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.compression.package import importPackage
from twisted_envoy.formatter.data_source import readDataSource
from twisted_envoy.interfaces.compression import DecompressorLibrary
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_CHUNK = 4096
_LONGEST_HEADER = 18
_MOST_RATIO = 1000
_PROBLEMS = (
    *("zstd_generic_error", "zstd_dictionary_error"),
    *("zstd_checksum_wrong_error", "zstd_memory_error"),
)


class _TooMuch(Exception):
    """An output is far larger than what it came from."""


class _Output:
    """Where the package writes, a chunk at a time; ends it when that becomes too much."""

    __slots__ = ("chunks", "left")

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.left = 0

    def write(self, chunk: bytes) -> int:
        self.chunks.append(chunk)
        self.left -= len(chunk)
        if self.left < 0:
            raise _TooMuch
        return len(chunk)


class ZstdDecompressor:
    """
    One body of one or more frames.

    Args:
        zstandard: the package. dictionaries: by their numbers. chunk: bytes made at a time.
    """

    __slots__ = ("_chunk", "_dictionaries", "_head", "_output", "_write", "_zstandard", "problem")

    def __init__(self, zstandard: Any, dictionaries: dict[int, Any], chunk: int) -> None:
        self._zstandard = zstandard
        self._dictionaries = dictionaries
        self._chunk = chunk
        self._head = b""
        self._output = _Output()
        self._write: Any = None
        self.problem = ""

    def decompress(self, data: bytes) -> bytes:
        output = self._output
        output.chunks = []
        output.left = _MOST_RATIO * len(data)
        if self._write is None:
            data = self._head = self._head + data
            if len(data) < _LONGEST_HEADER and self._dictionaries:
                return b""  # the frame does not tell yet which dictionary it needs
            self._begin(data)
        try:
            self._write(data)
        except _TooMuch:
            self.problem = "zstd_generic_error"
        except self._zstandard.ZstdError as error:
            self.problem = _problemOf(str(error))
        return b"".join(output.chunks)

    def _begin(self, data: bytes) -> None:
        found = None
        if self._dictionaries:
            try:
                number = self._zstandard.get_frame_parameters(data).dict_id
            except self._zstandard.ZstdError:
                number = 0  # no frame at all, as reading it will show
            found = self._dictionaries.get(number)
        reader = self._zstandard.ZstdDecompressor(dict_data=found)
        self._write = reader.stream_writer(self._output, write_size=self._chunk).write


def _problemOf(text: str) -> str:
    lowered = text.lower()
    if "dictionary" in lowered:
        return "zstd_dictionary_error"
    if "checksum" in lowered:
        return "zstd_checksum_wrong_error"
    if "memory" in lowered:
        return "zstd_memory_error"
    return "zstd_generic_error"


@implementer(IExtensionFactory)
class ZstdDecompressorFactory:
    """Builds Zstandard's DecompressorLibrary."""

    typeURL = "envoy.extensions.compression.zstd.decompressor.v3.Zstd"
    category = "compression.decompressor"
    descriptors = b""

    def build(self, config: View, context: Any) -> DecompressorLibrary:
        zstandard = importPackage("zstandard", config)
        dictionaries = {}
        for view in config.dictionaries:
            made = zstandard.ZstdCompressionDict(readDataSource(view))
            if not made.dict_id():
                raise view.error("not a dictionary that Zstandard has made")
            dictionaries[made.dict_id()] = made
        make = partial(ZstdDecompressor, zstandard, dictionaries, config.chunk_size or _CHUNK)
        return DecompressorLibrary(b"zstd", "zstd.", _PROBLEMS, make)
