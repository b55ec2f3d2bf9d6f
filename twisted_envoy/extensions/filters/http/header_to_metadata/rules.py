"""
Rules: what of which header becomes which metadata.

Envoy: extensions.filters.http.header_to_metadata.v3.Config.Rule
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.header_to_metadata.values import (
    Conversion,
    decodeBase64,
)
from twisted_envoy.http.routes.conditions import cookieValue
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope
from twisted_envoy.values import dataclass

_TOO_LONG = 8 * 1024

Metadata = dict[str, dict[str, object]]
"""namespace -> key -> value."""


class RuleStats:
    """`http_filter_name.<stat_prefix>.*`"""

    request_rules_processed: Counter
    request_metadata_added: Counter
    request_header_not_found: Counter
    response_rules_processed: Counter
    response_metadata_added: Counter
    response_header_not_found: Counter
    base64_decode_failed: Counter
    header_value_too_long: Counter
    regex_substitution_failed: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


@dataclass(frozen=True, slots=True)
class KeyValue:
    """
    Where a value goes.

    Attributes:
        value: to be used instead of the header's; empty for none.
        rewrite: applied to the header's; None for nothing.
    """

    namespace: str
    key: str
    value: bytes
    rewrite: Callable[[bytes], bytes] | None
    convert: Conversion
    isBase64: bool

    def addTo(self, found: Metadata, value: bytes, stats: RuleStats) -> bool:
        """Add what becomes of a header's value; False when that is nothing."""
        if self.value:
            value = self.value
        elif self.rewrite is not None and value:
            value = self.rewrite(value)
            if not value:
                stats.regex_substitution_failed.value += 1
        if not value:
            return False
        if len(value) >= _TOO_LONG:
            stats.header_value_too_long.value += 1
            return False
        if self.isBase64:
            try:
                value = decodeBase64(value)
            except ValueError:
                stats.base64_decode_failed.value += 1
                return False
        try:
            converted = self.convert(value)
        except ValueError:
            return False
        found.setdefault(self.namespace, {})[self.key] = converted
        return True


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One rule.

    Attributes:
        name: of the header, lower-case, or of the cookie. remove: the header, once it was read.
        present, missing: what to do then; None for nothing.
    """

    name: bytes
    isCookie: bool
    remove: bool
    present: KeyValue | None
    missing: KeyValue | None

    def take(self, headers: HeaderMap) -> bytes | None:
        """The value of its header or cookie; None when there is none."""
        if self.isCookie:
            return cookieValue(headers, self.name) or None
        value = headers.joined(self.name)
        if value is not None and self.remove:
            headers.remove(self.name)
        return value


@dataclass(frozen=True, slots=True)
class Direction:
    """The rules of requests or responses, and where they are counted."""

    rules: tuple[Rule, ...]
    stats: RuleStats
    processed: Counter
    added: Counter
    notFound: Counter

    def applyTo(self, headers: HeaderMap, metadata: Metadata) -> None:
        """Apply all rules, then set what they found."""
        found: Metadata = {}
        for rule in self.rules:
            self.processed.value += 1
            value = rule.take(headers)
            target = rule.missing if value is None else rule.present
            if target is None:
                continue
            if value is None:
                self.notFound.value += 1
            if target.addTo(found, value or b"", self.stats):
                self.added.value += 1
        for namespace, values in found.items():
            metadata[namespace] = {**metadata.get(namespace, {}), **values}


def requestDirection(rules: Iterable[Rule], stats: RuleStats) -> Direction:
    """Those for requests."""
    return Direction(
        tuple(rules),
        stats,
        stats.request_rules_processed,
        stats.request_metadata_added,
        stats.request_header_not_found,
    )


def responseDirection(rules: Iterable[Rule], stats: RuleStats) -> Direction:
    """Those for responses."""
    return Direction(
        tuple(rules),
        stats,
        stats.response_rules_processed,
        stats.response_metadata_added,
        stats.response_header_not_found,
    )
