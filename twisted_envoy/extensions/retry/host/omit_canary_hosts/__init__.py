"""Retries choose no canary host."""

from twisted_envoy.extensions.retry.host.omit_canary_hosts.config import OmitCanaryHostsFactory

factories = (OmitCanaryHostsFactory(),)
