"""HTTP over internal_upstream: which requests share a connection, and what the far side sees."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, listener, setFilterState
from tests.extensions.common.test_hop_switches import manager, passing
from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
from twisted_envoy.state.filter_state import (
    FilterState,
    HashableStringObject,
    Sharing,
    StringObject,
)
from twisted_envoy.testing import MemoryEnvoy

REQUEST = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def isolating(on: bool) -> dict[str, Any]:
    """The switch."""
    layer = {"twisted_envoy.http.isolate_shared_state": on}
    return {"layered_runtime": {"layers": [{"name": "ours", "static_layer": layer}]}}


class PoolTests(SynchronousTestCase):
    """Connection managers on both sides of a hop; each client has another value."""

    def pairs(self, factory: str, isolated: bool = False, port: bool = True) -> list[str]:
        """
        What the inner requests show of two clients' state, each client with two requests.

        Args:
            port: the value is the client's port, else the same for all.
        """
        value = "%DOWNSTREAM_REMOTE_PORT%" if port else "one"
        outer = manager("hop", "%UPSTREAM_FILTER_STATE(k:PLAIN)%", "outer")
        inner = manager("origin", "%FILTER_STATE(k:PLAIN)%", "inner")
        self.envoy = envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener(
                        "in",
                        "127.0.0.1:9000",
                        setFilterState("k", value, "ONCE", factory_key=factory),
                        setFilterState("a", "x", "ONCE", factory_key="envoy.hashable_string"),
                        outer,
                    ),
                    listener("hop", "internal:", inner),
                ],
                [
                    cluster("hop", "internal:hop", transport_socket=passing()),
                    cluster("origin", "127.0.0.1:10000"),
                ],
                **isolating(isolated),
            )
        )
        origin = envoy.listen("127.0.0.1:10000")
        for source in ("10.0.0.1:1001", "10.0.0.1:1002"):
            client = envoy.connect("in", source)
            for _ in range(2):
                client.write(REQUEST)
                envoy.settle()
                origin.connections[0].write(ANSWER)
                envoy.settle()
        self.assertEqual(envoy.lines("inner.log"), envoy.lines("outer.log"))
        return envoy.lines("inner.log")

    def connections(self) -> int:
        return self.envoy.stat("cluster.hop.upstream_cx_total")

    def test_plainStrings(self) -> None:
        """As in Envoy: they separate nothing, the second client's requests show the first's."""
        self.assertEqual(self.pairs("envoy.string"), ["1001"] * 4)
        self.assertEqual(self.connections(), 1)

    def test_hashable(self) -> None:
        """One connection for each value."""
        self.assertEqual(self.pairs("envoy.hashable_string"), ["1001"] * 2 + ["1002"] * 2)
        self.assertEqual(self.connections(), 2)

    def test_hashableAndEqual(self) -> None:
        """Two hashable objects with equal values: one connection, always."""
        self.pairs("envoy.hashable_string", port=False)
        self.assertEqual(self.connections(), 1)

    def test_isolated(self) -> None:
        """With the switch plain strings separate as well, and nobody sees another one's."""
        self.assertEqual(self.pairs("envoy.string", True), ["1001"] * 2 + ["1002"] * 2)
        self.assertEqual(self.connections(), 2)

    def test_isolatedAndEqual(self) -> None:
        """Who shares the same is pooled as ever."""
        self.assertEqual(self.pairs("envoy.string", True, port=False), ["one"] * 4)
        self.assertEqual(self.connections(), 1)


class Opaque:
    """An object without a text."""

    def plainText(self) -> str | None:
        return None

    def typed(self) -> object:
        return None

    def field(self, name: str) -> object:
        return None

    def hashKey(self) -> None:
        return None


class IsolationKeyTests(SynchronousTestCase):
    """What separates pools that never mix."""

    def key(self, metadata: Any = None, **values: Any) -> object:
        state = FilterState()
        for name, value in values.items():
            state.set(name, value, sharing=Sharing.ONCE)
        key = TransportSocketOptions(state.shared(), 0, metadata).isolationKey()
        hash(key)
        return key

    def test_order(self) -> None:
        """It does not matter in which order objects were stored."""
        one, two = StringObject("1"), HashableStringObject("2")
        self.assertEqual(self.key(a=one, b=two), self.key(b=two, a=one))

    def test_kinds(self) -> None:
        """The same text of another kind is another value."""
        self.assertNotEqual(self.key(a=StringObject("1")), self.key(a=HashableStringObject("1")))

    def test_withoutText(self) -> None:
        """Each such object is one of a kind."""
        one, two = Opaque(), Opaque()
        self.assertEqual(self.key(a=one), self.key(a=one))
        self.assertNotEqual(self.key(a=one), self.key(a=two))

    def test_metadata(self) -> None:
        """What goes along separates, in depth; flags are no numbers."""
        self.assertEqual(self.key({"a": {"b": [1]}}), self.key({"a": {"b": [1]}}))
        others = [{"a": {"b": [2]}}, {"a": {"b": [True]}}, {"a": {"b": {}}}, {}, None]
        self.assertEqual(len({self.key(one) for one in others} | {self.key({"a": {"b": [1]}})}), 6)
