"""Listener filters that some connections do not get."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.bootstraps import bootstrap, echo, listener, typed
from tests.extensions.support import configOf, unreadFields
from twisted_envoy.extensions.filters.listener.original_dst.filter import OriginalDst
from twisted_envoy.interfaces.network import ITransportListenerFilter, Verdict
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.network.listener_filter_predicate import UnlessDisabled, compilePredicate
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.testing import MemoryEnvoy

PREDICATE = "envoy.config.listener.v3.ListenerFilterChainMatchPredicate"
LOW = {"destination_port_range": {"start": 80, "end": 90}}
ANY = {"any_match": True}


def to(port: int) -> StreamInfo:
    """A connection to a port."""
    return StreamInfo(0.0, IPv4Address("TCP", "127.0.0.1", port))


class PredicateTests(SynchronousTestCase):
    """Every kind."""

    def says(self, predicate: dict[str, Any], info: StreamInfo) -> bool:
        """Compile, and ask."""
        config = configOf(PREDICATE, predicate)
        compiled = compilePredicate(config)
        self.assertEqual(unreadFields(config), [])
        return compiled(info)

    def test_ports(self) -> None:
        """From the first to before the last; what has no port is in no range."""
        found = [self.says(LOW, to(port)) for port in (79, 80, 89, 90)]
        self.assertEqual(found, [False, True, True, False])
        self.assertFalse(self.says(LOW, StreamInfo(0.0, InternalAddress("x"))))

    def test_combined(self) -> None:
        """Not, and, or, any."""
        none = {"not_match": ANY}
        for predicate, expected in (
            (ANY, True),
            (none, False),
            ({"or_match": {"rules": [none, LOW]}}, True),
            ({"or_match": {"rules": [none, none]}}, False),
            ({"and_match": {"rules": [ANY, LOW]}}, True),
            ({"and_match": {"rules": [none, LOW]}}, False),
        ):
            self.assertEqual(self.says(predicate, to(80)), expected)


class UnlessDisabledTests(SynchronousTestCase):
    """Around a filter."""

    def test_disabled(self) -> None:
        """It is asked once, at the filter's turn; the filter is not."""
        asked: list[StreamInfo] = []

        def isDisabled(info: StreamInfo) -> bool:
            asked.append(info)
            return True

        inner = OriginalDst()
        made = UnlessDisabled(inner, isDisabled)
        verifyObject(ITransportListenerFilter, made)
        made.connected(None)
        self.assertEqual((asked, made.maxReadBytes), ([], 0))
        self.assertEqual(made.feed(b"", to(80)), (Verdict.DONE, 0))
        self.assertEqual(len(asked), 1)

    def test_inABootstrap(self) -> None:
        """The first filter is left out on one port and waits on the other."""
        limit = typed(
            "limit",
            "filters.listener.local_ratelimit.v3.LocalRateLimit",
            stat_prefix="none",
            token_bucket={"max_tokens": 1, "fill_interval": "100s", "tokens_per_fill": 1},
        )
        limit["filter_disabled"] = LOW
        envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener(str(port), f"127.0.0.1:{port}", echo(), listener_filters=[limit])
                    for port in (85, 95)
                ]
            )
        )
        ended = [envoy.connect(name).ended for name in ("85", "85", "95", "95")]
        self.assertEqual(ended, [False, False, False, True])
