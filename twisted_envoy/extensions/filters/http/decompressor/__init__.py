"""Decompressor (`envoy.filters.http.decompressor`): bodies of requests and responses."""

from twisted_envoy.extensions.filters.http.decompressor.config import DecompressorFactory

factories = (DecompressorFactory(),)
"""The factory of decompressor."""
