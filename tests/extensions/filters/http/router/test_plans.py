"""Tests for router.plans: what is done plainly is what is done for everything else."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.router.support import Routing
from twisted_envoy.extensions.filters.http.router.plans import RoutePlan
from twisted_envoy.http.routes.direct_response import DirectResponse
from twisted_envoy.http.routes.virtual_clusters import VirtualClusters
from twisted_envoy.state.filter_state import Sharing, StringObject


class PlainRouting(Routing):
    """One whose route is as plain as can be."""

    def __init__(self, **given) -> None:
        super().__init__(**given)
        common = SimpleNamespace(maxStreamDuration=None)
        self.cluster.http = SimpleNamespace(
            settings=SimpleNamespace(common=common, serverNames=None),
            protocolFor=lambda downstream: downstream,
        )
        self.cluster.passesMetadata = self.cluster.sendsProxyHeader = False
        for host in self.cluster.hosts:
            host.plainPools = {}
        self.route.cluster = "origin"
        self.route.virtualHost.virtualClusters = VirtualClusters(())

    @property
    def plan(self) -> RoutePlan:
        settings = self.make().settings
        return settings.plans.get(self.route) or settings.planOf(self.route)


def told(routing: Routing, stream) -> tuple[object, ...]:
    """Everything that a request has left behind."""
    info = stream.streamInfo
    upstream = info.upstream
    asked = [(one.encoder.headers, one.encoder.body, one.encoder.ended) for one in routing.asked]
    values = {name: one.value for name, one in routing.stats.counters.items() if one.value}
    return (
        *(asked, values, stream.headers, stream.details, stream.flags, info.attemptCount),
        *(upstream.clusterName, upstream.hostsAttempted, upstream.connectionIDsAttempted),
        *(info.upstreamProtocol, stream.router.internal, stream.router.timeouts.total),
        [(one[1], one[2], one[3]) for one in routing.cluster.poolArguments],
        len(routing.reactor.getDelayedCalls()),
    )


class PlansTests(SynchronousTestCase):
    def both(self, *more: tuple[bytes, bytes], **given):
        """The same request sent plainly and not."""
        found = []
        for isPlain in (True, False):
            routing = PlainRouting()
            if not isPlain:
                routing.make().settings.plans[routing.route] = RoutePlan()
            self.assertEqual(routing.plan.isPlain, isPlain)
            stream = routing.request(*more, **given)
            if routing.asked:
                routing.asked[0].answer(200, b"ok")
            found.append(told(routing, stream))
        return found

    def test_same(self) -> None:
        """Requests come to the same, either way."""
        for more, given in (
            ((), {}),
            (((b"x-envoy-internal", b"true"),), {}),
            (((b"x-envoy-internal", b"false"),), {}),
            ((), {"method": b"POST", "body": b"hello"}),
            ((), {"method": b"HEAD"}),
            (((b"a", b"1"), (b"a", b"2")), {}),
            (((b"x-envoy-upstream-rq-timeout-ms", b"7"),), {}),
            (((b"x-envoy-upstream-alt-stat-name", b"x"),), {}),
        ):
            plainly, otherwise = self.both(*more, **given)
            self.assertEqual(plainly, otherwise, more)

    def test_noHost(self) -> None:
        """A cluster without hosts is said to be one."""
        for isPlain in (True, False):
            routing = PlainRouting(hosts=0)
            if not isPlain:
                routing.make().settings.plans[routing.route] = RoutePlan()
            stream = routing.request()
            self.assertEqual((stream.status, stream.flags), (503, "UH"))

    def test_pools(self) -> None:
        """The pool that is known is used, but not for what shares state."""
        routing = PlainRouting()
        routing.request()
        host = routing.cluster.hosts[0]
        host.plainPools["HTTP/1.1 default"] = routing.cluster.httpPool(host, "", None, "")
        routing.cluster.poolArguments.clear()
        routing.request()
        self.assertEqual(routing.cluster.poolArguments, [])
        routing.request(state={"a": StringObject("v")})
        self.assertEqual(len(routing.cluster.poolArguments), 1)
        stream = routing.request()
        stream.connection.streamInfo.filterState.set("a", StringObject("v"), sharing=Sharing.ONCE)
        self.assertEqual(len(routing.cluster.poolArguments), 1)

    def test_notPlain(self) -> None:
        """A route that says anything else has no plan."""
        for name, value in (
            *(("hashPolicy", len), ("mirrors", (1,)), ("internalRedirect", 1), ("cluster", "")),
            *(("maxGrpcTimeout", 1.0), ("maxStreamDuration", 1.0), ("upgrades", {"a": 1})),
            *(("includeAttemptCountRequest", True), ("kind", "redirect"), ("cluster", "other")),
            ("retryPolicy", SimpleNamespace(on=1)),
        ):
            routing = PlainRouting()
            setattr(routing.route, name, value)
            self.assertFalse(routing.plan.isPlain, name)
        routing = PlainRouting()
        routing.cluster.http = None
        self.assertFalse(routing.plan.isPlain)

    def test_manyRoutes(self) -> None:
        """Plans are not kept for ever for routes that are gone."""
        routing = PlainRouting()
        settings = routing.make().settings
        for _ in range(2000):
            settings.planOf(routing.route.copy())
        self.assertLess(len(settings.plans), 1100)


class ReplyTests(SynchronousTestCase):
    """Direct responses that are the same for all."""

    def ask(self, response, *more, method=b"GET", plainly=True):
        routing = PlainRouting()
        routing.repliesPlainly = plainly
        routing.route.kind = "direct_response"
        routing.route.directResponse = response
        stream = routing.request(*more, method=method)
        self.assertEqual(routing.value("http.hcm.rq_direct_response"), 1)
        self.assertEqual(stream.details, "direct_response")
        return stream

    def test_atOnce(self) -> None:
        """Headers and body are ready; each request has headers of its own."""
        for body, more in (
            (b"hi", {b"content-length": b"2", b"content-type": b"text/plain"}),
            (b"", {}),
        ):
            stream = self.ask(DirectResponse(200, body))
            self.assertIsNone(stream.reply)
            self.assertEqual((stream.headers, stream.body), ({b":status": b"200", **more}, body))

    def test_otherwise(self) -> None:
        """What may change a reply is asked."""
        json = DirectResponse(200, b"{}")
        json.contentType = b"application/json"
        for response, given in (
            *((DirectResponse(201, b"hi"), {}), (json, {}), (DirectResponse(404, b"no"), {})),
            *((DirectResponse(200, b"hi"), one) for one in ({"method": b"HEAD"}, {"plainly": 0})),
        ):
            self.assertIsNotNone(self.ask(response, **given).reply)
        stream = self.ask(DirectResponse(200, b"hi"), (b"content-type", b"application/grpc"))
        self.assertIsNotNone(stream.reply)
