"""gzip (`envoy.compression.gzip.decompressor`): compressed bodies become plain ones."""

from twisted_envoy.extensions.compression.gzip.decompressor.config import GzipDecompressorFactory

factories = (GzipDecompressorFactory(),)
"""The factory of gzip's decompressor."""
