"""
Set metadata (`envoy.filters.http.set_metadata`): dynamic metadata for later filters and logs.

Not supported: `typed_value` (nothing here could read it).
"""

from twisted_envoy.extensions.filters.http.set_metadata.config import SetMetadataFactory

factories = (SetMetadataFactory(),)
"""The factory of set_metadata."""
