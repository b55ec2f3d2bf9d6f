"""Request ids that are random UUIDs, as without an extension."""

from twisted_envoy.extensions.request_id.uuid.config import UUIDRequestIDFactory

factories = (UUIDRequestIDFactory(),)
