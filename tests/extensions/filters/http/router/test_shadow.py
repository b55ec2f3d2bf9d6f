"""Tests for router.shadow."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.router.support import Cluster, Routing
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.extensions.filters.http.router.shadow import shadowHost
from twisted_envoy.http.routes.mirrors import Mirror


class ShadowTests(SynchronousTestCase):
    """Copies of requests."""

    def setUp(self):
        self.routing = Routing()
        self.mirror = Mirror(lambda headers: "copies")
        self.routing.route.mirrors = (self.mirror,)
        self.copies = Cluster(self.routing.stats, "copies")
        self.routing.clusters["copies"] = self.copies

    def value(self, name):
        return self.routing.stats.value(name)

    def test_copy(self):
        """The copy is the request as the upstream gets it, with another host."""
        self.routing.request((b"x-forwarded-for", b"192.0.2.7"), method=b"POST", body=b"body")
        [copy] = self.copies.asked
        copy.answer(200, b"ignored")

        own = self.routing.asked[0].encoder
        self.assertEqual(copy.encoder.headers[b":authority"], b"example.test-shadow")
        self.assertEqual(copy.encoder.headers[b"x-envoy-internal"], b"true")
        self.assertTrue(copy.encoder.headers[b"x-forwarded-for"].startswith(b"192.0.2.7,"))
        self.assertEqual((copy.encoder.body, copy.encoder.ended), (b"body", True))
        self.assertEqual(own.headers[b":authority"], b"example.test")
        self.assertNotIn(b"x-envoy-internal", own.headers)
        self.assertEqual(self.value("cluster.copies.internal.upstream_rq_200"), 1)
        self.assertEqual(self.value("http.async-client.rq_total"), 1)

    def test_host(self):
        for host, shadow in (
            (b"a.test", b"a.test-shadow"),
            (b"a.test:80", b"a.test-shadow:80"),
            (b"[::1]", b"[::1]-shadow"),
            (b"[::1]:80", b"[::1]-shadow:80"),
        ):
            self.assertEqual(shadowHost(host), shadow)

    def test_settings(self):
        """The host may be another one or the same, and headers may be edited."""
        self.mirror.hostRewrite = b"copy.test"
        self.mirror.edit = lambda headers, info: headers.set(b"x-edited", b"1")
        self.routing.request()
        self.mirror.hostRewrite = None
        self.mirror.appendsShadow = False
        self.routing.request()

        first, second = (one.encoder.headers for one in self.copies.asked)
        self.assertEqual(first[b":authority"], b"copy.test")
        self.assertEqual(first[b"x-edited"], b"1")
        self.assertEqual(second[b":authority"], b"example.test")

    def test_noCopy(self):
        """Not for CONNECT, not outside the share, not without cluster, host or pool."""
        self.routing.request(method=b"CONNECT")
        self.mirror.fraction = lambda number: False
        self.routing.request()
        del self.mirror.fraction
        self.mirror.fraction = lambda number: True
        self.copies.httpPool = lambda *arguments: None
        self.routing.request()
        self.copies.hosts = []
        self.routing.request()
        self.routing.clusters.pop("copies")
        self.routing.request()

        self.assertEqual(self.copies.asked, [])
        self.assertEqual(len(self.routing.asked), 5)

    def test_tooLarge(self):
        """What is not kept is not copied."""
        self.routing.route.requestBufferLimit = 3

        self.routing.request(method=b"POST", body=b"body")

        self.assertEqual(self.copies.asked, [])

    def test_trailers(self):
        stream = self.routing.request(method=b"POST", endStream=False)
        stream.router.decodeData(b"x", False)
        stream.requestTrailers = HeaderMap(((b"t", b"1"),))
        stream.router.decodeTrailers(stream.requestTrailers)

        [copy] = self.copies.asked
        self.assertEqual(copy.encoder.trailers[b"t"], b"1")

    def test_answers(self):
        """However it is answered, nobody waits any more."""
        for answer in (
            lambda copy: copy.answer(200),
            lambda copy: copy.answer(500, b"x"),
            lambda copy: copy.reset(),
            lambda copy: (
                copy.decoder.decode1xx(HeaderMap()),
                copy.answer(200, endStream=False),
                copy.decoder.decodeTrailers(HeaderMap()),
            ),
        ):
            self.routing.request()
            self.routing.asked[-1].answer(200)
            answer(self.copies.asked[-1])

            self.assertEqual(self.routing.reactor.getDelayedCalls(), [])

    def test_poolFails(self):
        self.copies.failures = [(Reset.OVERFLOW, "")]
        stream = self.routing.request()
        self.routing.asked[0].answer(200)

        self.assertEqual(stream.status, 200)
        self.assertEqual(self.value("cluster.copies.upstream_rq_503"), 1)
        self.assertEqual(self.routing.reactor.getDelayedCalls(), [])

    def test_timeout(self):
        """A copy waits as long as its request."""
        self.routing.request()
        self.copies.waits = True
        self.routing.request()
        self.routing.reactor.advance(15)

        self.assertIs(self.copies.asked[0].encoder.reset, Reset.LOCAL)
        self.assertTrue(self.copies.asked[1].cancelled)
        self.assertEqual(self.value("cluster.copies.upstream_rq_504"), 2)
