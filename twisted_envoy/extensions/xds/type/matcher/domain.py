"""
`xds.type.matcher.v3.ServerNameMatcher`: what to do is looked up by domain.

The whole name is asked first, then the longest `*.suffix`, then `*`; what leads nowhere is passed
over.

Envoy: source/extensions/common/matcher/domain_matcher.h
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from twisted_envoy.network.matching.tree import CUSTOM, NO_MATCH, Step, TreeBuilder
from twisted_envoy.state.stream_info import StreamInfo


class ServerNameMatcherFactory:
    """Builds what finds where a name leads."""

    typeURL = "xds.type.matcher.v3.ServerNameMatcher"
    category = CUSTOM

    def buildTree(self, config: Any, tree: TreeBuilder) -> Callable[[StreamInfo, str], object]:
        entries: dict[str, Step] = {}
        for view in config.domain_matchers:
            if view.on_match is None:
                raise view.error('field: "on_match", reason: is required')
            step = tree.onMatch(view.on_match)
            for domain in view.domains:
                problem = _problem(domain)
                if not problem and domain in entries:
                    problem = f"Duplicate domain in ServerNameMatcher: {domain}"
                if problem:
                    raise view.error(problem, "domains")
                entries[domain] = step
        return _finder(entries)


def _problem(domain: str) -> str:
    if not domain:
        return "Empty domain in ServerNameMatcher"
    plain = domain[2:] if domain.startswith("*.") else domain
    if domain != "*" and ("*" in plain or not plain):
        return (
            f"Invalid wildcard domain format: {domain}. Only '*' and '*.domain' patterns are "
            "supported"
        )
    return ""


def _finder(entries: dict[str, Step]) -> Callable[[StreamInfo, str], object]:
    exact = {domain: step for domain, step in entries.items() if not domain.startswith("*")}
    suffixes = {domain[1:]: step for domain, step in entries.items() if domain.startswith("*")}

    def candidates(value: str) -> Iterator[Step | None]:
        yield exact.get(value)
        dot = value.find(".")
        while dot >= 0:
            yield suffixes.get(value[dot:])
            dot = value.find(".", dot + 1)
        yield suffixes.get("")

    def find(info: StreamInfo, value: str) -> object:
        if not value:
            return NO_MATCH
        for step in candidates(value):
            found = NO_MATCH if step is None else step(info)
            if found is not NO_MATCH:
                return found
        return NO_MATCH

    return find
