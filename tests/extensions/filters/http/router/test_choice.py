"""Tests for router.choice."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.router.support import Routing
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.common.filter_state.objects import DEBUG_CONFIG, DebugConfig
from twisted_envoy.http.routes.direct_response import DirectResponse
from twisted_envoy.http.routes.redirect import Redirect
from twisted_envoy.state.filter_state import StringObject
from twisted_envoy.upstream.host import NO_OPTIONS


class WithoutUpstreamTests(SynchronousTestCase):
    """Routes that answer themselves."""

    def test_redirect(self):
        routing = Routing()
        routing.route.kind = "redirect"
        routing.route.redirect = Redirect(302)
        routing.route.redirect.path = b"/there"

        stream = routing.request()

        self.assertEqual((stream.reply, stream.details), ((302, b""), "direct_response"))
        self.assertEqual(stream.headers[b"location"], b"http://example.test/there")
        self.assertEqual(routing.value("http.hcm.rq_direct_response"), 1)

    def test_directResponse(self):
        routing = Routing()
        routing.route.kind = "direct_response"
        routing.route.directResponse = DirectResponse(201, b"made")
        routing.route.directResponse.contentType = b"text/html"

        stream = routing.request()

        self.assertEqual(stream.reply, (201, b"made"))
        self.assertEqual(stream.headers[b"location"], b"http://example.test/")
        self.assertEqual(stream.headers[b"content-type"], b"text/html")

    def test_plainDirectResponse(self):
        routing = Routing()
        routing.route.kind = "direct_response"
        routing.route.directResponse = DirectResponse(200, b"hi")

        self.assertEqual(list(routing.request().headers), [b":status"])

    def test_nonForwarding(self):
        routing = Routing()
        routing.route.kind = "non_forwarding"

        stream = routing.request()

        self.assertEqual((stream.reply, stream.flags), ((503, b""), "NC"))


class RefusedTests(SynchronousTestCase):
    """Requests that never get to a host."""

    def test_maintenance(self):
        routing = Routing(runtime={"upstream.maintenance_mode.origin": 100})

        stream = routing.request()

        self.assertEqual(stream.reply, (503, b"maintenance mode"))
        self.assertEqual((stream.details, stream.flags), ("maintenance_mode", "UO"))
        self.assertEqual(stream.headers[b"x-envoy-overloaded"], b"true")
        self.assertEqual(routing.value("upstream_rq_maintenance_mode"), 1)
        self.assertEqual(routing.value("upstream_rq_503"), 1)
        self.assertEqual(stream.streamInfo.attemptCount, 0)

    def test_otherClustersWork(self):
        routing = Routing(runtime={"upstream.maintenance_mode.other": 100})

        routing.request()

        self.assertEqual(len(routing.asked), 1)

    def test_malformed(self):
        """strict_check_headers: a value that means nothing is a 400."""
        for name, bad, good in (
            ("x-envoy-max-retries", b"many", b"3"),
            ("x-envoy-upstream-rq-timeout-ms", b"1s", b"1000"),
            ("x-envoy-retry-on", b"5xx,foo", b"5xx, reset"),
            ("x-envoy-retry-grpc-on", b"5xx", b"internal"),
        ):
            routing = Routing({"strict_check_headers": [name]})

            stream = routing.request((name.encode(), bad))
            routing.request((name.encode(), good))
            routing.request()

            text = b"invalid header '%s' with value '%s'" % (name.encode(), bad)
            self.assertEqual(stream.reply, (400, text))
            self.assertEqual(stream.details, f"request_headers_failed_strict_check{{{name}}}")
            self.assertEqual(stream.flags, "IH")
            self.assertEqual(len(routing.asked), 2)


class NotForwardedTests(SynchronousTestCase):
    """Requests that filter state keeps here."""

    def test_kept(self):
        """Answered here; no host is asked and no pool is made."""
        routing = Routing()
        stream = routing.request(state={DEBUG_CONFIG: DebugConfig("true")})

        self.assertEqual((stream.reply, stream.flags), ((204, b""), ""))
        self.assertEqual(stream.headers[b"x-envoy-not-forwarded"], b"true")
        self.assertEqual((routing.asked, routing.cluster.poolArguments), ([], []))
        self.assertEqual(stream.streamInfo.attemptCount, 1)

    def test_others(self):
        """Another text, another kind of object: it goes on."""
        for value in (DebugConfig("True"), StringObject("true")):
            routing = Routing()
            routing.request(state={DEBUG_CONFIG: value})
            self.assertEqual(len(routing.asked), 1)

    def test_nobody(self):
        """Without a host there is nothing to keep it from."""
        routing = Routing()
        routing.cluster.chooseHost = lambda context: None
        stream = routing.request(state={DEBUG_CONFIG: DebugConfig("true")})
        self.assertEqual((stream.status, stream.flags), (503, "UH"))


class PoolTests(SynchronousTestCase):
    """Which pool is asked, and for what."""

    def test_arguments(self):
        routing = Routing()
        routing.route.priority = "high"
        routing.route.metadataMatch = {"a": 1}
        routing.route.hashPolicy = lambda headers, info: (7, b"c=1")

        stream = routing.request()
        routing.asked[0].answer(200)

        [(host, protocol, options, priority)] = routing.cluster.poolArguments
        [context] = routing.cluster.contexts
        self.assertIs(host, routing.cluster.hosts[0])
        self.assertEqual((protocol, priority), ("HTTP/1.1", "high"))
        self.assertIs(options, NO_OPTIONS)
        self.assertEqual((context.hashKey, context.metadataMatch), (7, {"a": 1}))
        self.assertEqual(stream.headers[b"set-cookie"], b"c=1")

    def test_noPool(self):
        """When no further pool is allowed there is nobody to ask."""
        routing = Routing()
        routing.cluster.httpPool = lambda *arguments: None

        stream = routing.request()

        self.assertEqual((stream.status, stream.flags), (503, "UH"))

    def test_connectIsTerminated(self):
        """CONNECT, and POST where it is allowed, go to the host's TCP pool."""
        for allowPost, method, terminated in (
            (False, b"CONNECT", True),
            (False, b"POST", False),
            (True, b"POST", True),
            (True, b"GET", False),
        ):
            routing = Routing()
            connect = SimpleNamespace(allowPost=allowPost, proxyProtocolVersion=None)
            routing.route.upgrades = {"connect": SimpleNamespace(connect=connect)}
            [host] = routing.cluster.hosts
            dialled = []
            host.tcpPool = lambda options, dialled=dialled: SimpleNamespace(
                connect=lambda factory: (
                    dialled.append(factory)
                    or SimpleNamespace(addCallbacks=lambda *both: None, cancel=None)
                )
            )

            routing.request(method=method, endStream=False)

            self.assertEqual(bool(dialled), terminated, (allowPost, method))
            self.assertEqual(bool(routing.asked), not terminated)


