"""What one filter chain asks of its connections, read from its config."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted_envoy.network.cidr import CIDR, parseCIDR
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

Keys = tuple[object, ...]

_FIELDS = (
    "prefix_ranges",
    "source_prefix_ranges",
    "source_ports",
    "destination_port",
    "transport_protocol",
    "application_protocols",
    "server_names",
    "source_type",
    "direct_source_prefix_ranges",
)
"""By field number, the order in which Envoy prints them."""

_EVERYTHING: tuple[Keys, ...] = (
    (0,),
    (None,),
    ("",),
    ("",),
    ("",),
    (None,),
    ("ANY",),
    (None,),
    (0,),
)


@dataclass(frozen=True, slots=True)
class ChainMatchRules:
    """
    The alternatives of each step of the match.

    Attributes:
        steps: for each step its keys, in the order in which Envoy asks: destination port,
            destination prefix, server name, transport protocol, application protocol, direct
            source prefix, source type, source prefix, source port. 0, None, "" and ANY stand for
            "any".
    """

    steps: tuple[Keys, ...]

    @property
    def matchesEverything(self) -> bool:
        """True when any connection fits."""
        return self.steps == _EVERYTHING


def matchText(match: View | None) -> str:
    """The whole match as compact JSON; equal texts are equal matches."""
    found: dict[str, object] = {}
    for field in _FIELDS if match is not None else ():
        value: Any = getattr(match, field)
        if field.endswith("_ranges"):
            value = [_rangeFields(cidr) for cidr in value]
        elif isinstance(value, tuple):
            value = list(value)
        if value not in (None, "", [], "ANY"):
            found[field] = value
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("\x7f", "\\u007f")


def isUnimplemented(match: View | None) -> bool:
    """Whether it uses a field that Envoy has and does not obey."""
    return match is not None and bool(match.address_suffix or match.suffix_len is not None)


def readRules(match: View | None, listenerError: Callable[[str], Exception]) -> ChainMatchRules:
    """
    Read a FilterChainMatch.

    Args:
        listenerError: makes the error of a problem that Envoy reports with its listener's name.
    Raises:
        ConfigError: an address or a server name that cannot be matched.
    """
    if match is None:
        return ChainMatchRules(_EVERYTHING)
    destinations = _prefixes(match, "prefix_ranges")
    sources = _prefixes(match, "source_prefix_ranges")
    directSources = _prefixes(match, "direct_source_prefix_ranges")
    for name in match.server_names:
        if "*" in name and not name.startswith("*."):
            raise listenerError('partial wildcards are not supported in "server_names"')
    return ChainMatchRules(
        (
            (match.destination_port or 0,),
            destinations or (None,),
            tuple(map(_serverNameKey, match.server_names)) or ("",),
            (match.transport_protocol,),
            match.application_protocols or ("",),
            directSources or (None,),
            (match.source_type,),
            sources or (None,),
            match.source_ports or (0,),
        )
    )


def _rangeFields(cidr: View) -> dict[str, object]:
    fields: dict[str, object] = {"address_prefix": cidr.address_prefix}
    if cidr.prefix_len is not None:
        fields["prefix_len"] = cidr.prefix_len
    return fields


def _prefixes(match: View, field: str) -> tuple[CIDR, ...]:
    found = []
    for view in getattr(match, field):
        try:
            found.append(parseCIDR(view.address_prefix, view.prefix_len))
        except ValueError as error:
            raise view.error(str(error), "address_prefix") from None
    return tuple(found)


def _serverNameKey(name: str) -> str:
    """`*.example.com` is kept as `.example.com`."""
    lowered = name.lower()
    return lowered[1:] if lowered.startswith("*.") else lowered
