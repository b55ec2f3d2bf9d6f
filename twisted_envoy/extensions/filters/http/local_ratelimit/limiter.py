"""
Token buckets, and which of them a request takes from.

A request has descriptors; those that a rule is for have a bucket each, and all of these are asked,
the slowest first, then the default one. The first that has not enough refuses the request, and what
was taken before is gone. A bucket in shadow mode only says that it would have refused.

Envoy: source/extensions/filters/common/local_ratelimit/local_ratelimit_impl.cc
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from operator import attrgetter
from typing import NamedTuple

from twisted_envoy.extensions.common.token_bucket import TokenBucket
from twisted_envoy.http.routes.rate_actions import Entry
from twisted_envoy.http.routes.rate_limits import Descriptor
from twisted_envoy.state.filter_state import SilentObject
from twisted_envoy.values import dataclass

MakeBucket = Callable[[], TokenBucket]


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One configured descriptor.

    Attributes:
        entries: of the descriptors that it is for; an empty value stands for any, and each has a
            bucket of its own.
        isShadow: its buckets refuse nothing.
    """

    entries: tuple[Entry, ...]
    makeBucket: MakeBucket
    isShadow: bool = False

    @property
    def isWild(self) -> bool:
        """Does it stand for more than one descriptor?"""
        return any(not value for _, value in self.entries)

    def isFor(self, entries: tuple[Entry, ...]) -> bool:
        """Is it for a descriptor?"""
        return len(entries) == len(self.entries) and all(
            key == one[0] and value in (b"", one[1])
            for (key, value), one in zip(self.entries, entries, strict=True)
        )


@dataclass(frozen=True, slots=True)
class LimiterSettings:
    """
    What a Limiter is made of.

    Attributes:
        makeDefault: None when there is no default bucket; refusesRest: and nothing goes without.
        exact, wild: rules, without and with empty values.
        most: buckets that a rule of `wild` has at a time; the one used longest ago goes.
        alwaysDefault: the default bucket is asked where there are others, too.
        shadowsEnd: nobody is asked after a bucket in shadow mode that would have refused.
    """

    makeDefault: MakeBucket | None = None
    refusesRest: bool = False
    exact: tuple[Rule, ...] = ()
    wild: tuple[Rule, ...] = ()
    most: int = 20
    alwaysDefault: bool = True
    shadowsEnd: bool = False


class Verdict(NamedTuple):
    """
    What becomes of a request.

    Attributes:
        bucket: the one that decided, or that x-ratelimit-* tells about; None for none.
        isShadow: it is refused, but only in shadow mode. tellsLimit: see Descriptor.
    """

    isAllowed: bool
    bucket: TokenBucket | None
    isShadow: bool = False
    tellsLimit: bool | None = None


class _Match(NamedTuple):
    bucket: TokenBucket
    isShadow: bool
    descriptor: Descriptor

    @property
    def rate(self) -> float:
        return self.bucket.rate

    def take(self) -> bool:
        """Is there enough? To ask for nothing is refused, as in Envoy."""
        hits = self.descriptor.hits
        if self.descriptor.givesBack:
            self.bucket.give(hits)
            return True
        return hits > 0 and self.bucket.takeAll(hits)


class Limiter:
    """The buckets of one filter, or of one connection."""

    __slots__ = ("_default", "_exact", "_settings", "_wild")

    def __init__(self, settings: LimiterSettings) -> None:
        self._settings = settings
        self._default = None if settings.makeDefault is None else settings.makeDefault()
        self._exact = {rule.entries: (rule.makeBucket(), rule) for rule in settings.exact}
        self._wild = tuple((rule, dict[Hashable, TokenBucket]()) for rule in settings.wild)

    def ask(self, descriptors: Sequence[Descriptor]) -> Verdict:
        """Take what a request with these descriptors needs."""
        found = [match for one in descriptors if (match := self._find(one)) is not None]
        if len(found) > 1:
            found.sort(key=attrgetter("rate"))
        shadow: Verdict | None = None
        for match in found:
            if match.take():
                continue
            verdict = Verdict(False, match.bucket, match.isShadow, match.descriptor.tellsLimit)
            if not match.isShadow or self._settings.shadowsEnd:
                return verdict
            shadow = shadow or verdict
        if not found or self._settings.alwaysDefault:
            if self._settings.refusesRest:
                return Verdict(False, None)
            if self._default is not None and not self._default.take():
                return Verdict(False, self._default)
        if shadow is not None:
            return shadow
        if found:
            return Verdict(True, found[0].bucket, False, found[0].descriptor.tellsLimit)
        return Verdict(True, self._default)

    def _find(self, descriptor: Descriptor) -> _Match | None:
        entries = descriptor.entries
        exact = self._exact.get(entries)
        if exact is not None:
            return _Match(exact[0], exact[1].isShadow, descriptor)
        for rule, buckets in self._wild:
            if rule.isFor(entries):
                bucket = buckets.pop(entries, None) or rule.makeBucket()
                buckets[entries] = bucket
                if len(buckets) > self._settings.most:
                    del buckets[next(iter(buckets))]
                return _Match(bucket, rule.isShadow, descriptor)
        return None


class ConnectionLimiter(SilentObject):
    """A connection's limiter, kept in its filter state: the first filter that asks makes it."""

    __slots__ = ("limiter",)

    KEY = "per_connection_local_rate_limiter"

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter
