"""Matches a value of metadata: what DynamicMetadataInput gives."""

from twisted_envoy.extensions.matching.input_matchers.metadata.config import MetadataFactory

factories = (MetadataFactory(),)
"""The factory of this matcher."""
