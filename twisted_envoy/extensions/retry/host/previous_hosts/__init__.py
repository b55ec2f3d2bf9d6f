"""Retries choose another host than the attempts before."""

from twisted_envoy.extensions.retry.host.previous_hosts.config import PreviousHostsFactory

factories = (PreviousHostsFactory(),)
