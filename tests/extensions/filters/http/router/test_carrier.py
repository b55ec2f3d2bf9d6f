"""Requests that are carried, beside the same ones in streams."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.extensions.filters.http.router.carrying import (
    DATE,
    GET,
    OK,
    WARMING,
    CarrierCase,
    Scene,
    VaryingScene,
    maskedIDs,
)
from tests.http.manager import PROXIED, address
from tests.http.records import logs
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.testing import MemoryEnvoy

SOME = {"default_value": {"numerator": 100}, "runtime_key": "some"}
ID = {"name": "X-Request-ID", "present_match": True}


def typed(folder: str, kind: str, **config: Any) -> dict[str, Any]:
    """The config of an HTTP filter."""
    where = f"type.googleapis.com/envoy.extensions.filters.http.{folder}.v3.{kind}"
    return {"@type": where, **config}


_TAG = {"append": {"header": {"key": "a", "value": "b"}}}
BUSY = {
    "name": "m",
    "typed_config": typed(
        "header_mutation", "HeaderMutation", mutations={"response_mutations": [_TAG]}
    ),
}


class CarriedTests(CarrierCase):
    """Whole answers."""

    def test_same(self) -> None:
        """What each side gets and what is counted is the same."""
        received, carried, became = self.both(lambda scene: scene.warm(8))

        self.assertEqual(received.count(b"hello"), 8)
        self.assertGreater(carried, 4)
        self.assertEqual(became, WARMING)

    def test_time(self) -> None:
        """The time that the upstream took is told and counted."""

        def play(scene: Scene) -> None:
            scene.warm()
            for seconds in (0.5, 0.0, 0.5, 2.0, 0.001):
                scene.ask()
                scene.envoy.advance(seconds)
                scene.answer(OK)

        received, carried, _ = self.both(play)
        self.assertEqual(received.count(b"x-envoy-upstream-service-time: 500\r\n"), 2)
        self.assertGreater(carried, 4)

    def test_statuses(self) -> None:
        """What is not 200 takes a stream, and soon nobody tries to carry it."""

        def play(scene: Scene) -> None:
            for status in (b"404 Not Found", b"503 Service Unavailable", b"301 Moved Permanently"):
                scene.warm(30, OK.replace(b"200 OK", status))
            scene.warm(70)

        _, carried, became = self.both(play)
        self.assertLess(became, 12)
        self.assertGreater(carried, 4)

    def test_ownID(self) -> None:
        """A request's own x-request-id is kept."""

        def play(scene: Scene) -> None:
            for _ in range(6):
                scene.ask(GET[:-2] + b"x-request-id: mine\r\n\r\n")
                scene.answer(OK)

        self.assertGreater(self.both(play)[1], 2)

    def test_atTheEdge(self) -> None:
        """What the edge says of clients is said in each request."""
        for manager in (
            {"use_remote_address": True, "via": "me", "server_name": "you"},
            {"generate_request_id": False},
            {"server_header_transformation": "PASS_THROUGH"},
        ):
            self.assertGreater(self.both(lambda scene: scene.warm(6), **manager)[1], 2)

    def test_answersThatTell(self) -> None:
        """Answers of which something depends on more are passed on in streams."""
        for answer in (
            OK.replace(DATE, b""),
            OK.replace(DATE, DATE + b"x-envoy-upstream-canary: true\r\n"),
            OK.replace(DATE, DATE + b"set-cookie: a\r\nset-cookie: b\r\n"),
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" + OK,
        ):
            received, carried, _ = self.both(lambda scene: scene.warm(5, answer))  # noqa: B023
            self.assertEqual(carried, 0, answer)
            self.assertEqual(received.count(b"HTTP/1.1 2"), 5, answer)

    def test_requestsThatTell(self) -> None:
        """So are requests that ask for something, or have a body."""
        for head in (
            GET[:-2] + b"connection: close\r\n\r\n",
            GET[:-2] + b"expect: 100-continue\r\n\r\n",
            b"POST" + GET[3:-2] + b"content-length: 2\r\n\r\nok",
        ):

            def play(scene: Scene) -> None:
                for _ in range(5):
                    scene.ask(head)  # noqa: B023
                    scene.answer(OK)

            self.assertEqual(self.both(play)[1], 0, head)

    def test_asked(self) -> None:
        """What only internal clients may ask for is not asked; of others it is obeyed."""
        names = (b"x-envoy-upstream-rq-timeout-ms: 5", b"x-envoy-retry-on: 5xx")
        inside = {
            "use_remote_address": True,
            "internal_address_config": {
                "cidr_ranges": [{"address_prefix": "127.0.0.0", "prefix_len": 8}]
            },
        }
        for name in names:

            def play(scene: Scene) -> None:
                for _ in range(5):
                    scene.ask(GET[:-2] + name + b"\r\n\r\n")  # noqa: B023
                    scene.envoy.advance(0.001)
                    scene.answer(OK)

            self.assertGreater(self.both(play)[1], 0)
            self.assertEqual(self.both(play, **inside)[1], 0)

    def test_configsThatTell(self) -> None:
        """So are all where the config has a say."""
        route = PROXIED["route"]
        for routes in (
            [{**PROXIED, "route": {**route, "retry_policy": {"retry_on": "5xx"}}}],
            [{**PROXIED, "route": {**route, "auto_host_rewrite": True}}],
            [{**PROXIED, "route": {**route, "prefix_rewrite": "/b"}}],
            [{**PROXIED, "route": {**route, "idle_timeout": "5s"}}],
            [{**PROXIED, "route": {**route, "max_stream_duration": {}}}],
            [{**PROXIED, "match": {"prefix": "/", "runtime_fraction": SOME}}, PROXIED],
            [{**PROXIED, "match": {"prefix": "/", "headers": [ID]}}, PROXIED],
            [{**PROXIED, "response_headers_to_remove": ["date"]}],
        ):
            self.assertEqual(self.both(lambda scene: scene.warm(5), routes)[1], 0, routes)
        for manager in (
            {"request_timeout": "5s"},
            {"always_set_request_id_in_response": True, "generate_request_id": False},
            {"common_http_protocol_options": {"max_requests_per_connection": 9}},
        ):
            self.assertEqual(self.both(lambda scene: scene.warm(5), **manager)[1], 0, manager)

    def test_neverKnown(self) -> None:
        """Where the upstream's codec keeps no such head, it is made each time."""

        def play(scene: Scene) -> None:
            for _ in range(80):
                scene.ask(b"POST" + GET[3:])
                scene.answer(OK)

        self.assertGreater(self.both(play)[1], 70)

    def test_routes(self) -> None:
        """Of many routes it is the one of the path, in the virtual host of the name."""
        routes = [{"match": {"prefix": "/b"}, "redirect": {"path_redirect": "/a"}}, PROXIED]
        hosts = [
            {"name": "one", "domains": ["a.test"], "routes": routes},
            {"name": "all", "domains": ["*"], "routes": [{**PROXIED, "match": {"path": "/a"}}]},
        ]

        def play(scene: Scene) -> None:
            scene.warm(6)
            for _ in range(5):
                scene.ask(GET.replace(b"/a", b"/b"))
            for _ in range(5):
                scene.ask(GET.replace(b"a.test", b"b.test"))
                scene.answer(OK)

        received, carried, _ = self.both(play, route_config={"virtual_hosts": hosts})
        self.assertEqual(received.count(b"hello"), 11)
        self.assertEqual(received.count(b"301 Moved"), 5)
        self.assertGreater(carried, 5)

    def test_routesThatAsk(self) -> None:
        """Routes may ask for anything that the head says."""
        asked = ({"headers": [{"name": "a"}]}, {"query_parameters": [{"name": "a"}]}, {"grpc": {}})
        routes = [{**PROXIED, "match": {"prefix": "/", **each}, "name": "no"} for each in asked]
        regex = {"safe_regex": {"regex": "/[a-c]"}}

        self.assertGreater(self.both(lambda scene: scene.warm(5), [*routes, PROXIED])[1], 0)
        routes.append({**PROXIED, "match": regex, "name": "yes"})
        self.assertGreater(self.both(lambda scene: scene.warm(5), routes)[1], 0)

    def test_idleFilters(self) -> None:
        """Filters that have nothing to do with a request are not asked; others are."""
        cors = {"allow_origin_string_match": [{"exact": "b.test"}]}
        policy = {"c": typed("cors", "CorsPolicy", **cors)}
        routes = [{**PROXIED, "typed_per_filter_config": policy}]
        idle = [
            {"name": "c", "typed_config": typed("cors", "Cors")},
            {"name": "fault", "typed_config": typed("fault", "HTTPFault")},
            {"name": "buffer", "typed_config": typed("buffer", "Buffer", max_request_bytes=9)},
            {"name": "rbac", "typed_config": typed("rbac", "RBAC")},
        ]
        self.assertGreater(self.both(lambda scene: scene.warm(5), routes, idle)[1], 2)

        def play(scene: Scene) -> None:
            for _ in range(5):
                scene.ask(GET[:-2] + b"origin: b.test\r\n\r\n")
                scene.answer(OK)

        received, carried, _ = self.both(play, routes, idle)
        self.assertEqual((received.count(b"access-control-allow-origin"), carried), (5, 0))
        received, carried, _ = self.both(lambda scene: scene.warm(5), routes, [*idle, BUSY])
        self.assertEqual((received.count(b"\r\na: b\r\n"), carried), (5, 0))

    def test_disabledFilters(self) -> None:
        """A filter that is switched off, for all or by the route, is not asked."""
        off = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}
        routes = [{**PROXIED, "typed_per_filter_config": {"m": off}}]
        self.assertGreater(self.both(lambda scene: scene.warm(5), routes, [BUSY])[1], 2)
        disabled = [{**BUSY, "disabled": True}]
        self.assertGreater(self.both(lambda scene: scene.warm(5), [PROXIED], disabled)[1], 2)


