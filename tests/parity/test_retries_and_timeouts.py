"""An origin that fails: retries, time-outs, redirects that are followed, copies, limits."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import cluster, typed
from tests.parity.exchanges import END, get
from tests.parity.http_origins import NO, OK, Scripted, answer
from tests.parity.managers import ManagerTestCase, direct, host, manager, protocol, route
from tests.parity.peers import Served
from tests.parity.support import served

HANGS = "!hang"
FOUND = "HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n"


def status(code: int, *headers: str) -> str:
    """An answer without a body."""
    return "\r\n".join([f"HTTP/1.1 {code} x", *headers, "content-length: 0", "", ""])


def tried(key: str, *attempts: str | tuple[str, ...], headers: tuple[str, ...] = ()) -> bytes:
    """A request whose attempts are answered so, one after the other."""
    return get(f"/{key}", f"x-key: {key}", answer(*attempts), *headers)


def _retries(on: str, **fields: Any) -> dict[str, Any]:
    """A route that retries."""
    policy = {
        "retry_on": on,
        "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.001s"},
        **fields,
    }
    return route("fresh", action={"retry_policy": policy})


class RetryTests(ManagerTestCase):
    """Each listener tries again for other reasons."""

    origins: ClassVar[dict[str, Served | None]] = {
        "origin": Scripted(),
        "refusing": None,
        "copies": Scripted(),
    }

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        origin = f"127.0.0.1:{ports['origin']}"
        once = protocol(common_http_protocol_options={"max_requests_per_connection": 1})
        refusing = f"127.0.0.1:{ports['refusing']}"
        clusters = [
            cluster(
                "fresh",
                origin,
                circuit_breakers={"thresholds": [{"max_retries": 100}]},
                **once,
            ),
            cluster("refusing", refusing),
            cluster("copies", f"127.0.0.1:{ports['copies']}", **once),
            cluster("half", refusing, origin, **once),
            cluster(
                "noRetries",
                origin,
                circuit_breakers={"thresholds": [{"max_retries": 0}]},
                **once,
            ),
            cluster(
                "noRequests", origin, circuit_breakers={"thresholds": [{"max_requests": 0}]}, **once
            ),
            cluster(
                "noPending",
                origin,
                circuit_breakers={"thresholds": [{"max_pending_requests": 0}]},
                **once,
            ),
        ]
        retriable = {"retriable_status_codes": [418, 404]}
        headers = {
            "retriable_headers": [{"name": "x-again", "string_match": {"exact": "yes"}}],
        }
        asked = {
            "retriable_request_headers": [{"name": "x-may", "present_match": True}],
        }
        backs = {
            "rate_limited_retry_back_off": {
                "reset_headers": [{"name": "retry-after", "format": "SECONDS"}],
                "max_interval": "0.01s",
            }
        }
        previous = {
            "retry_host_predicate": [
                typed("p", "retry.host.previous_hosts.v3.PreviousHostsPredicate")
            ],
            "host_selection_retry_max_attempts": 5,
        }
        everything: dict[str, dict[str, Any]] = {
            "server5xx": _retries("5xx"),
            "gateway": _retries("gateway-error", num_retries=2),
            "reset": _retries("reset"),
            "connectFailure": _retries("connect-failure,refused-stream"),
            "codes": _retries("retriable-status-codes", **retriable),
            "client4xx": _retries("retriable-4xx"),
            "headers": _retries("retriable-headers", **headers),
            "asked": _retries("5xx", **asked),
            "grpc": _retries("cancelled,unavailable,deadline-exceeded"),
            "limited": _retries("5xx", **backs),
            "perTry": _retries("5xx", per_try_timeout="0.15s", num_retries=2),
            "perTryIdle": _retries("reset", per_try_idle_timeout="0.15s"),
            "never": route("fresh"),
        }
        listeners = []
        for name, one in everything.items():
            hosts = [
                host(
                    "all",
                    routes=[one],
                    include_request_attempt_count=True,
                    include_attempt_count_in_response=True,
                )
            ]
            listeners.append(manager(name, config={"virtual_hosts": hosts}))
        halves = _retries("connect-failure", num_retries=3, **previous)
        halves["route"]["cluster"] = "half"
        breaker = _retries("5xx")
        breaker["route"]["cluster"] = "noRetries"
        refused = _retries("connect-failure", num_retries=1)
        refused["route"]["cluster"] = "refusing"
        followed = {"max_internal_redirects": 1, "redirect_response_codes": [302, 307]}
        across = {**followed, "allow_cross_scheme_redirect": True}
        copying = {
            "request_mirror_policies": [
                {
                    "cluster": "copies",
                    "runtime_fraction": {"default_value": {"numerator": 100}},
                }
            ]
        }
        listeners += [
            manager("half", [halves]),
            manager("breaker", [breaker]),
            manager("refused", [refused]),
            manager("noRequests", [route("noRequests")]),
            manager("noPending", [route("noPending")]),
            manager(
                "redirected",
                [
                    direct("arrived", prefix="/arrived"),
                    route("fresh", prefix="/across", action={"internal_redirect_policy": across}),
                    route("fresh", action={"internal_redirect_policy": followed}),
                ],
            ),
            manager("copied", [route("fresh", action=copying)]),
        ]
        return served(listeners, clusters)

    def test_conditions(self) -> None:
        """Each condition, when it holds and when it does not."""
        for name in ("server5xx", "gateway", "reset", "connectFailure", "client4xx", "never"):
            self.compared(
                name,
                {
                    "503": tried(f"{name}1", NO, OK),
                    "500": tried(f"{name}2", status(500), OK),
                    "504Always": tried(f"{name}3", status(504)),
                    "409": tried(f"{name}4", status(409), OK),
                    "closes": tried(f"{name}5", "!close", OK),
                    "resets": tried(f"{name}6", "!reset", OK),
                    "limited": tried(f"{name}7", status(503, "x-envoy-ratelimited: true"), OK),
                    "asksForMore": tried(
                        f"{name}8",
                        NO,
                        NO,
                        OK,
                        headers=("x-envoy-max-retries: 2", "x-envoy-retry-on: 5xx"),
                    ),
                    "partly": tried(
                        f"{name}9",
                        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab", "!close"),
                        OK,
                    ),
                },
                stats=r"^cluster\.fresh\.(upstream_rq_(retry|[0-9x]+|total))",
            )

    def test_chosenConditions(self) -> None:
        """Codes, headers, gRPC statuses, limits of rate."""
        self.compared(
            "codes",
            {
                "418": tried("codes1", status(418), OK),
                "503": tried("codes2", NO, OK),
                "asked": tried(
                    "codes3", status(409), OK, headers=("x-envoy-retriable-status-codes: 409",)
                ),
            },
        )
        self.compared(
            "headers",
            {
                "again": tried("headers1", status(200, "x-again: yes"), OK),
                "once": tried("headers2", status(200, "x-again: no"), OK),
                "asked": tried(
                    "headers3",
                    status(200, "x-more: 1"),
                    OK,
                    headers=("x-envoy-retriable-header-names: x-more",),
                ),
            },
        )
        self.compared(
            "asked",
            {"may": tried("asked1", NO, OK, headers=("x-may: 1",)), "not": tried("asked2", NO, OK)},
        )
        self.compared(
            "grpc",
            {
                str(code): tried(
                    f"grpc{code}",
                    status(200, f"grpc-status: {code}"),
                    OK,
                    headers=("content-type: application/grpc", "te: trailers"),
                )
                for code in (0, 1, 4, 8, 13, 14, 16)
            },
        )
        self.compared("limited", {"after": tried("limited1", status(503, "retry-after: 0"), OK)})

    def test_perTry(self) -> None:
        """Attempts that take too long."""
        self.compared(
            "perTry",
            {
                "second": tried("perTry1", HANGS, OK),
                "all": tried("perTry2", HANGS),
                "asked": tried(
                    "perTry3", HANGS, OK, headers=("x-envoy-upstream-rq-per-try-timeout-ms: 50",)
                ),
            },
        )
        self.compared(
            "perTryIdle",
            {
                "second": tried("perTryIdle1", HANGS, OK),
                "begun": tried(
                    "perTryIdle2", ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab", HANGS), OK
                ),
            },
        )

    def test_hosts(self) -> None:
        """A host that refuses is not asked again; a cluster that has no other."""
        self.compared("refused", {"get": get("/")}, stats=r"^cluster\.refusing\.upstream_(rq|cx)_")
        for name in "abcd":
            self.same(
                lambda side, name=name: self.talked(side, "half", {name: get("/", answer(OK))})
            )

    def test_breakers(self) -> None:
        """Retries, requests and pending requests that are too many."""
        self.compared(
            "breaker", {"get": tried("breaker1", NO, OK)}, stats=r"^cluster\.noRetries\.upstream_rq"
        )
        for name in ("noRequests", "noPending"):
            self.compared(name, {"get": get("/")}, 0, rf"^cluster\.{name}\.(upstream_rq|circuit)")

    def test_redirects(self) -> None:
        """Redirects that are followed, and those that are not."""

        def found(where: str, path: str = "/", *headers: str, code: int = 302) -> bytes:
            text = status(code, f"location: {where}")
            return get(path, "x-key: " + path + where, answer(text, OK), *headers)

        self.compared(
            "redirected",
            {
                "path": found("/arrived?x=1"),
                "whole": found("http://test/arrived"),
                "otherHost": found("http://other:80/arrived"),
                "https": found("https://test/arrived"),
                "across": found("https://test/arrived", "/across"),
                "again": found("/else"),
                "noLocation": get("/", answer(status(302))),
                "301": found("/arrived", "/p1", code=301),
                "307": found("/arrived", "/p2", code=307),
                "garbage": found("http://", "/p3"),
                "relative": found("arrived", "/p4"),
            },
            0,
        )

    def test_copies(self) -> None:
        """What the cluster of the copies hears."""
        self.compared(
            "copied",
            {"get": get("/one"), "post": get("/two", "Content-Length: 1", method="POST", body="a")},
        )
        for side in self.sides:
            self.assertEqual(
                sorted(map(str, side.seen("copies", 2))),
                ["['GET /one HTTP/1.1']", "['POST /two HTTP/1.1']"],
            )


class TimeoutTests(ManagerTestCase):
    """Every time that may be over."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": Scripted()}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        origin = f"127.0.0.1:{ports['origin']}"
        brief = {"max_stream_duration": "0.2s"}
        clusters = [
            cluster("origin", origin),
            cluster("brief", origin, **protocol(common_http_protocol_options=brief)),
            cluster(
                "idle", origin, **protocol(common_http_protocol_options={"idle_timeout": "0.2s"})
            ),
        ]
        listeners = [
            manager("route", [route(action={"timeout": "0.2s"})]),
            manager("routeIdle", [route(action={"timeout": "0s", "idle_timeout": "0.2s"})]),
            manager("streamIdle", [route(action={"timeout": "0s"})], stream_idle_timeout="0.2s"),
            manager("headers", request_headers_timeout="0.2s"),
            manager("request", request_timeout="0.2s"),
            manager("idle", common_http_protocol_options={"idle_timeout": "0.2s"}),
            manager(
                "aged",
                common_http_protocol_options={"max_connection_duration": "0.2s"},
                drain_timeout="0.1s",
            ),
            manager(
                "safe",
                common_http_protocol_options={"max_connection_duration": "0.2s"},
                http1_safe_max_connection_duration=True,
            ),
            manager("duration", common_http_protocol_options={"max_stream_duration": "0.2s"}),
            manager(
                "routeDuration",
                [route(action={"max_stream_duration": {"max_stream_duration": "0.2s"}})],
            ),
            manager(
                "grpc",
                [
                    route(
                        action={
                            "max_stream_duration": {
                                "grpc_timeout_header_max": "0.5s",
                                "grpc_timeout_header_offset": "0.05s",
                            }
                        }
                    )
                ],
            ),
            manager("upstreamDuration", [route("brief")]),
            manager("upstreamIdle", [route("idle")]),
        ]
        return served(listeners, clusters)

    def test_answers(self) -> None:
        """An origin that does not answer, or not to the end."""
        begun = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab"
        conversations: dict[str, Any] = {
            "hangs": get("/", answer(HANGS)),
            "begins": get("/", answer((begun, HANGS))),
            "grpc": get("/", "content-type: application/grpc", answer(HANGS)),
            "quick": get("/"),
        }
        self.together(
            ("route", "routeIdle", "streamIdle", "duration", "routeDuration"), conversations
        )
        self.compared("upstreamDuration", conversations)

    def test_asked(self) -> None:
        """Times that the client may set."""
        hangs = answer(HANGS)
        self.compared(
            "upstreamIdle",
            {
                "own": get("/", "x-envoy-upstream-rq-timeout-ms: 100", hangs),
                "alt": get("/", "x-envoy-upstream-alt-stat-name: a"),
                "bad": get("/", "x-envoy-upstream-rq-timeout-ms: x"),
                "expected": get("/", "x-envoy-expected-rq-timeout-ms: 7"),
            },
        )
        self.compared(
            "grpc",
            {
                unit: get("/", "content-type: application/grpc", f"grpc-timeout: {unit}", hangs)
                for unit in ("100m", "1H", "100000u")
            },
        )

    def test_requests(self) -> None:
        """Requests that do not come to their end."""
        half = get("/", "Content-Length: 5", method="POST", body="ab")
        conversations = {
            "head": b"GET / HTTP/1.1\r\nHost: te",
            "line": b"GE",
            "body": half,
            "whole": get("/"),
            "gone": [half, END],
        }
        self.together(("headers", "request"), conversations, 0)

    def test_connections(self) -> None:
        """Connections that are idle or old."""
        conversations = {
            "used": get("/"),
            "twice": [get("/1"), get("/2")],
            "halfHead": b"GET / HT",
        }
        self.together(("idle", "aged", "safe"), conversations, 0)
