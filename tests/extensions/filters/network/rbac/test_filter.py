"""The network RBAC filter; closes, logs and stats are real Envoy's."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.rbac.support import policy
from tests.extensions.support import Connections, Context, configOf
from twisted_envoy.extensions.filters.network.echo.filter import Echo
from twisted_envoy.extensions.filters.network.rbac import factories
from twisted_envoy.network.link import Link

NAMESPACE = "envoy.filters.network.rbac"
ALLOWING = {"rules": {"policies": {"p": policy()}}}
DENYING = {"rules": {"action": "DENY", "policies": {"my policy": policy()}}}


class HalfClosing(Link):
    """A terminal filter that goes on after the peer's end of stream."""

    __slots__ = ()
    halfCloses: ClassVar[bool] = True

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)

    def readConnectionLost(self) -> None:
        self.transport.write(b"end")
        self.transport.loseConnection()


class RBACTests(SynchronousTestCase):
    def start(self, terminal: Any = Echo, **fields: Any) -> Any:
        """A connected client."""
        (factory,) = factories
        self.context = Context()
        config = configOf(factory.typeURL, {"stat_prefix": "p", **fields})
        make = factory.build(config, self.context)
        self.connections = Connections([make, terminal], self.context.reactor)
        return self.connections.connect()

    def send(self, client: Any, data: bytes) -> None:
        client.transport.write(data)
        self.connections.settle()

    def counts(self) -> dict[str, int]:
        """All stats that are not 0."""
        counters = self.context.stats.counters.items()
        return {name[7:]: counter.value for name, counter in counters if counter.value}

    @property
    def info(self) -> Any:
        return self.connections.chains[0].streamInfo

    def test_allowed(self) -> None:
        """Asked once, when the first bytes come."""
        client = self.start(**ALLOWING)
        self.assertEqual(self.counts(), {})
        for data in (b"a", b"b"):
            self.send(client, data)
        self.assertEqual(client.received, b"ab")
        self.assertEqual(self.counts(), {"allowed": 1})
        self.assertEqual(self.info.dynamicMetadata, {})

    def test_denied(self) -> None:
        """The connection is closed, the bytes go nowhere; why is in the log."""
        client = self.start(**DENYING)
        self.assertFalse(client.ended or client.lost)
        self.send(client, b"abc")
        self.assertTrue(client.ended or client.lost)
        self.assertEqual(client.received, b"")
        self.assertEqual(self.counts(), {"denied": 1})
        info = self.info
        self.assertEqual(
            info.connectionTerminationDetails, "rbac_access_denied_matched_policy[my_policy]"
        )
        self.assertEqual(info.localCloseReason, "rbac_deny_close")
        self.assertEqual(info.bytesReceived, 3)

    def test_shadow(self) -> None:
        """Is counted and noted, and nothing else."""
        client = self.start(shadow_rules=DENYING["rules"], shadow_rules_stat_prefix="s_")
        self.send(client, b"a")
        self.assertEqual(client.received, b"a")
        self.assertEqual(self.counts(), {"s_.shadow_denied": 1})
        self.assertEqual(
            self.info.dynamicMetadata[NAMESPACE],
            {"s_shadow_effective_policy_id": "my policy", "s_shadow_engine_result": "denied"},
        )
        client = self.start(shadow_rules={})
        self.send(client, b"a")
        self.assertEqual(self.info.dynamicMetadata[NAMESPACE], {"shadow_engine_result": "denied"})

    def test_continuous(self) -> None:
        """Every chunk is asked about."""
        asking = {"filter": "f", "path": [{"key": "k"}], "value": {"bool_match": True}}
        rules = {"action": "DENY", "policies": {"p": policy({"metadata": asking})}}
        client = self.start(rules=rules, enforcement_type="CONTINUOUS")
        for data in (b"a", b"b"):
            self.send(client, data)
        self.assertEqual(self.counts(), {"allowed": 2})
        self.info.dynamicMetadata["f"] = {"k": True}
        self.send(client, b"c")
        self.assertEqual(client.received, b"ab")
        self.assertTrue(client.ended or client.lost)
        self.assertEqual(self.counts(), {"allowed": 2, "denied": 1})

    def test_delay(self) -> None:
        """A denied connection is kept for a while, and not read."""
        client = self.start(**DENYING, delay_deny="0.5s")
        for data in (b"a", b"b"):
            self.send(client, data)
        self.assertFalse(client.ended or client.lost)
        self.context.reactor.advance(0.4)
        self.connections.settle()
        self.assertFalse(client.ended or client.lost)
        self.context.reactor.advance(0.1)
        self.connections.settle()
        self.assertTrue(client.ended or client.lost)
        self.assertEqual(self.counts(), {"denied": 1})
        self.assertEqual(self.info.bytesReceived, 1)

    def test_lostWhileDelayed(self) -> None:
        """Nothing is left to do."""
        client = self.start(**DENYING, delay_deny="0.5s")
        self.send(client, b"a")
        client.transport.abortConnection()
        self.connections.settle()
        self.assertEqual(self.context.reactor.getDelayedCalls(), [])

    def test_endOfStream(self) -> None:
        """Is asked about where it is not the connection's end, else not."""
        for terminal, counts in ((Echo, {}), (HalfClosing, {"denied": 1})):
            client = self.start(terminal, **DENYING)
            client.transport.loseWriteConnection()
            self.connections.settle()
            self.assertTrue(client.ended or client.lost)
            self.assertEqual(client.received, b"")
            self.assertEqual(self.counts(), counts)
        client = self.start(HalfClosing, **ALLOWING)
        client.transport.loseWriteConnection()
        self.connections.settle()
        self.assertEqual(client.received, b"end")
        self.assertEqual(self.counts(), {"allowed": 1})

    def test_chunkAfterADenial(self) -> None:
        """Is dropped."""
        client = self.start(**DENYING, delay_deny="0.5s")
        self.send(client, b"a")
        chain = self.connections.chains[0]
        chain.dataReceived(b"b")
        chain.readConnectionLost()
        self.connections.settle()
        self.assertEqual(client.received, b"")
        self.assertEqual(self.counts(), {"denied": 1})

    def test_nothing(self) -> None:
        """Without rules everything passes and nothing is counted."""
        client = self.start()
        self.send(client, b"a")
        self.assertEqual(client.received, b"a")
        self.assertEqual(self.counts(), {})
