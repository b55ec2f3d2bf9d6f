"""Random lives of connections, carried and not: nobody can tell which."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, listener, logTo, tcpProxy
from twisted_envoy.extensions.filters.network.tcp_proxy import carried_upstream, carrier, config
from twisted_envoy.testing import MemoryEnvoy, Origin

ORIGIN = "127.0.0.1:10000"
LINE = (
    "%ACCESS_LOG_TYPE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %UPSTREAM_HOST% "
    "%UPSTREAM_CLUSTER% %UPSTREAM_TRANSPORT_FAILURE_REASON% %UPSTREAM_REQUEST_ATTEMPT_COUNT% "
    "%CONNECTION_TERMINATION_DETAILS% %DOWNSTREAM_LOCAL_ADDRESS% %UPSTREAM_REMOTE_ADDRESS% "
    "%DOWNSTREAM_DETECTED_CLOSE_TYPE% %UPSTREAM_DETECTED_CLOSE_TYPE% %UPSTREAM_LOCAL_CLOSE_REASON% "
    "%DOWNSTREAM_LOCAL_CLOSE_REASON% %FILTER_CHAIN_NAME% %UPSTREAM_HOSTS_ATTEMPTED%"
)
WHO = st.integers(0, 2)
EVENTS = st.one_of(
    st.tuples(st.sampled_from(["connect", "connect", "refuse", "accept", "silence", "speak"])),
    st.tuples(
        st.sampled_from(["write", "write", "end", "end", "close", "abort", "pause", "resume"]),
        st.booleans(),
        WHO,
    ),
    st.tuples(st.just("advance"), st.sampled_from([0.0004, 0.4, 3.0, 11.0])),
    st.tuples(st.just("close all"), st.sampled_from(["ingress", "hop"])),
)
_isPlain = carrier.isPlain


def ordinary() -> ExitStack:
    """Connections are not carried."""
    patches = ExitStack()
    patches.enter_context(patch.object(config, "isPlain", lambda settings: False))
    return patches


def logged() -> ExitStack:
    """They are, where they are logged, too: they become ordinary at their end."""

    def isPlain(settings):
        return _isPlain(replace(settings, logging=replace(settings.logging, logs=())))

    def connectionLost(self, reason):
        self.carried.become()
        self.pool.connectionLost(reason)

    patches = ExitStack()
    patches.enter_context(patch.object(config, "isPlain", isPlain))
    patches.enter_context(
        patch.object(carried_upstream.CarriedUpstream, "connectionLost", connectionLost)
    )
    return patches


class _Life:
    """A server, its clients and what it connects to."""

    def __init__(self, text: str) -> None:
        self.envoy = MemoryEnvoy(text)
        self.origin = self.envoy.listen(ORIGIN)
        self.clients = Origin()
        self.isListening = True

    def act(self, event) -> None:
        kind = event[0]
        envoy = self.envoy
        if kind == "connect":
            connecting = envoy.endpoint("ingress").connect(self.clients)
            connecting.addErrback(lambda failure: None)
        elif kind == "refuse" and self.isListening:
            self.isListening = False
            host = envoy.server.clusters.get("origin").hosts[0]
            envoy.sockets.find(host.address).stopListening()
        elif kind == "accept" and not self.isListening:
            self.isListening = True
            envoy.listen(ORIGIN, self.origin)
        elif kind == "silence":
            envoy.silence(ORIGIN)
        elif kind == "speak":
            envoy.sockets._silent.clear()
        elif kind == "advance":
            envoy.advance(event[1])
        elif kind == "close all":
            found = envoy.server.listeners.get(event[1])
            if found is not None:
                found.closeConnections()
        elif len(event) == 3:
            _, client, number = event
            peers = self.clients.connections if client else self.origin.connections
            if number < len(peers):
                self.say(kind, peers[-1 - number])

    def say(self, kind, peer) -> None:
        if kind == "write":
            peer.write(b"x" * 3000)
        elif kind == "end":
            peer.loseWriteConnection()
        elif kind == "close":
            peer.loseConnection()
        elif kind == "abort":
            peer.abortConnection()
        elif kind == "pause":
            peer.pauseProducing()
        else:
            peer.resumeProducing()

    def seen(self):
        """What everybody can see."""
        peers = [*self.clients.connections, *self.origin.connections]
        heard = [
            (len(peer.received), peer.ended, peer.lost and peer.lost.type.__name__)
            for peer in peers
        ]
        host = self.envoy.server.clusters.get("origin").hosts[0]
        hosts = (host.stats.cx_active.value, host.stats.rq_active.value, host.stats.rq_total.value)
        return heard, self.envoy.stats(r"^(?!server\.)"), hosts

    def finish(self):
        for peer in [*self.clients.connections, *self.origin.connections]:
            peer.loseConnection()
            self.envoy.settle()
        self.envoy.advance(60)
        store = self.envoy.server.store
        store.merge()
        histograms = {name: one.total.bins for name, one in store.histograms.items()}
        return self.seen(), histograms, self.envoy.lines("log"), self.envoy.lines("log2")


def textOf(hop: bool, logs: bool, attempts: int) -> str:
    """A TCP proxy, or two with a hop between them."""

    def fieldsOf(path):
        return {"access_log": logTo(path, LINE)} if logs else {}

    proxy = tcpProxy(
        idle_timeout="10s",
        max_connect_attempts=attempts,
        backoff_options={"base_interval": "0.5s"},
        **fieldsOf("log"),
    )
    limits = {
        "circuit_breakers": {"thresholds": [{"max_connections": 2}]},
        "connect_timeout": "2s",
        "per_connection_buffer_limit_bytes": 4096,
    }
    listeners = [listener("ingress", "127.0.0.1:9000", proxy)]
    clusters = [cluster("origin", ORIGIN, **limits)]
    if hop:
        entry = tcpProxy("hop", "in", idle_timeout="8s", **fieldsOf("log2"))
        listeners = [
            listener("ingress", "127.0.0.1:9000", entry),
            listener("hop", "internal:", proxy),
        ]
        clusters.append(cluster("hop", "internal:hop", connect_timeout="2s"))
    return bootstrap(listeners, clusters)


class LivesTests(SynchronousTestCase):
    """The same life twice."""

    def play(self, text, events):
        life = _Life(text)
        seen = []
        for event in events:
            life.act(event)
            life.envoy.settle()
            seen.append((event, life.seen()))
        return seen, life.finish()

    def compare(self, patches, text, events):
        with ordinary():
            expected = self.play(text, events)
        with patches:
            found = self.play(text, events)
        for one, other in zip(expected[0], found[0], strict=True):
            self.assertEqual(one, other)
        self.assertEqual(expected[1], found[1])

    @given(st.lists(EVENTS, max_size=20), st.booleans(), st.integers(1, 2))
    @settings(max_examples=60, deadline=None)
    def test_carried(self, events, hop, attempts):
        """All that is counted, and all that is heard, is the same after each event."""
        self.compare(ExitStack(), textOf(hop, False, attempts), events)

    @given(st.lists(EVENTS, max_size=20), st.booleans(), st.integers(1, 2))
    @settings(max_examples=60, deadline=None)
    def test_logged(self, events, hop, attempts):
        """So are the lines of their logs."""
        self.compare(logged(), textOf(hop, True, attempts), events)
