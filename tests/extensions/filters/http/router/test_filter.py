"""Tests for the router."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, listener, logTo, typed
from tests.extensions.filters.http.router.support import Routing
from tests.upstream.health.memory import ILL, OK, HTTPOrigin
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.testing import MemoryEnvoy


class ForwardTests(SynchronousTestCase):
    """What goes up and what comes back."""

    def test_getGoesUpAndComesBack(self):
        """A request without a body goes up at once; the answer passes with its service time."""
        routing = Routing()

        stream = routing.request()
        [asked] = routing.asked
        routing.reactor.advance(0.012)
        asked.answer(200, b"hello", ((b"a", b"b"),))

        self.assertTrue(asked.encoder.ended)
        self.assertEqual(asked.encoder.headers[b"x-envoy-expected-rq-timeout-ms"], b"15000")
        self.assertEqual(stream.status, 200)
        self.assertEqual(stream.headers[b"a"], b"b")
        self.assertEqual(stream.headers[b"x-envoy-upstream-service-time"], b"12")
        self.assertEqual(stream.body, b"hello")
        self.assertIs(stream.ended, True)
        self.assertEqual(stream.streamInfo.responseCodeDetails, "via_upstream")
        self.assertEqual(routing.value("http.hcm.rq_total"), 1)
        self.assertEqual(routing.value("upstream_rq_200"), 1)
        self.assertEqual(routing.value("external.upstream_rq_2xx"), 1)
        self.assertEqual(routing.cluster.hosts[0].stats.rq_success.value, 1)
        self.assertEqual(routing.reactor.getDelayedCalls(), [])

    def test_bodyAndTrailersGoBothWays(self):
        """Data and trailers pass in order, in both directions."""
        routing = Routing()

        stream = routing.request(method=b"POST", endStream=False)
        router = stream.router
        router.decodeData(b"one", False)
        stream.requestTrailers = HeaderMap(((b"t", b"1"),))
        router.decodeTrailers(stream.requestTrailers)
        [asked] = routing.asked
        asked.answer(200, b"two", endStream=False)
        asked.decoder.decodeTrailers(HeaderMap(((b"r", b"2"),)))

        self.assertEqual(asked.encoder.body, b"one")
        self.assertEqual(asked.encoder.trailers[b"t"], b"1")
        self.assertEqual(stream.body, b"two")
        self.assertEqual(stream.trailers[b"r"], b"2")

    def test_bodyWaitsForThePool(self):
        """What comes before the pool has a stream is kept, and reading stops over the limit."""
        routing = Routing()
        routing.cluster.waits = True

        stream = routing.request(method=b"POST", endStream=False)
        stream.router.decodeData(b"a" * 900, False)
        shutBefore = stream.reading.paused
        stream.router.decodeData(b"b" * 200, True)
        shutAfter = stream.reading.paused
        [asked] = routing.asked
        asked.ready()

        self.assertEqual((shutBefore, shutAfter, stream.reading.paused), (0, 1, 0))
        self.assertEqual(asked.encoder.body, b"a" * 900 + b"b" * 200)
        self.assertTrue(asked.encoder.ended)


class FailureTests(SynchronousTestCase):
    """What a client is told."""

    def test_noRoute(self):
        routing = Routing()
        routing.route = None

        stream = routing.request()

        self.assertEqual(stream.reply, (404, b""))
        self.assertEqual((stream.details, stream.flags), ("route_not_found", "NR"))
        self.assertEqual(routing.value("http.hcm.no_route"), 1)

    def test_noCluster(self):
        routing = Routing()
        routing.clusters.clear()

        stream = routing.request()

        self.assertEqual(stream.reply, (503, b""))
        self.assertEqual((stream.details, stream.flags), ("cluster_not_found", "NC"))
        self.assertEqual(routing.value("http.hcm.no_cluster"), 1)

    def test_noHost(self):
        routing = Routing(hosts=0)

        stream = routing.request()

        self.assertEqual(stream.reply, (503, b"no healthy upstream"))
        self.assertEqual((stream.details, stream.flags), ("no_healthy_upstream", "UH"))
        self.assertEqual(routing.value("upstream_rq_503"), 1)

    def test_connectRefused(self):
        """A pool's failure is a 503 whose details have the transport's reason."""
        routing = Routing()
        routing.cluster.failures = [
            (Reset.REMOTE_CONNECTION_FAILURE, "delayed_connect_error:_Connection_refused")
        ]

        stream = routing.request()

        self.assertEqual(
            stream.reply,
            (
                503,
                b"upstream connect error or disconnect/reset before headers. "
                b"reset reason: remote connection failure",
            ),
        )
        self.assertEqual(
            stream.details,
            "upstream_reset_before_response_started{remote_connection_failure|"
            "delayed_connect_error:_Connection_refused}",
        )
        self.assertEqual(stream.flags, "UF")
        self.assertEqual(routing.reactor.getDelayedCalls(), [])

    def test_overflow(self):
        """A circuit breaker's refusal says x-envoy-overloaded."""
        routing = Routing()
        routing.cluster.failures = [(Reset.OVERFLOW, "")]

        stream = routing.request()

        self.assertEqual((stream.status, stream.flags), (503, "UO"))
        self.assertEqual(stream.headers[b"x-envoy-overloaded"], b"true")

    def test_garbageIs502(self):
        routing = Routing()

        stream = routing.request()
        routing.asked[0].reset(Reset.PROTOCOL_ERROR)

        self.assertEqual((stream.status, stream.flags), (502, "UPE"))

    def test_resetAfterHeaders(self):
        """An answer that cannot be finished resets the stream."""
        routing = Routing()

        stream = routing.request()
        routing.asked[0].answer(200, b"x", endStream=False)
        routing.asked[0].reset()

        self.assertEqual(stream.ended, "reset")
        self.assertEqual(
            stream.details, "upstream_reset_after_response_started{connection_termination}"
        )
        self.assertEqual(stream.flags, "UC")


