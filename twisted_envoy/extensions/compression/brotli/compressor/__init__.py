"""
Brotli (`envoy.compression.brotli.compressor`), by the package `brotli`.

Not supported: `disable_literal_context_modeling`.
"""

from twisted_envoy.extensions.compression.brotli.compressor.config import BrotliCompressorFactory

factories = (BrotliCompressorFactory(),)
"""The factory of Brotli's compressor."""
