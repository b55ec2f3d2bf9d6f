"""Tests for router.redirect."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.router.support import Routing
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.internal_redirect import InternalRedirect
from twisted_envoy.state.filter_state import Uint64Object


class InternalRedirectTests(SynchronousTestCase):
    """A redirect is followed here, or goes to the client."""

    def answered(
        self, location=b"http://other.test/b?c=1", status=302, more=(), method=b"GET", **policy
    ):
        routing = Routing()
        routing.route.internalRedirect = settings = InternalRedirect()
        for name, value in policy.items():
            setattr(settings, name, value)
        body = b"body" if method == b"POST" else None
        stream = routing.request((b"content-length", b"4"), method=method, body=body)
        self.prepare(routing, stream)
        headers = more if location is None else ((b"location", location), *more)
        routing.asked[0].answer(status, more=headers)
        self.routing = routing
        return stream

    def prepare(self, routing, stream):
        stream.requestEnded = True
        stream.clearRouteCache = lambda: None

    def failed(self, stream, stat=None):
        """The answer went to the client, counted."""
        self.assertIsNone(stream.recreated)
        self.assertEqual(stream.status // 100, 3)
        self.assertEqual(self.routing.value("upstream_internal_redirect_failed_total"), 1)
        self.assertIs(stream.route, self.routing.route)
        if stat is not None:
            name = f"http.hcm.passthrough_internal_redirect_{stat}"
            self.assertEqual(self.routing.value(name), 1)

    def test_followed(self):
        stream = self.answered(
            more=((b"x-copy", b"1"), (b"x-copy", b"2")), headersToCopy=(b"x-copy", b"x-other")
        )

        headers, body = stream.recreated
        self.assertIsNone(stream.status)
        self.assertEqual(headers[b":authority"], b"other.test")
        self.assertEqual(headers[b":path"], b"/b?c=1")
        self.assertEqual(headers[b"x-envoy-original-url"], b"http://example.test/")
        self.assertEqual(headers.every(b"x-copy"), [b"1", b"2"])
        self.assertEqual(body, b"")
        self.assertEqual(self.routing.value("upstream_internal_redirect_succeeded_total"), 1)
        self.assertEqual(stream.streamInfo.responseCodeDetails, "internal_redirect")
        self.assertIsNone(self.routing.asked[0].encoder.reset)
        self.assertEqual(self.routing.reactor.getDelayedCalls(), [])

    def test_bodyIsKept(self):
        headers, body = self.answered(method=b"POST").recreated

        self.assertEqual((headers[b":method"], body), (b"POST", b"body"))

    def test_seeOther(self):
        """303 makes a GET of it."""
        headers, body = self.answered(status=303, method=b"POST", codes=frozenset((303,))).recreated

        self.assertEqual((headers[b":method"], body), (b"GET", b""))
        self.assertNotIn(b"content-length", headers)

    def test_otherStatus(self):
        """Redirects of another code are none of ours."""
        stream = self.answered(status=301)

        self.assertEqual(stream.status, 301)
        self.assertEqual(self.routing.value("upstream_internal_redirect_failed_total"), 0)

    def test_noLocation(self):
        self.failed(self.answered(None))

    def test_badLocation(self):
        for location in (b"/relative", b"ftp://a/b", b"http://[bad/", b""):
            self.failed(self.answered(location), "bad_location")

    def test_scheme(self):
        self.failed(self.answered(b"https://other.test/"), "unsafe_scheme")
        self.assertIsNotNone(self.answered(b"https://other.test/", allowCrossScheme=True).recreated)

    def test_predicate(self):
        asked = []

        def accepts(*arguments):
            asked.append(arguments[1:])
            return False

        self.failed(self.answered(predicates=(accepts,)), "predicate")
        self.assertEqual(asked, [("", "", False, False)])

    def test_cannotBeRecreated(self):
        def prepare(routing, stream):
            stream.requestEnded = True
            stream.clearRouteCache = lambda: None
            stream.recreates = False

        self.prepare = prepare
        self.failed(self.answered())

    def test_tooMany(self):
        def prepare(routing, stream):
            stream.requestEnded = True
            stream.streamInfo.filterState.set("num_internal_redirects", Uint64Object(1))

        self.prepare = prepare
        self.failed(self.answered(), "too_many_redirects")

    def test_noRoute(self):
        def prepare(routing, stream):
            stream.requestEnded = True

            def clear():
                self.looked = stream.requestHeaders[b":path"]
                stream.route = None

            stream.clearRouteCache = clear

        self.prepare = prepare
        stream = self.answered()

        self.failed(stream, "no_route")
        self.assertEqual(self.looked, b"/b?c=1")
        self.assertEqual(stream.requestHeaders[b":path"], b"/")

    def test_requestNotWhole(self):
        def prepare(routing, stream):
            stream.requestEnded = False

        self.prepare = prepare
        self.failed(self.answered())

    def test_answerWithABody(self):
        """The upstream's stream is reset then."""
        routing = Routing()
        routing.route.internalRedirect = InternalRedirect()
        stream = routing.request()
        self.prepare(routing, stream)
        routing.asked[0].decoder.decodeHeaders(
            HeaderMap(((b":status", b"302"), (b"location", b"http://a.test/"))), False
        )

        self.assertIsNotNone(stream.recreated)
        self.assertIsNotNone(routing.asked[0].encoder.reset)
