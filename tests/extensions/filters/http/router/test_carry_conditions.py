"""What keeps a request from being carried: with each, it is as in a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.codec.h2.bytesof import SETTINGS
from tests.extensions.filters.http.router.carrying import (
    DATE,
    GET,
    HTTP2_CLUSTER,
    OK,
    WARMING,
    CarrierCase,
    Scene,
    UpstreamScene,
    VaryingHTTP2Scene,
    VaryingScene,
)
from tests.extensions.filters.http.router.test_carrier import HOSTS, HostsScene, typed
from tests.http.manager import PROXIED, address
from tests.http.records import logs
from tests.switches import REFERENCE_CODEC
from twisted_envoy.http.server_connection import ServerConnection
from twisted_envoy.state.filter_state import FilterState
from twisted_envoy.state.stream_info import StreamInfo

ROUTE = PROXIED["route"]
ADDED = [{"header": {"key": "x-added", "value": "yes"}}]
VIRTUAL_HOST = {"name": "all", "domains": ["*"], "routes": [PROXIED]}
MAINTENANCE = "upstream.maintenance_mode.origin"


def router(**config: Any) -> dict[str, Any]:
    """The config of a router, which is the last filter."""
    return {"name": "router", "typed_config": typed("router", "Router", **config)}


class ConditionTests(CarrierCase):
    """Requests with heads that come again."""

    def none(self, *arguments: Any, **manager: Any) -> bytes:
        """Nothing is carried, and so it is the same; gives what the client got."""
        received, carried, became = self.both(lambda scene: scene.warm(5), *arguments, **manager)
        self.assertEqual((carried, became), (0, 0))
        said: bytes = received
        return said

    def some(self, *arguments: Any, **manager: Any) -> bytes:
        """Requests are carried, and yet it is the same."""
        received, carried, _ = self.both(lambda scene: scene.warm(6), *arguments, **manager)
        self.assertGreater(carried, 2)
        said: bytes = received
        return said

    def test_responseEdits(self) -> None:
        """Headers that a route, a virtual host or the whole config adds to answers."""
        edits = {"response_headers_to_add": ADDED}
        for config in (
            {"virtual_hosts": [{**VIRTUAL_HOST, "routes": [{**PROXIED, **edits}]}]},
            {"virtual_hosts": [{**VIRTUAL_HOST, **edits}]},
            {"virtual_hosts": [VIRTUAL_HOST], **edits},
        ):
            said = self.none(route_config=config)
            self.assertEqual(said.count(b"x-added: yes\r\n"), 5)

    def test_times(self) -> None:
        """Times of attempts and of streams."""
        for policy in ({"per_try_timeout": "5s"}, {"per_try_idle_timeout": "5s"}):
            self.none([{**PROXIED, "route": {**ROUTE, "retry_policy": policy}}])
        for times in ({"idle_timeout": "5s"}, {"max_stream_duration": {}}):
            self.none([{**PROXIED, "route": {**ROUTE, **times}}])
        self.none(request_timeout="5s")
        options = {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http_protocol_options": {}},
            "common_http_protocol_options": {"max_stream_duration": "5s"},
        }
        name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        self.none([PROXIED], None, {"typed_extension_protocol_options": {name: options}})

    def test_timeComes(self) -> None:
        """They end requests."""
        for policy in ({"per_try_timeout": "2s"}, {"per_try_idle_timeout": "2s"}):

            def play(scene: Scene) -> None:
                scene.warm(5)
                scene.ask()
                scene.envoy.advance(2.1)

            routes = [{**PROXIED, "route": {**ROUTE, "retry_policy": policy}}]
            self.assertIn(b"504 Gateway", self.both(play, routes)[0])

    def test_wishes(self) -> None:
        """The config gives requests a wish."""
        wish = {"header": {"key": "x-envoy-upstream-rq-timeout-ms", "value": "5"}}
        mutation = {
            "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation"
            ".header_mutation.v3.HeaderMutation",
            "mutations": [{"append": wish}],
        }
        extension = [{"name": "early", "typed_config": mutation}]
        inside = {
            "use_remote_address": True,
            "internal_address_config": {
                "cidr_ranges": [{"address_prefix": "127.0.0.0", "prefix_len": 8}]
            },
        }

        def play(scene: Scene) -> None:
            scene.warm(5)
            scene.ask()
            scene.envoy.advance(0.1)
            scene.answer(OK)

        for manager in ({}, inside):
            self.both(play, early_header_mutation_extensions=extension, **manager)

    def test_maintenance(self) -> None:
        """A cluster that is out of order by the runtime, from one request to the next."""

        def play(scene: Scene) -> None:
            values = scene.envoy.server.runtime.values
            scene.warm(5)
            values[MAINTENANCE] = 100
            scene.ask()
            scene.ask()
            del values[MAINTENANCE]
            scene.warm(3)

        received, carried, _ = self.both(play)
        self.assertEqual(received.count(b"503 Service Unavailable"), 2)
        self.assertGreater(carried, 4)

    def test_state(self) -> None:
        """Connections that have filter state, or have come over hops in this process."""
        patched = self.patch(StreamInfo, "state", FilterState())
        self.none()
        patched.restore()
        made = ServerConnection.connectionMade

        def afar(connection: ServerConnection) -> None:
            made(connection)
            connection.hops = 1

        self.patch(ServerConnection, "connectionMade", afar)
        self.none()

    def test_drains(self) -> None:
        """The connection becomes too old while the answer is on its way: it says so."""

        def play(scene: Scene) -> None:
            scene.warm(5)
            scene.ask()
            scene.envoy.advance(2.1)
            scene.answer(OK)
            scene.envoy.advance(7)

        options = {"max_connection_duration": "2s"}
        received, _, became = self.both(play, common_http_protocol_options=options)
        self.assertEqual(received.count(b"connection: close\r\n"), 1)
        self.assertEqual(became, WARMING + 1)

    def test_routerOptions(self) -> None:
        """Statistics and headers that nobody wants."""
        for options in ({"dynamic_stats": False}, {"suppress_envoy_headers": True}):
            self.some(http_filters=[router(**options)])
        self.none(http_filters=[router(upstream_log=logs())])
        strict = {"strict_check_headers": ["x-envoy-max-retries"]}
        self.none(http_filters=[router(**strict)])

    def test_failingFast(self) -> None:
        """A host says that it is not well."""
        unwell = OK.replace(DATE, DATE + b"x-envoy-immediate-health-check-fail: true\r\n")
        check = {
            "timeout": "1s",
            "interval": "2s",
            "no_traffic_interval": "1s",
            "unhealthy_threshold": 1,
            "healthy_threshold": 1,
            "tcp_health_check": {},
        }

        def play(scene: Scene) -> None:
            scene.envoy.advance(1.5)  # and it is well
            scene.warm(5)
            well = []
            for count in range(8):  # its connections end with the first; it is asked in panic
                if count == 6:
                    scene.envoy.advance(2.5)  # and it is well again
                scene.ask()
                asked = [one for one in scene.origin.connections if not one.ended][-1]
                asked.write(unwell)
                scene.envoy.settle()
                well.append(scene.envoy.stat("cluster.origin.membership_healthy"))
            self.assertEqual(well, [0] * 8)

        self.assertGreater(self.both(play, [PROXIED], None, {"health_checks": [check]})[1], 6)

    def test_connected(self) -> None:
        """A request that is sent is one that the host took, for outlier detection."""
        detection = {
            "consecutive_local_origin_failure": 2,
            "split_external_local_origin_errors": True,
            "interval": "1s",
        }

        def play(scene: Scene) -> None:
            scene.warm(4)
            other = scene.envoy.connect("web")
            origins = scene.origin.connections
            for _ in range(4):
                scene.ask()
                other.write(GET)
                scene.envoy.settle()
                for one in origins:
                    one.write(OK)
                scene.envoy.settle()
            other.write(GET)
            scene.ask()
            assert len(origins) == 2
            origins[0].abortConnection()
            scene.envoy.settle()
            origins[1].write(OK)
            scene.envoy.settle()
            scene.ask()
            origins[1].abortConnection()
            scene.envoy.settle()

        self.both(play, [PROXIED], None, {"outlier_detection": detection})

    def test_forwarded(self) -> None:
        """Who the client is, in the record of what becomes a stream."""
        head = GET[:-2] + b"x-forwarded-for: 192.0.2.9\r\n\r\n"

        def play(scene: Scene) -> None:
            for answer in (*[(OK,)] * 6, (OK[:-2], OK[-2:]), (OK.replace(b"08", b"09"),)):
                scene.ask(head)
                scene.answer(*answer)

        trust = {"use_remote_address": True, "xff_num_trusted_hops": 1}
        _, carried, became = self.both(play, access_log=logs(), **trust)
        self.assertGreater(carried, 0)
        self.assertGreater(became, WARMING)
        _, carried, _ = self.both(play, access_log=logs())  # where they are asked who they are
        self.assertEqual(carried, 0)

    def test_answers(self) -> None:
        """Answers that say something of their connection, or many things by one name."""
        for line in (b"connection: keep-alive\r\n", b"x-a: b\r\nx-a: c\r\n", b"x-a: b\r\n"):
            received, _, _ = self.both(
                lambda scene: scene.warm(5, OK.replace(DATE, DATE + line))  # noqa: B023
            )
            self.assertEqual(received.count(b"hello"), 5)

    def test_manyValues(self) -> None:
        """A request that says many things by one name."""
        head = GET[:-2] + b"cookie: a=b\r\nx-a: b\r\nx-a: c\r\n\r\n"

        def play(scene: Scene) -> None:
            for _ in range(5):
                scene.ask(head)
                scene.answer(OK)

        self.assertEqual(self.both(play)[0].count(b"hello"), 5)

    def test_ownReplies(self) -> None:
        """Answers that the config maps, records of beginnings, and requests that are counted."""
        mapper = {
            "filter": {
                "status_code_filter": {
                    "comparison": {"op": "EQ", "value": {"default_value": 503, "runtime_key": "k"}}
                }
            },
            "status_code": 504,
        }
        self.none(local_reply_config={"mappers": [mapper]})
        self.none(proxy_status_config={})
        self.none(common_http_protocol_options={"max_requests_per_connection": 9})


class VaryingConditionTests(ConditionTests):
    """The same of requests of which no two are alike."""

    scene = VaryingScene


class SameHostsScene(HostsScene):
    """Several hosts, and heads that come again."""

    ask: Callable[..., None] = Scene.ask


class HostTests(CarrierCase):
    """Clusters of several hosts."""

    scene: type[Scene] = SameHostsScene
    logs = logs()

    def hosts(self, **more: Any) -> dict[str, Any]:
        """A cluster of them."""
        endpoints = [{"endpoint": {"address": address(host)}} for host in HOSTS]
        load = {"cluster_name": "origin", "endpoints": [{"lb_endpoints": endpoints}]}
        return {"load_assignment": load, **more}

    def test_recorded(self) -> None:
        """Each record names the host that was asked."""
        log = {
            "name": "log",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3"
                ".FileAccessLog",
                "path": "log",
                "log_format": {"text_format_source": {"inline_string": "%UPSTREAM_HOST%\n"}},
            },
        }
        said = []

        def play(scene: Scene) -> None:
            scene.warm(20)
            said.append(scene.told()[-2])

        _, carried, _ = self.both(play, [PROXIED], None, self.hosts(), access_log=[log])
        self.assertGreater(carried, 8)
        self.assertEqual(said[0], said[1])

    def test_watched(self) -> None:
        """Outlier detection hears of each connection and answer."""
        detection = {
            "consecutive_5xx": 3,
            "consecutive_local_origin_failure": 2,
            "split_external_local_origin_errors": True,
            "interval": "1s",
        }

        def play(scene: Scene) -> None:
            scene.warm(12)
            scene.envoy.advance(1.1)
            scene.warm(9)
            for connection in scene.connections():  # type: ignore[attr-defined]
                connection.loseConnection()
            scene.envoy.settle()
            scene.warm(9)
            scene.envoy.advance(1.1)

        self.both(play, [PROXIED], None, self.hosts(outlier_detection=detection))


class VaryingHostTests(HostTests):
    """The same of requests of which no two are alike."""

    scene = HostsScene


class GivenBackScene(UpstreamScene, VaryingHTTP2Scene):
    """Heads that vary, and hosts that speak HTTP/2."""

    def __init__(self, envoy: Any) -> None:
        super().__init__(envoy)
        self.origins = [envoy.listen(host) for host in HOSTS]
        self.known: set[Any] = set()

    def greet(self) -> None:
        """Whoever is new says what it allows."""
        for origin in self.origins:
            for connection in origin.connections:
                if connection not in self.known:
                    self.known.add(connection)
                    connection.write(SETTINGS)
        self.envoy.settle()

    def told(self) -> tuple[Any, ...]:
        """The same, and that."""
        sizes = [[len(one.received) for one in each.connections] for each in self.origins]
        return (*super().told(), sizes)


class GivenBackTests(CarrierCase):
    """A host that was chosen for a request that cannot be carried to it."""

    skip = "the reference core knows no head" if REFERENCE_CODEC else None
    scene = GivenBackScene

    def test_inTurn(self) -> None:
        """The request goes there, and the next one to the next host."""

        def play(scene: Scene) -> None:
            for _ in range(10):
                scene.ask()

        endpoints = [{"endpoint": {"address": address(host)}} for host in HOSTS]
        load = {"cluster_name": "origin", "endpoints": [{"lb_endpoints": endpoints}]}
        self.both(play, [PROXIED], None, {"load_assignment": load, **HTTP2_CLUSTER})
