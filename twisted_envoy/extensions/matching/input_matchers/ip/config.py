"""
The factory of input_matchers.ip.

Envoy: source/extensions/matching/input_matchers/ip
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.cidr import CIDRTable, parseAddress, parseCIDR
from twisted_envoy.network.matching.predicates import INPUT_MATCHERS


@implementer(IExtensionFactory)
class IPFactory:
    """Counts what is no address under `<stat_prefix>.ip_parsing_failed`."""

    typeURL = "envoy.extensions.matching.input_matchers.ip.v3.Ip"
    category = INPUT_MATCHERS

    def build(self, config: Any, context: Any) -> Callable[[object], bool]:
        try:
            ranges = [
                (parseCIDR(view.address_prefix, view.prefix_len), True)
                for view in config.cidr_ranges
            ]
        except ValueError as error:
            raise config.error(str(error), "cidr_ranges") from None
        table = CIDRTable(dict(ranges).items(), False)
        failed = context.stats.counter(f"{config.stat_prefix}.ip_parsing_failed")

        def matches(value: object) -> bool:
            if not isinstance(value, str) or not value:
                return False
            try:
                key = parseAddress(value)
            except ValueError:
                failed.value += 1
                return False
            return bool(table.find(key))

        return matches