class RecordedTests(CarriedTests):
    """The same, with everything in the logs."""

    logs = logs()

    def test_beginnings(self) -> None:
        """Who wants to know when a request begins sees it in a stream."""
        options = {"access_log_options": {"flush_access_log_on_new_request": True}}
        self.assertEqual(self.both(lambda scene: scene.warm(5), **options)[1], 0)

    def test_filtered(self) -> None:
        """Records may be chosen by what they say."""
        value = {"default_value": 400, "runtime_key": "x"}
        filter = {"status_code_filter": {"comparison": {"op": "GE", "value": value}}}
        log = [{**one, "filter": filter} for one in logs()]
        self.assertGreater(self.both(lambda scene: scene.warm(5), access_log=log)[1], 0)


class VaryingTests(CarriedTests):
    """The same of requests of which no two are alike."""

    scene = VaryingScene


class RecordedVaryingTests(RecordedTests):
    """The same with everything in the logs."""

    scene = VaryingScene


HOSTS = ("127.0.0.1:9001", "127.0.0.1:9002", "127.0.0.1:9003")


class HostsScene(VaryingScene):
    """The upstream has several hosts."""

    def __init__(self, envoy: MemoryEnvoy) -> None:
        super().__init__(envoy)
        self.origins = [envoy.listen(host) for host in HOSTS]

    def connections(self) -> list[Any]:
        """All that are made to them."""
        return [connection for origin in self.origins for connection in origin.connections]

    def answer(self, *pieces: bytes) -> None:
        """Whoever was asked answers."""
        for connection in self.connections():
            asked = connection.received.count(b"\r\n\r\n")
            if self.answers.get(connection, 0) < asked:
                self.answers[connection] = asked
                connection.write(b"".join(pieces))
        self.envoy.settle()

    def warm(self, times: int = 4, answer: bytes = OK) -> None:
        self.answers: dict[Any, int] = getattr(self, "answers", {})
        super().warm(times, answer)

    def told(self) -> tuple[Any, ...]:
        """The same, and what each of them got."""
        received = [maskedIDs(one.received) for one in self.connections()]
        return (*super().told(), received)


