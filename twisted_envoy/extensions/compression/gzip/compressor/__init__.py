"""Gzip (`envoy.compression.gzip.compressor`), by the zlib of the standard library."""

from twisted_envoy.extensions.compression.gzip.compressor.config import GzipCompressorFactory

factories = (GzipCompressorFactory(),)
"""The factory of gzip's compressor."""
