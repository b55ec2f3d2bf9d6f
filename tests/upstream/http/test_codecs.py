"""Which codec a connection gets."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h1.client import H1ClientCodec
from twisted_envoy.codec.h2.client import H2ClientCodec
from twisted_envoy.codec.http import CodecOutput
from twisted_envoy.stats.scope import Store
from twisted_envoy.upstream.http.codecs import clientCodecs, negotiated
from twisted_envoy.upstream.http.settings import HTTP1, HTTP2, UpstreamHTTPSettings


class Owner:
    """Of a codec."""

    def streamClosed(self):
        raise AssertionError("there is no stream")


class CodecTests(SynchronousTestCase):
    """clientCodecs."""

    def test_both(self):
        """By protocol; the stats of each come with its first codec and are shared."""
        store = Store()
        settings = UpstreamHTTPSettings()
        codecs = clientCodecs(settings, store.scope("cluster.c."), Clock().seconds)
        output = CodecOutput(lambda call: None)
        names = [one.name for one in store.numbers()]
        self.assertEqual(names, [])
        self.assertIsInstance(codecs[HTTP1](Owner(), output, None), H1ClientCodec)
        self.assertEqual(store.value("cluster.c.http1.response_flood"), 0)
        first = codecs[HTTP2](Owner(), output, None)
        self.assertIsInstance(first, H2ClientCodec)
        self.assertEqual(store.value("cluster.c.http2.streams_active"), 0)
        self.assertIs(codecs[HTTP2](Owner(), output, None).stats, first.stats)
        self.assertIsInstance(codecs[HTTP1](Owner(), output, None), H1ClientCodec)


class NegotiatedTests(SynchronousTestCase):
    """negotiated."""

    def test_agreed(self):
        """HTTP/2 if both want it; without TLS, or an agreement, it is HTTP/1.1."""
        for tls, protocol, counts in (
            (SimpleNamespace(applicationProtocol="h2"), HTTP2, (0, 1)),
            (SimpleNamespace(applicationProtocol="http/1.1"), HTTP1, (1, 0)),
            (SimpleNamespace(applicationProtocol=""), HTTP1, (1, 0)),
            (None, HTTP1, (1, 0)),
        ):
            stats = SimpleNamespace(
                upstream_cx_http1_total=SimpleNamespace(value=0),
                upstream_cx_http2_total=SimpleNamespace(value=0),
            )
            self.assertEqual(negotiated(tls, stats), protocol)
            counted = (stats.upstream_cx_http1_total.value, stats.upstream_cx_http2_total.value)
            self.assertEqual(counted, counts)
