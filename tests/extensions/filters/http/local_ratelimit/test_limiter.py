"""Which buckets a request takes from; tests/parity compares all of it with Envoy."""

from __future__ import annotations

from functools import partial
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.common.token_bucket import TokenBucket
from twisted_envoy.extensions.filters.http.local_ratelimit.limiter import (
    ConnectionLimiter,
    Limiter,
    LimiterSettings,
    Rule,
    Verdict,
)
from twisted_envoy.http.routes.rate_limits import Descriptor

REFUSED = Verdict(False, None)


def descriptor(hits: int = 1, givesBack: bool = False, **entries: str) -> Descriptor:
    """One of these entries, in order."""
    found = tuple((key, value.encode()) for key, value in entries.items())
    return Descriptor(found, hits, givesBack, None)


class LimiterCase(SynchronousTestCase):
    def bucket(self, most: int, rate: float = 0.1) -> Any:
        """What makes it."""
        return partial(TokenBucket, most, rate, Clock().seconds)

    def rule(self, most: int, rate: float = 0.1, shadow: bool = False, **entries: str) -> Rule:
        """Of a bucket."""
        return Rule(descriptor(**entries).entries, self.bucket(most, rate), shadow)

    def said(self, limiter: Limiter, *descriptors: Descriptor) -> tuple[bool, int | None]:
        """Whether a request may pass, and the size of the bucket that is told of."""
        verdict = limiter.ask(descriptors)
        return verdict.isAllowed, None if verdict.bucket is None else verdict.bucket.most


class LimiterTests(LimiterCase):
    def test_default(self) -> None:
        """Of what has no other bucket, and of all."""
        limiter = Limiter(LimiterSettings(self.bucket(3), exact=(self.rule(9, a="1"),)))
        one, other = descriptor(a="1"), descriptor(a="2")
        self.assertEqual(self.said(limiter, one), (True, 9))
        self.assertEqual(self.said(limiter, other), (True, 3))
        self.assertEqual(self.said(limiter), (True, 3))
        self.assertEqual(self.said(limiter, one), (False, 3))

    def test_notAlways(self) -> None:
        """Only of what has no other."""
        rules = (self.rule(2, a="1"),)
        limiter = Limiter(LimiterSettings(self.bucket(1), exact=rules, alwaysDefault=False))
        one = descriptor(a="1")
        self.assertEqual([self.said(limiter, one)[0] for _ in range(3)], [True, True, False])
        self.assertEqual([self.said(limiter) for _ in range(2)], [(True, 1), (False, 1)])

    def test_noDefault(self) -> None:
        """What has no bucket may pass, or nothing may."""
        self.assertEqual(Limiter(LimiterSettings()).ask(()), Verdict(True, None))
        limiter = Limiter(LimiterSettings(refusesRest=True, exact=(self.rule(1, a="1"),)))
        self.assertEqual(limiter.ask(()), REFUSED)
        self.assertEqual(limiter.ask((descriptor(a="1"),)), REFUSED)
        self.assertEqual(self.said(limiter, descriptor(a="1")), (False, 1))

    def test_slowestFirst(self) -> None:
        """What is refused by a slow one takes nothing from a fast one; what is not is taken."""
        rules = (self.rule(5, 2.0, a="1"), self.rule(2, 1.0, b="1"))
        limiter = Limiter(LimiterSettings(exact=rules))
        both = (descriptor(a="1"), descriptor(b="1"))
        self.assertEqual([self.said(limiter, *both)[0] for _ in range(3)], [True, True, False])
        verdict = limiter.ask((descriptor(a="1"),))
        assert verdict.bucket is not None
        self.assertEqual(verdict.bucket.tokens, 2.0)

    def test_entries(self) -> None:
        """All, in order, and no others."""
        limiter = Limiter(LimiterSettings(exact=(self.rule(2, a="1", b="2"),)))
        for entries in ({"a": "1"}, {"b": "2", "a": "1"}, {"a": "1", "b": "2", "c": "3"}):
            self.assertEqual(self.said(limiter, descriptor(**entries)), (True, None))
        self.assertEqual(self.said(limiter, descriptor(a="1", b="2")), (True, 2))

    def test_wild(self) -> None:
        """A bucket for each value; the exact rule comes first."""
        wild = (self.rule(1, a="", b="1"),)
        limiter = Limiter(LimiterSettings(exact=(self.rule(7, a="x", b="1"),), wild=wild))
        for value in "pq":
            one = descriptor(a=value, b="1")
            self.assertEqual([self.said(limiter, one) for _ in range(2)], [(True, 1), (False, 1)])
        self.assertEqual(self.said(limiter, descriptor(a="x", b="1")), (True, 7))
        self.assertEqual(self.said(limiter, descriptor(a="p", b="2")), (True, None))
        self.assertEqual(self.said(limiter, descriptor(a="p")), (True, None))

    def test_forgotten(self) -> None:
        """The one used longest ago, when there are too many."""
        limiter = Limiter(LimiterSettings(wild=(self.rule(1, a=""),), most=2))
        said = [self.said(limiter, descriptor(a=value))[0] for value in "121312"]
        self.assertEqual(said, [True, True, False, True, False, True])

    def test_hits(self) -> None:
        """So many at once, or none; none at all is refused; some are given back."""
        limiter = Limiter(LimiterSettings(exact=(self.rule(5, a="1"),)))
        self.assertEqual(self.said(limiter, descriptor(3, a="1")), (True, 5))
        self.assertEqual(self.said(limiter, descriptor(3, a="1")), (False, 5))
        self.assertEqual(self.said(limiter, descriptor(0, a="1")), (False, 5))
        self.assertEqual(self.said(limiter, descriptor(0, True, a="1")), (True, 5))
        self.assertEqual(self.said(limiter, descriptor(1, True, a="1")), (True, 5))
        self.assertEqual(self.said(limiter, descriptor(3, a="1")), (True, 5))

    def test_tells(self) -> None:
        """What the descriptor says that is told of."""
        limiter = Limiter(LimiterSettings(self.bucket(9), exact=(self.rule(1, a="1"),)))
        one = descriptor(a="1")._replace(tellsLimit=True)
        self.assertEqual([limiter.ask((one,)).tellsLimit for _ in range(2)], [True, True])
        self.assertIsNone(limiter.ask(()).tellsLimit)


