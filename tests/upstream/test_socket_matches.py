"""Which of several transport sockets is an endpoint's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twisted_envoy.interfaces.transport_sockets import (
    IUpstreamTransportSocketFactory,
    TransportSocketOptions,
)
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.upstream.socket_matches import (
    NAMESPACE,
    MatchedSockets,
    SocketMatch,
    countMatch,
)


class FakeSocket:
    """Says its name for an endpoint."""

    def __init__(self, name: str, **fields: bool) -> None:
        self.name = name
        self.__dict__.update(fields)

    def connectorFor(self, host: Any, options: Any, passthrough: Any = None) -> Any:
        return (self.name, passthrough)

    def hashKey(self, options: Any) -> Any:
        return self.name

    def placeOnWire(self, place: Any) -> Any:
        return place(self)


def match(socket: Any, **wanted: object) -> SocketMatch:
    """One that counts."""
    return SocketMatch(wanted, socket, Counter("c"))


def host(**metadata: object) -> Any:
    """With metadata for this."""
    return SimpleNamespace(metadata={NAMESPACE: metadata} if metadata else {})


class MatchedSocketsTests(SynchronousTestCase):
    """Three of them."""

    def setUp(self) -> None:
        """Two that want something."""
        self.default = match(FakeSocket("default"))
        self.matches = (
            match(FakeSocket("both", supportsALPN=True, isTLS=True), tls="yes", v=2),
            match(FakeSocket("tls", passesMetadata=True), tls="yes"),
        )
        self.sockets = MatchedSockets(self.default, self.matches)

    def test_first(self) -> None:
        """The first of which all is there."""
        verifyObject(IUpstreamTransportSocketFactory, self.sockets)
        options, only = TransportSocketOptions(), Counter("only")
        for one, name in (
            (host(tls="yes", v=2, more=1), "both"),
            (host(tls="yes", v=3), "tls"),
            (host(tls="no"), "default"),
            (host(), "default"),
        ):
            self.assertEqual(self.sockets.connectorFor(one, options, "p"), (name, "p"))
            countMatch(self.sockets, one, only)
        countMatch(self.default.socket, host(), only)
        self.assertEqual(only.value, 1)
        counts = [one.count.value for one in (*self.matches, self.default)]
        self.assertEqual(counts, [1, 1, 2])
        self.assertEqual(self.sockets.hashKey(options), ("both", "tls", "default"))

    def test_whatTheyAre(self) -> None:
        """What is asked of all, and of any."""
        sockets = self.sockets
        self.assertTrue(sockets.isTLS and sockets.passesMetadata)
        self.assertFalse(sockets.supportsALPN or sockets.sendsProxyHeader)

    def test_wire(self) -> None:
        """Something is put below each."""
        placed = self.sockets.placeOnWire(lambda socket: FakeSocket(f"on {socket.name}"))
        self.assertIs(placed, self.sockets)
        self.assertEqual(
            self.sockets.connectorFor(host(), TransportSocketOptions())[0], "on default"
        )

    def test_everything(self) -> None:
        """A match that wants nothing is everybody's."""
        sockets = MatchedSockets(self.default, (match(FakeSocket("all")),))
        self.assertEqual(sockets.connectorFor(host(), TransportSocketOptions())[0], "all")
