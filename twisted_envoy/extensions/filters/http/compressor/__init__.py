"""Compressor (`envoy.filters.http.compressor`): bodies of requests and responses."""

from twisted_envoy.extensions.filters.http.compressor.config import CompressorFactory

factories = (CompressorFactory(),)
"""The factory of compressor."""