class HostsTests(CarrierCase):
    """A cluster of several hosts."""

    scene = HostsScene
    logs = logs()

    def cluster(self, **more: Any) -> dict[str, Any]:
        """One of those hosts."""
        endpoints = [{"endpoint": {"address": address(host)}} for host in HOSTS]
        load = {"cluster_name": "origin", "endpoints": [{"lb_endpoints": endpoints}]}
        return {"load_assignment": load, **more}

    def test_inTurn(self) -> None:
        """Each is asked in its turn, whether or not a stream is needed."""
        _, carried, _ = self.both(lambda scene: scene.warm(20), [PROXIED], None, self.cluster())
        self.assertGreater(carried, 12)

    def test_leastRequests(self) -> None:
        """Other policies choose, too."""
        for policy in ("LEAST_REQUEST", "RANDOM"):
            cluster = self.cluster(lb_policy=policy)
            _, carried, _ = self.both(lambda scene: scene.warm(40), [PROXIED], None, cluster)
            self.assertGreater(carried, 20)

    def test_hashed(self) -> None:
        """One that looks at requests sees each."""
        cluster = self.cluster(lb_policy="RING_HASH")
        _, carried, _ = self.both(lambda scene: scene.warm(9), [PROXIED], None, cluster)
        self.assertEqual(carried, 0)

    def test_watched(self) -> None:
        """What the hosts answer is told to those who watch them."""
        detection = {"outlier_detection": {"consecutive_5xx": 2, "interval": "1s"}}

        def play(scene: Scene) -> None:
            scene.warm(12)
            scene.envoy.advance(1.1)
            scene.warm(3, OK.replace(b"200 OK", b"500 Sorry"))
            scene.warm(6)
            scene.warm(6, OK.replace(b"200 OK", b"500 Sorry"))
            scene.envoy.advance(1.1)
            scene.warm(12)

        _, carried, _ = self.both(play, [PROXIED], None, self.cluster(**detection))
        self.assertGreater(carried, 5)


class SecuredTests(CarrierCase):
    """Clients that speak TLS."""

    def test_secured(self) -> None:
        """A request that came over TLS says so."""
        self.patch(StreamInfo, "tls", SimpleNamespace(applicationProtocol=""))
        schemes = []

        def play(scene: Scene) -> None:
            scene.warm(6)
            schemes.append(scene.origin.connections[0].received.count(b"-proto: https\r\n"))

        self.assertGreater(self.both(play)[1], 2)
        self.assertEqual(schemes, [6, 6])
