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

_LAST = r"(?P<cut>\.(?P<value>.+))$"
"""All that is left is the value."""

_RULES = tuple(
    (name, pattern.replace("@", _ELEMENT))
    for name, pattern in (
        ("envoy.response_code", r"_rq(?P<cut>_(?P<value>\d{3}))$"),
        ("envoy.response_code_class", r"_rq_(?P<cut>(?P<value>\d))xx$"),
        ("envoy.ssl_cipher", rf"^listener\..+\.ssl\.ciphers{_LAST}"),
        ("cipher_suite", rf"^cluster\..+\.ssl\.ciphers{_LAST}"),
        *(
            (f"envoy.ssl_{kind}", rf"^(?:listener|cluster)\..+\.ssl\.{kind}s{_LAST}")
            for kind in ("curve", "sigalg", "version")
        ),
        (
            "envoy.tls_certificate",
            r"^(?:listener|cluster)\..+\.ssl\.certificate\.(?P<cut>(?P<value>.+)\.)"
            r"expiration_unix_time_seconds$",
        ),
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
        ("envoy.local_listener_ratelimit_prefix", r"^listener_local_ratelimit\.@"),
        ("envoy.local_http_ratelimit_prefix", r"^@http_local_rate_limit\."),
        ("envoy.redis_prefix", r"^redis\.@"),
        ("envoy.thrift_prefix", r"^thrift\.@"),
        ("envoy.mongo_prefix", r"^mongo\.@"),
        ("envoy.cluster_name", r"^cluster\.@"),
        ("envoy.ext_authz_prefix", r"^cluster\.[^.]+\.ext_authz\.@"),
    )
)


_PREFIX = re.compile(r"\^(\w+)(?:\\?\.|$)")


class TagRules:
    """
    What of stats' names are tags: Envoy's own rules, and those of a config.

    Rules that may match anywhere come before those of one first element (`^cluster\\.`), whose
    tags then stand behind theirs; of one name the first that matches counts.

    Args:
        default: with Envoy's own rules; without: but for those of these names.

    Attributes:
        names: of all rules.
    """

    __slots__ = ("_anywhere", "_compiled", "_fixed", "_prefixed", "names")

    def __init__(self, default: bool = True, without: frozenset[str] = frozenset()) -> None:
        self._anywhere: list[tuple[str, str | None]] = []
        self._compiled: list[tuple[str, re.Pattern[str] | None]] = []
        self._fixed: dict[str, str] = {}
        self._prefixed: list[tuple[str, str]] = []
        self.names: set[str] = set()
        if default:
            for name, pattern in _RULES:
                if name not in without:
                    self._add(name, pattern)

    def _add(self, name: str, pattern: str) -> None:
        self.names.add(name)
        self._compiled.clear()
        if _PREFIX.match(pattern):
            self._prefixed.append((name, pattern))
        else:
            self._anywhere.append((name, pattern))

    def addDefault(self, name: str) -> bool:
        """Add Envoy's own rules of that name; False when it has none."""
        found = [pattern for known, pattern in _RULES if known == name]
        for pattern in found:
            self._add(name, pattern)
        return bool(found)

    def addRegex(self, name: str, regex: str) -> None:
        """
        What the first group matches goes out of the name; the second one, else it, is the value.

        Raises:
            re.error: it is none.
        """
        re.compile(regex)
        self._add(name, regex)

    def addFixed(self, name: str, value: str) -> None:
        """Every stat has this tag."""
        self.names.add(name)
        self._fixed[name] = value
        self._anywhere.append((name, None))
        self._compiled.clear()

    def extract(self, name: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """
        Split a stat's full name.

        Returns:
            (the name with the tags' parts cut out, (tag, value) pairs in Envoy's order).
        """
        tags: dict[str, str] = {}
        cuts: list[tuple[int, int]] = []
        if not self._compiled:  # most servers never ask
            self._compiled += (
                (tag, None if pattern is None else re.compile(pattern))
                for tag, pattern in (*self._anywhere, *self._prefixed)
            )
        for tag, pattern in self._compiled:
            if tag in tags:
                continue
            if pattern is None:
                tags[tag] = self._fixed[tag]
                continue
            found = pattern.search(name)
            if found is None or not found.re.groups:
                continue
            if "cut" in found.groupdict():
                tags[tag] = found["value"]
                cuts.append(found.span("cut"))
            elif found[1] is not None:
                tags[tag] = found[2] if found.re.groups > 1 and found[2] is not None else found[1]
                cuts.append(found.span(1))
        kept = bytearray(b"\1") * len(name)
        for start, end in cuts:
            kept[start:end] = bytes(end - start)
        return "".join(one for one, keep in zip(name, kept, strict=True) if keep), tuple(
            tags.items()
        )
