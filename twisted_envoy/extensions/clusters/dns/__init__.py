"""
The DNS cluster type (`envoy.clusters.dns`; `type: STRICT_DNS` and `LOGICAL_DNS` mean the same).

Not supported: `respect_dns_ttl` (the system's resolver does not tell); of
`typed_dns_resolver_config` only the servers of c-ares; a logical host is connected to at its first
address only.
"""

from twisted_envoy.extensions.clusters.dns.config import DNSClusterFactory

factories = (DNSClusterFactory(),)
