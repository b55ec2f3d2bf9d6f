"""Zstandard (`envoy.compression.zstd.decompressor`): compressed bodies become plain ones."""

from twisted_envoy.extensions.compression.zstd.decompressor.config import ZstdDecompressorFactory

factories = (ZstdDecompressorFactory(),)
"""The factory of Zstandard's decompressor."""
