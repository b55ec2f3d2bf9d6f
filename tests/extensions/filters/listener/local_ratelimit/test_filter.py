"""One connection at the local rate limit of a listener."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twisted_envoy.extensions.common.token_bucket import TokenBucket
from twisted_envoy.extensions.filters.listener.local_ratelimit.filter import LocalRateLimit
from twisted_envoy.interfaces.network import IListenerFilter, Verdict
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.metrics import Counter


class LocalRateLimitTests(SynchronousTestCase):
    """Without a server."""

    def test_verdicts(self) -> None:
        """A token lets one pass; without any the connection is refused, unless it is off."""
        bucket, limited = TokenBucket(1, 1.0, lambda: 0.0), Counter("c")
        enabled = [True]
        limit = LocalRateLimit(bucket, lambda: enabled[0], limited)
        verifyObject(IListenerFilter, limit)
        verdicts = [limit.feed(b"", StreamInfo(0.0))[0] for _ in range(2)]
        self.assertEqual(verdicts, [Verdict.DONE, Verdict.REJECT])
        enabled[0] = False
        self.assertIs(limit.feed(b"", StreamInfo(0.0))[0], Verdict.DONE)
        self.assertEqual(limited.value, 1)