class AttemptedTests(SynchronousTestCase):
    """What a log says of attempts, over more than one host; observed on Envoy 1.40."""

    def logged(self, *answers):
        """The line of a request that is tried once more; None is a host that refuses."""
        policy = {"retry_on": "5xx,connect-failure"}
        routes = [{"match": {"prefix": "/"}, "route": {"cluster": "c", "retry_policy": policy}}]
        kind = "filters.network.http_connection_manager.v3.HttpConnectionManager"
        fields = "HOSTS_ATTEMPTED", "HOST", "CONNECTION_IDS_ATTEMPTED", "PROTOCOL", "REMOTE_ADDRESS"
        http = typed(
            "http",
            kind,
            stat_prefix="h",
            access_log=logTo("/log", " ".join(f"%UPSTREAM_{field}%" for field in fields)),
            route_config={"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": routes}]},
            http_filters=[typed("router", "filters.http.router.v3.Router")],
        )
        addresses = [f"10.0.0.{number}:1" for number in range(1, len(answers) + 1)]
        listeners = [listener("l", "127.0.0.1:9000", http)]
        envoy = MemoryEnvoy(bootstrap(listeners, [cluster("c", *addresses)]), random=FirstHost())
        for address, answer in zip(addresses, answers, strict=True):
            if answer is not None:
                envoy.listen(address, HTTPOrigin(answer))
        client = envoy.connect("l")
        client.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        envoy.advance(1)
        (line,) = envoy.logs.lines("/log")
        return line

    def test_last(self):
        """Only the last attempt is there, and nothing of a connection when it had none."""
        self.assertEqual(self.logged(ILL, OK), "10.0.0.2:1 10.0.0.2:1 3 HTTP/1.1 10.0.0.2:1")
        self.assertEqual(self.logged(ILL, None), "- 10.0.0.2:1 - - -")


class FirstHost(Random):
    """Balancers begin with the first host."""

    def randrange(self, *args):
        return 0