class HeaderTests(SynchronousTestCase):
    """What one host gets."""

    def test_autoHostRewrite(self):
        routing = Routing()
        routing.route.autoHostRewrite = routing.route.appendXForwardedHost = True

        routing.request()

        headers = routing.asked[0].encoder.headers
        self.assertEqual(headers[b":authority"], b"host0.test")
        self.assertEqual(headers[b"x-envoy-original-host"], b"example.test")
        self.assertEqual(headers[b"x-forwarded-host"], b"example.test")

    def test_sameHost(self):
        """A host that stays the same is kept all the same, behind those before it."""
        routing = Routing()
        routing.route.autoHostRewrite = routing.route.appendXForwardedHost = True
        routing.cluster.hosts[0].hostname = "example.test"

        routing.request((b"x-forwarded-host", b"first.test"))

        headers = routing.asked[0].encoder.headers
        self.assertEqual(headers[b"x-envoy-original-host"], b"example.test")
        forwarded = headers.every(b"x-forwarded-host")
        self.assertEqual(forwarded, [b"first.test,example.test"])

    def test_upgradeOverHTTP2(self):
        """An upgrade is extended CONNECT there, and its 200 is a 101 here."""
        routing = Routing()
        routing.cluster.protocol = "HTTP/2"
        stream = routing.request(
            (b"connection", b"Upgrade"), (b"upgrade", b"websocket"), endStream=False
        )
        stream.isTunnel = True
        routing.asked[0].answer(200, endStream=False)

        headers = routing.asked[0].encoder.headers
        self.assertEqual(headers[b":method"], b"CONNECT")
        self.assertEqual(headers[b":protocol"], b"websocket")
        self.assertEqual(stream.status, 101)
        self.assertEqual(stream.headers[b"upgrade"], b"websocket")

    def test_connectOverHTTP2(self):
        routing = Routing()
        routing.cluster.protocol = "HTTP/2"
        routing.request(method=b"CONNECT", endStream=False)

        self.assertNotIn(b":path", routing.asked[0].encoder.headers)

    def test_failedWebsocket(self):
        """A 2xx that is no 101 is passed on without its body."""
        routing = Routing()
        stream = routing.request(
            (b"connection", b"Upgrade"), (b"upgrade", b"websocket"), endStream=False
        )
        stream.isTunnel = True
        routing.asked[0].answer(200, b"body", ((b"a", b"b"), (b"content-type", b"x")))

        self.assertEqual(stream.reply, (200, b""))
        self.assertEqual(stream.details, "websocket_handshake_unsuccessful")
        self.assertEqual(stream.headers, HeaderMap(((b":status", b"200"), (b"a", b"b"))))

    def test_refusedWebsocket(self):
        routing = Routing()
        stream = routing.request(
            (b"connection", b"Upgrade"), (b"upgrade", b"websocket"), endStream=False
        )
        stream.isTunnel = True
        routing.asked[0].answer(403, b"no")

        self.assertEqual((stream.status, stream.body), (403, b"no"))
