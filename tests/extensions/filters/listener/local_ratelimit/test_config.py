"""The local rate limit of listeners, in a bootstrap."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import bootstrap, directResponse, listener, typed
from tests.server.refusing import RefusalTestCase
from twisted_envoy.testing import MemoryEnvoy


def text(fill: str = "1s", **fields: Any) -> str:
    """A listener of which two connections a second are accepted."""
    bucket = {"max_tokens": 2, "tokens_per_fill": 1, "fill_interval": fill}
    kind = "filters.listener.local_ratelimit.v3.LocalRateLimit"
    limit = typed("limit", kind, stat_prefix="p", token_bucket=bucket, **fields)
    one = listener("l", "127.0.0.1:9000", directResponse("hello"), listener_filters=[limit])
    return bootstrap([one])


class LocalRateLimitTests(RefusalTestCase):
    """A running server."""

    def answers(self, envoy: MemoryEnvoy, count: int) -> list[bytes]:
        """What so many clients get."""
        clients = [envoy.connect("127.0.0.1:9000") for _ in range(count)]
        envoy.settle()
        self.assertTrue(all(one.ended for one in clients))
        return [one.received for one in clients]

    def test_limits(self) -> None:
        """Connections without a token are closed, and counted; later there are more."""
        envoy = MemoryEnvoy(text())
        self.assertEqual(self.answers(envoy, 4), [b"hello", b"hello", b"", b""])
        self.assertEqual(envoy.stat("listener_local_ratelimit.p.rate_limited"), 2)
        envoy.advance(1)
        self.assertEqual(self.answers(envoy, 2), [b"hello", b""])

    def test_switchedOff(self) -> None:
        """runtime_enabled decides for each connection."""
        for default, expected in ((False, b"hello"), (True, b"")):
            enabled = {"default_value": default, "runtime_key": "k"}
            envoy = MemoryEnvoy(text(runtime_enabled=enabled))
            self.assertEqual(self.answers(envoy, 3)[2], expected)

    def test_refused(self) -> None:
        """A bucket is not filled more often than 20 times a second."""
        problem = "local rate limit token bucket fill timer must be >= 50ms"
        self.assertRefused(text("0.04s"), problem)
