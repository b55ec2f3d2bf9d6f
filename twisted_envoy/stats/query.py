"""
What `/stats?...` and `/stats/prometheus?...` ask for, parsed from their query parameters.

The error texts are Envoy's; the page answers them with status 400.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from twisted_envoy.stats.regex import compileRegex
from twisted_envoy.values import dataclass

FORMATS = ("html", "active-html", "json", "prometheus", "text")
TYPES = ("All", "Counters", "Gauges", "Histograms", "TextReadouts")
BUCKET_MODES = ("cumulative", "disjoint", "none", "detailed", "summary", "prometheusnative")
_HIDDEN = ("include", "only", "exclude")


class StatsQueryError(ValueError):
    """A parameter that cannot be obeyed; its text is the answer's body."""


@dataclass(frozen=True, slots=True)
class StatsQuery:
    """
    One question to the stats page.

    Attributes:
        usedOnly: leave out what was never written.
        filter: shown names are those in which it is found; None shows all.
        invertFilter: shown names are those in which the filter is not found.
        type: one of TYPES.
        buckets: one of BUCKET_MODES, None when not given (`none` means summary too).
        textReadouts: show text readouts to Prometheus as gauges with a label.
        hidden: "only" shows nothing (there are no hidden stats here).
    """

    format: str = "text"
    usedOnly: bool = False
    filter: re.Pattern[str] | None = None
    invertFilter: bool = False
    type: str = "All"
    buckets: str | None = None
    textReadouts: bool = False
    hidden: str = "exclude"

    @classmethod
    def parse(cls, args: Mapping[bytes, Sequence[bytes]]) -> StatsQuery:
        """
        From a request's decoded arguments (`twisted.web`'s `request.args`).

        The first value of a parameter counts; one that stands for yes or no counts as yes however
        it is written (`usedonly=false` too), as in Envoy.

        Raises:
            StatsQueryError: with the text to answer.
        """
        words = {
            name.decode("utf-8", "replace"): values[0].decode("utf-8", "replace")
            for name, values in args.items()
            if values
        }
        buckets = words.get("histogram_buckets")
        if buckets is not None and buckets not in BUCKET_MODES:
            raise StatsQueryError(
                "usage: /stats?histogram_buckets="
                "(cumulative|disjoint|detailed|summary|prometheusnative)\n"
            )
        kind = words.get("type", "All")
        if kind not in TYPES:
            raise StatsQueryError("invalid &type= param")
        shape = words.get("format", "text")
        if shape not in FORMATS:
            raise StatsQueryError(
                "usage: /stats?format=(html|active-html|json|prometheus|text)\n\n"
            )
        hidden = words.get("hidden", "exclude")
        if hidden not in _HIDDEN:
            raise StatsQueryError("usage: /stats?hidden=(include|only|exclude)\n\n")
        return cls(
            format=shape,
            usedOnly="usedonly" in words,
            filter=_pattern(words.get("filter", "")),
            invertFilter="invert_filter" in words,
            type=kind,
            buckets=buckets,
            textReadouts="text_readouts" in words,
            hidden=hidden,
        )

    def wants(self, kind: str) -> bool:
        """Whether metrics of one of TYPES are asked for."""
        return self.hidden != "only" and self.type in ("All", kind)

    def shows(self, name: str, used: bool) -> bool:
        """Whether a metric of that full name belongs in the answer."""
        if self.usedOnly and not used:
            return False
        if self.filter is None:
            return True
        return (self.filter.search(name) is None) is self.invertFilter


def _pattern(text: str) -> re.Pattern[str] | None:
    if not text:
        return None
    try:
        return compileRegex(text)
    except ValueError as error:
        raise StatsQueryError(f"Invalid re2 regex: {error}") from error
