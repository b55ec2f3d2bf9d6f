"""Retries choose no host that has the given metadata."""

from twisted_envoy.extensions.retry.host.omit_host_metadata.config import OmitHostMetadataFactory

factories = (OmitHostMetadataFactory(),)
