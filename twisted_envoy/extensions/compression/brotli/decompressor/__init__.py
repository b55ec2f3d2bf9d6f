"""Brotli (`envoy.compression.brotli.decompressor`): compressed bodies become plain ones."""

from twisted_envoy.extensions.compression.brotli.decompressor.config import (
    BrotliDecompressorFactory,
)

factories = (BrotliDecompressorFactory(),)
"""The factory of Brotli's decompressor."""
