"""From a DnsCacheConfig to the cache of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.extensions.common.dns_resolver import readResolver
from twisted_envoy.extensions.common.dynamic_forward_proxy.cache import DNSCache, DNSCacheSettings
from twisted_envoy.extensions.common.dynamic_forward_proxy.names import HostPort
from twisted_envoy.interfaces.extensions import STOPPED
from twisted_envoy.upstream.discovery import FAMILIES

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


def readDNSCache(config: View | None, context: Any) -> DNSCache:
    """
    The cache of that name, made when it is read first.

    Args:
        config: None for the one without a name, which has every default.
    Raises:
        ConfigError: there is one of that name with other settings.
    """
    known: dict[str, tuple[bytes, DNSCache]] = context.singleton("dns_caches", dict)
    if config is None:
        if "" not in known:
            unnamed = DNSCacheSettings("", FAMILIES["AUTO"])
            scope = context.stats.scope("dns_cache.")
            resolver = context.resolver
            made = DNSCache(unnamed, scope, resolver, context.reactor, context.random)
            context.singleton(STOPPED, list).append(made.stop)
            known[""] = (b"", made)
        return known[""][1]
    settings = _settings(config)
    message = config.message.SerializeToString(deterministic=True)
    found = known.get(settings.name)
    if found is not None:
        if found[0] != message:
            raise config.error(
                f"config specified DNS cache '{settings.name}' with different settings"
            )
        readResolver(config.typed_dns_resolver_config, context)
        return found[1]
    scope = context.stats.scope(f"dns_cache.{settings.name}.")
    resolver = readResolver(config.typed_dns_resolver_config, context)
    cache = DNSCache(settings, scope, resolver, context.reactor, context.random)
    context.singleton(STOPPED, list).append(cache.stop)
    known[settings.name] = (message, cache)
    return cache


def _settings(config: View) -> DNSCacheSettings:
    message: Any = config.message
    for field in ("use_tcp_for_dns_lookups", "disable_dns_refresh_on_failure"):
        if not getattr(message, field):
            config.moot(field, "the default")
    config.moot("dns_min_refresh_rate", "the refresh rate does not follow any TTL")
    breaker = config.dns_cache_circuit_breaker
    most = None if breaker is None else breaker.max_pending_requests
    failing = config.dns_failure_refresh_rate
    given = {
        "refreshRate": config.dns_refresh_rate,
        "hostTTL": config.host_ttl,
        "maxHosts": config.max_hosts,
        "maxPending": most,
        "failureBase": None if failing is None else failing.base_interval,
        "failureMost": None if failing is None else failing.max_interval,
        "timeout": config.dns_query_timeout,
    }
    preresolved = config.preresolve_hostnames
    for one in preresolved:
        one.moot("protocol", "a name is looked up in any case")
    return DNSCacheSettings(
        name=config.name,
        family=FAMILIES.get(config.dns_lookup_family, FAMILIES["AUTO"]),
        preresolved=tuple(HostPort(one.address, one.port_value) for one in preresolved),
        **{name: value for name, value in given.items() if value is not None},
    )
