"""From `config.metrics.v3.StatsConfig` to the Store of all stats."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted_envoy.stats.histogram import DEFAULT_BUCKETS
from twisted_envoy.stats.scope import Store
from twisted_envoy.stats.tags import TagRules

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


def buildStore(config: View | None) -> Store:
    """
    Make the Store.

    Raises:
        ConfigError: as Envoy.
    """
    if config is None:
        return Store()
    given: dict[str, Any] = {}
    if config.stats_matcher is not None:
        given["rejects"] = _rejects(config.stats_matcher)
    buckets = tuple(
        (_stringMatch(one.match), tuple(sorted(one.buckets)))
        for one in config.histogram_bucket_settings
    )
    if buckets:
        given["bucketsOf"] = _bucketsOf(buckets)
    return Store(_tags(config), **given)


def _tags(config: View) -> TagRules:
    overrides = config.allow_default_tag_overrides is True
    names = frozenset(
        one.tag_name for one in config.stats_tags if overrides and one.which("tag_value")
    )
    rules = TagRules(config.use_all_default_tags is not False, names)
    for one in config.stats_tags:
        name: str = one.tag_name
        kind = one.which("tag_value")
        if kind == "fixed_value":
            rules.addFixed(name, one.fixed_value)
        elif kind == "regex" and one.regex:
            if not name:
                raise one.error("tag_name cannot be empty", "tag_name")
            _addRegex(rules, one)
        elif name not in rules.names and not rules.addDefault(name):
            raise one.error(
                f"No regex specified for tag specifier and no default regex for name: '{name}'"
            )
    return rules


def _addRegex(rules: TagRules, config: View) -> None:
    try:
        rules.addRegex(config.tag_name, config.regex)
    except re.error as problem:
        raise config.error(f"Invalid regex '{config.regex}': {problem}", "regex") from None


def _rejects(config: View) -> Callable[[str], bool]:
    kind = config.which("stats_matcher")
    if kind == "reject_all":
        everything: bool = config.reject_all
        return lambda name: everything
    patterns = config.exclusion_list if kind == "exclusion_list" else config.inclusion_list
    matches = tuple(map(_stringMatch, patterns.patterns))
    excludes = kind == "exclusion_list"
    return lambda name: any(match(name) for match in matches) is excludes


def _stringMatch(config: View) -> Callable[[str], bool]:
    from twisted_envoy.network.matchers import buildStringMatch

    return buildStringMatch(config)


def _bucketsOf(
    settings: tuple[tuple[Callable[[str], bool], tuple[float, ...]], ...],
) -> Callable[[str], tuple[float, ...]]:
    def find(name: str) -> tuple[float, ...]:
        for match, buckets in settings:
            if match(name):
                return buckets
        return DEFAULT_BUCKETS

    return find
