"""
Set metadata (`envoy.filters.http.set_metadata`): dynamic metadata for later filters and logs.

A `typed_value` is kept for filters of one's own, as `streamInfo.dynamicTypedMetadata`.
"""

from twisted_envoy.extensions.filters.http.set_metadata.config import SetMetadataFactory

factories = (SetMetadataFactory(),)
"""The factory of set_metadata."""
