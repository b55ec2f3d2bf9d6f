"""Tests for twisted_envoy.upstream.options."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.state.filter_state import Sharing, StringObject
from twisted_envoy.state.proxy_protocol import PROXY_PROTOCOL, ProxyProtocolState
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.state.upstream_tls import (
    PROTOCOLS,
    SERVER_NAME,
    SUBJECT_NAMES,
    ListObject,
    ServerName,
)
from twisted_envoy.upstream.host import NO_OPTIONS
from twisted_envoy.upstream.options import optionsOf


class OptionsTests(SynchronousTestCase):
    """What goes along."""

    def test_nothing(self):
        self.assertIs(optionsOf(StreamInfo(0.0), object()), NO_OPTIONS)

    def test_hops(self):
        self.assertEqual(optionsOf(StreamInfo(0.0), SimpleNamespace(hops=2)).hops, 2)

    def test_shared(self):
        """What the connection shares goes along with its requests too."""
        connection = StreamInfo(0.0)
        connection.filterState.set("a", StringObject("x"), sharing=Sharing.ONCE)
        connection.filterState.set("b", StringObject("y"))

        options = optionsOf(RequestInfo(connection, 0.0), object())

        self.assertEqual([name for name, _ in options.shared], ["a"])

    def test_metadata(self):
        """Dynamic metadata goes along only where the cluster's transport socket passes it."""
        info = StreamInfo(0.0)
        info.dynamicMetadata["ns"] = {"a": [1]}

        self.assertIs(optionsOf(info, object(), SimpleNamespace()), NO_OPTIONS)
        passed = optionsOf(info, object(), SimpleNamespace(passesMetadata=True)).metadata
        info.dynamicMetadata["ns"]["a"].append(2)
        self.assertEqual(passed, {"ns": {"a": [1]}})

    def test_names(self):
        """What filter state has TLS ask for, in a cluster that speaks TLS."""
        info = RequestInfo(StreamInfo(0.0), 0.0)
        info.connection.filterState.set(SERVER_NAME, ServerName("a.test"))
        info.filterState.set(SUBJECT_NAMES, ListObject("b,c", True))
        info.filterState.set(PROTOCOLS, ListObject("h2", False))

        self.assertIs(optionsOf(info, object(), SimpleNamespace()), NO_OPTIONS)
        options = optionsOf(info, object(), SimpleNamespace(isTLS=True))
        self.assertEqual(
            (options.serverName, options.subjectNames, options.onlyProtocols),
            ("a.test", ("b", "c"), (b"h2",)),
        )

    def test_otherObjects(self):
        """Objects of other kinds under these keys say nothing."""
        info = StreamInfo(0.0)
        info.filterState.set(SERVER_NAME, StringObject("a.test"))
        self.assertEqual(optionsOf(info, object(), SimpleNamespace(isTLS=True)), NO_OPTIONS)

    def test_proxy(self):
        """Who is behind the connection, where the cluster's transport socket sends that."""
        info = RequestInfo(StreamInfo(0.0, "local", "remote"), 0.0)
        cluster = SimpleNamespace(sendsProxyHeader=True)

        own = optionsOf(info, object(), cluster).proxy
        self.assertEqual((own.source, own.target, own.tlvs), ("remote", "local", ()))
        self.assertIs(optionsOf(info, object(), SimpleNamespace()), NO_OPTIONS)

        told = ProxyProtocolState(None, None)
        info.filterState.set(PROXY_PROTOCOL, told)
        self.assertIs(optionsOf(info, object(), cluster).proxy, told)