class ShadowTests(LimiterCase):
    def limiter(self, ends: bool = False, **fields: Any) -> Limiter:
        """Of one bucket in shadow mode, which is asked first, and one that is not."""
        rules = (self.rule(1, 1.0, True, a="1"), self.rule(3, 2.0, b="1"))
        return Limiter(LimiterSettings(exact=rules, shadowsEnd=ends, **fields))

    both = (descriptor(a="1"), descriptor(b="1"))

    def test_others(self) -> None:
        """Are asked all the same; the first that really refuses does."""
        limiter = self.limiter(makeDefault=self.bucket(9))
        found = [limiter.ask(self.both) for _ in range(4)]
        self.assertEqual([one.isShadow for one in found], [False, True, True, False])
        self.assertEqual([one.isAllowed for one in found], [True, False, False, False])
        self.assertEqual([one.bucket and one.bucket.most for one in found], [1, 1, 1, 3])
        self.assertEqual(self.said(limiter), (True, 9))

    def test_default(self) -> None:
        """The default bucket, too."""
        limiter = self.limiter(makeDefault=self.bucket(2))
        found = [limiter.ask(self.both[:1]) for _ in range(3)]
        self.assertEqual([one.isShadow for one in found], [False, True, False])
        self.assertEqual(self.limiter(refusesRest=True).ask(self.both), REFUSED)

    def test_ends(self) -> None:
        """Unless nobody is to be asked then."""
        limiter = self.limiter(True)
        found = [limiter.ask(self.both) for _ in range(6)]
        self.assertEqual([one.isShadow for one in found], [False] + [True] * 5)


class ConnectionLimiterTests(SynchronousTestCase):
    def test_noForm(self) -> None:
        """It is an object of filter state that prints nothing."""
        kept = ConnectionLimiter(Limiter(LimiterSettings()))
        shown = kept.plainText(), kept.typed(), kept.field("a"), kept.hashKey()
        self.assertEqual(shown, (None,) * 4)
