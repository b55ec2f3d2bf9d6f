"""
Tag extraction: the parts of a stat's name that are names of things, for Prometheus' labels.

Follows Envoy's default tag extractors (`config.metrics.v3.StatsConfig.use_all_default_tags`), as
far as stats of these names exist here or soon will; their order is the order of the labels.
"""

from __future__ import annotations

import re

_ADDRESS = r"(?:\d+\.\d+\.\d+\.\d+_\d+|\[[_.\da-fA-F]*\]_\d+|[^.]+)"

_ELEMENT = r"(?P<cut>(?P<value>[^.]+)\.)"
"""`@` below: one element of the name is the value, and it goes with its dot."""

_RULES = tuple(
    (name, re.compile(pattern.replace("@", _ELEMENT)))
    for name, pattern in (
        ("envoy.response_code", r"_rq(?P<cut>_(?P<value>\d{3}))$"),
        ("envoy.response_code_class", r"_rq_(?P<cut>(?P<value>\d))xx$"),
        ("envoy.virtual_cluster", r"^vhost\.[^.]+\.vcluster\.@"),
        ("envoy.route", r"^vhost\.[^.]+\.route\.@"),
        (
            "envoy.worker_id",
            rf"^(?:listener\.{_ADDRESS}|server|thread_local_cluster_manager)\.worker_"
            r"(?P<cut>(?P<value>\d+)\.)",
        ),
        (
            "envoy.proxy_protocol_prefix",
            r"^proxy_proto\.(?P<cut>(?!versions\.)(?P<value>[^.]+)\.)(?=versions\.|not_found)",
        ),
        (
            "envoy.proxy_protocol_version",
            r"^proxy_proto\.(?:[^.]+\.)?(?P<cut>versions\.v(?P<value>\d)\.)",
        ),
        (
            "envoy.rbac_policy_name",
            r"^http\.[^.]+\.rbac\.(?:[^.]+\.)?policy(?P<cut>\.(?P<value>.+))"
            r"\.(?:shadow_)?(?:allowed|denied)$",
        ),
        ("envoy.rbac_http_prefix", r"^http\.[^.]+\.rbac\.(?P<cut>(?!policy\.)(?P<value>[^.]+)\.)"),
        ("envoy.rbac_prefix", r"^@rbac\."),
        ("envoy.ext_authz_prefix", r"^http\.[^.]+\.ext_authz\.@"),
        ("envoy.http_conn_manager_prefix", r"^http\.@"),
        ("envoy.http_conn_manager_prefix", rf"^listener\.{_ADDRESS}\.http\.@"),
        ("envoy.listener_address", rf"^listener\.(?P<cut>(?!admin\.)(?P<value>{_ADDRESS})\.)"),
        ("envoy.virtual_host", r"^vhost\.@"),
        ("envoy.tcp_prefix", r"^tcp\.@"),
        ("envoy.udp_prefix", r"^udp\.@"),
        ("envoy.connection_limit_prefix", r"^connection_limit\.@"),
        ("envoy.ratelimit_prefix", r"^ratelimit\.@"),
        ("envoy.local_network_ratelimit_prefix", r"^local_rate_limit\.@"),
        ("envoy.local_http_ratelimit_prefix", r"^@http_local_rate_limit\."),
        ("envoy.redis_prefix", r"^redis\.@"),
        ("envoy.thrift_prefix", r"^thrift\.@"),
        ("envoy.mongo_prefix", r"^mongo\.@"),
        ("envoy.cluster_name", r"^cluster\.@"),
        ("envoy.ext_authz_prefix", r"^cluster\.[^.]+\.ext_authz\.@"),
    )
)


def extractTags(name: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """
    Split a stat's full name.

    Returns:
        (the name with the tags' parts cut out, (tag, value) pairs in Envoy's order).
    """
    tags: list[tuple[str, str]] = []
    cuts: list[tuple[int, int]] = []
    for tag, pattern in _RULES:
        found = pattern.search(name)
        if found is not None and not any(tag == known for known, _ in tags):
            tags.append((tag, found.group("value")))
            cuts.append(found.span("cut"))
    for start, end in sorted(cuts, reverse=True):
        name = name[:start] + name[end:]
    return name, tuple(tags)
