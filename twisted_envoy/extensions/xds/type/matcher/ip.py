"""
`xds.type.matcher.v3.IPMatcher`: what to do is looked up by the range that an address is in.

The longest prefix is asked first, of equal ones the first in the config; when it leads nowhere, the
next that is not exclusive.

Envoy: source/extensions/common/matcher/ip_range_matcher.h
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.network.cidr import CIDR, parseAddress, parseCIDR
from twisted_envoy.network.matching.tree import CUSTOM, NO_MATCH, Step, TreeBuilder
from twisted_envoy.state.stream_info import StreamInfo

Entry = tuple[CIDR, bool, Step]
"""A range, whether it is exclusive, where it leads."""


class IPMatcherFactory:
    """Builds what finds where an address leads."""

    typeURL = "xds.type.matcher.v3.IPMatcher"
    category = CUSTOM

    def buildTree(self, config: Any, tree: TreeBuilder) -> Callable[[StreamInfo, str], object]:
        entries: list[Entry] = []
        for view in config.range_matchers:
            if view.on_match is None:
                raise view.error('field: "on_match", reason: is required')
            step = tree.onMatch(view.on_match)
            for each in view.ranges:
                try:
                    cidr = parseCIDR(each.address_prefix, each.prefix_len)
                except ValueError as error:
                    raise each.error(str(error), "address_prefix") from None
                entries.append((cidr, view.exclusive, step))
        entries.sort(key=lambda entry: -entry[0].length)
        return _finder(tuple(entries))


def _finder(entries: tuple[Entry, ...]) -> Callable[[StreamInfo, str], object]:
    def find(info: StreamInfo, value: str) -> object:
        try:
            key = parseAddress(value)
        except ValueError:
            return NO_MATCH
        first = True
        for cidr, exclusive, step in entries:
            if not cidr.contains(key):
                continue
            if first or not exclusive:
                found = step(info)
                if found is not NO_MATCH:
                    return found
            first = False
        return NO_MATCH

    return find
