"""Header to metadata (`envoy.filters.http.header_to_metadata`): values that routes may ask for."""

from twisted_envoy.extensions.filters.http.header_to_metadata.config import HeaderToMetadataFactory

factories = (HeaderToMetadataFactory(),)
"""The factory of header_to_metadata."""
