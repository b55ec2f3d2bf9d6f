"""Tests for twisted_envoy.http.server_codecs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.switches import REFERENCE_CODEC
from twisted_envoy.codec.http import CodecOutput
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings, HTTP2Settings
from twisted_envoy.http.h2_stats import HTTP2Stats
from twisted_envoy.http.server_codecs import makeHTTP1, makeHTTP2
from twisted_envoy.http.stats import HTTP1Stats, ManagerStats
from twisted_envoy.stats.scope import Store


class CodecsTests(SynchronousTestCase):
    def connection(self) -> Any:
        store = Store()
        settings = SimpleNamespace(
            stats=ManagerStats(store.scope("http.x.")),
            http1=HTTP1Settings(refusesHTTPS=True),
            http1Secured=HTTP1Settings(),
            http2=HTTP2Settings(),
            http1Stats=HTTP1Stats(store.scope("http1.")),
            http2Stats=HTTP2Stats(store.scope("http2.")),
            limits=HeaderLimits(),
            heads=None,
            seconds=lambda: 0.0,
        )
        self.store = store
        return SimpleNamespace(settings=settings, info=SimpleNamespace(tls=None))

    def test_counted(self) -> None:
        """Each speaks its protocol and is counted."""
        for make, protocol, name in (
            (makeHTTP1, "HTTP/1.1", "http1"),
            (makeHTTP2, "HTTP/2", "http2"),
        ):
            codec = make(self.connection(), CodecOutput(lambda call: None))
            self.assertEqual(codec.protocol, protocol)
            for what in ("total", "active"):
                self.assertEqual(self.store.value(f"http.x.downstream_cx_{name}_{what}"), 1)

    def test_referenceCore(self) -> None:
        """Over the h2 library each request has a stream: that core sends no whole answers."""
        connection = self.connection()
        for usesLibrary in (True, REFERENCE_CODEC):
            connection.settings.http2 = HTTP2Settings(usesLibrary=usesLibrary)
            codec = makeHTTP2(connection, CodecOutput(lambda call: None))
            self.assertIs(codec.answers, None if usesLibrary else connection)

    def test_secured(self) -> None:
        """Over TLS other settings hold."""
        connection = self.connection()
        plain = makeHTTP1(connection, CodecOutput(lambda call: None))
        connection.info.tls = object()
        secured = makeHTTP1(connection, CodecOutput(lambda call: None))
        self.assertTrue(plain.settings.refusesHTTPS)
        self.assertFalse(secured.settings.refusesHTTPS)
