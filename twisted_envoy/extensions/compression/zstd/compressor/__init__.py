"""Zstandard (`envoy.compression.zstd.compressor`), by the package `zstandard`."""

from twisted_envoy.extensions.compression.zstd.compressor.config import ZstdCompressorFactory

factories = (ZstdCompressorFactory(),)
"""The factory of Zstandard's compressor."""
