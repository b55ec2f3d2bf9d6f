"""Access logs and stats of HTTP: operators, filters, types, clusters."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import cluster, logTo, typed
from tests.parity.exchanges import END, get
from tests.parity.http_origins import NO, OK, Scripted, answer
from tests.parity.managers import ManagerTestCase, direct, host, manager, protocol, route
from tests.parity.peers import Served
from tests.parity.support import Side, served

_WORDS = [
    *("REQ(X-A)", "REQ(X-NONE?X-A)", "REQ(X-A):2", "REQ(:AUTHORITY)", "REQ(:SCHEME)", "RESP(X-B)"),
    *("RESP(SERVER)", "TRAILER(X-T)", "RESPONSE_CODE", "RESPONSE_CODE_DETAILS", "RESPONSE_FLAGS"),
    *("RESPONSE_FLAGS_LONG", "PROTOCOL", "UPSTREAM_PROTOCOL", "BYTES_RECEIVED", "BYTES_SENT"),
    "RESPONSE_TRAILERS_BYTES",
    *("DOWNSTREAM_WIRE_BYTES_RECEIVED", "DOWNSTREAM_HEADER_BYTES_RECEIVED"),
    *("ROUTE_NAME", "VIRTUAL_CLUSTER_NAME", "UPSTREAM_CLUSTER", "UPSTREAM_CLUSTER_RAW"),
    *("UPSTREAM_HOST_NAME", "UPSTREAM_REQUEST_ATTEMPT_COUNT", "UPSTREAM_HOSTS_ATTEMPTED"),
    *(
        "GRPC_STATUS",
        "GRPC_STATUS_NUMBER",
        "GRPC_STATUS(CAMEL_STRING)",
        "GRPC_STATUS(SNAKE_STRING)",
    ),
    *("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT"),
    *("DYNAMIC_METADATA(space:key)", "METADATA(ROUTE:own:a)", "METADATA(VIRTUAL_HOST:own:b)"),
    *("METADATA(CLUSTER:own:c)", "LOCAL_REPLY_BODY", "ACCESS_LOG_TYPE", "PATH", "PATH(NQ)"),
    *("PATH(WQ)", "PATH(WQ:ORIG)", "PATH(NQ:ORIG)", "QUERY_PARAM(q)"),
    *("CONNECTION_TERMINATION_DETAILS", "UPSTREAM_HOST_NAME_WITHOUT_PORT"),
    *(
        "UPSTREAM_TRANSPORT_FAILURE_REASON",
        "REQUESTED_SERVER_NAME",
        "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
    ),
]
_FORMAT = " ".join(f"{word}=%{word}%" for word in _WORDS)
_STATUS = {"runtime_key": "unused", "default_value": 400}


def only(path: str, **filter: Any) -> dict[str, Any]:
    """A log with a filter; lines are method, path and status."""
    (made,) = logTo(path, "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %ACCESS_LOG_TYPE%")
    return {**made, "filter": filter}


_FILTERS: dict[str, dict[str, Any]] = {
    "status": {"status_code_filter": {"comparison": {"op": "GE", "value": _STATUS}}},
    "flags": {"response_flag_filter": {"flags": ["UH", "UC", "NR"]}},
    "anyFlag": {"response_flag_filter": {}},
    "header": {"header_filter": {"header": {"name": "x-a", "string_match": {"prefix": "a"}}}},
    "notHealth": {"not_health_check_filter": {}},
    "grpc": {"grpc_status_filter": {"statuses": ["UNAVAILABLE", "UNKNOWN"]}},
    "notGRPC": {"grpc_status_filter": {"statuses": ["OK"], "exclude": True}},
    "types": {"log_type_filter": {"types": ["DownstreamStart"]}},
    "never": {"runtime_filter": {"runtime_key": "x", "percent_sampled": {"numerator": 0}}},
    "either": {
        "or_filter": {
            "filters": [
                {"response_flag_filter": {"flags": ["NR"]}},
                {"header_filter": {"header": {"name": "x-b", "present_match": True}}},
            ]
        }
    },
    "metadata": {
        "metadata_filter": {
            "matcher": {
                "filter": "space",
                "path": [{"key": "key"}],
                "value": {"string_match": {"exact": "value"}},
            }
        }
    },
}


def _groups() -> dict[str, Any]:
    """A virtual host whose requests are counted in groups."""
    again = {"retry_policy": {"retry_on": "5xx", "num_retries": 1}, "timeout": "0.3s"}
    methods = {"name": ":method", "string_match": {"exact": "POST"}}
    paths = {"name": ":path", "string_match": {"prefix": "/a"}}
    routes = [{**route(action=again), "stat_prefix": "mine"}]
    virtual = [{"name": "posts", "headers": [methods]}, {"name": "a", "headers": [paths]}]
    return {"virtual_hosts": [host("grouped", routes=routes, virtual_clusters=virtual)]}


class HTTPLogTests(ManagerTestCase):
    """One connection manager with every operator, one with every filter."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": Scripted()}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        origin = f"127.0.0.1:{ports['origin']}"
        own = protocol(common_http_protocol_options={"max_requests_per_connection": 1})
        clusters = [
            cluster(
                "origin",
                origin,
                metadata={"filter_metadata": {"own": {"c": "cluster"}}},
                alt_stat_name="other",
                **own,
            ),
            cluster("counted", origin, **own),
            cluster("empty"),
        ]
        sets = typed(
            "set",
            "filters.http.set_metadata.v3.Config",
            metadata=[{"metadata_namespace": "space", "value": {"key": "value"}}],
        )
        hosts = [
            host(
                "all",
                "test",
                routes=[
                    {**direct(prefix="/direct"), "name": "direct"},
                    route("empty", prefix="/empty", name="empty"),
                    {
                        **route(prefix="/rewritten", action={"prefix_rewrite": "/new"}),
                        "name": "rewritten",
                    },
                    route(name="rest", metadata={"filter_metadata": {"own": {"a": "route"}}}),
                ],
                metadata={"filter_metadata": {"own": {"b": "host"}}},
                virtual_clusters=[
                    {
                        "name": "posts",
                        "headers": [{"name": ":method", "string_match": {"exact": "POST"}}],
                    }
                ],
            )
        ]
        config = {"virtual_hosts": hosts}
        started = logTo("types.log", "%ACCESS_LOG_TYPE% %REQ(:PATH)% %RESPONSE_CODE%")
        listeners = [
            manager("words", filters=[sets], log=_FORMAT, config=config),
            manager("groups", config=_groups()),
            manager(
                "filters",
                filters=[sets],
                config=config,
                access_log=[only(f"{name}.only", **one) for name, one in _FILTERS.items()],
            ),
            manager(
                "types",
                config=config,
                access_log=started,
                access_log_options={
                    "flush_access_log_on_new_request": True,
                    "access_log_flush_interval": "0.2s",
                },
            ),
            manager("counted", [route("counted")]),
            manager("quiet", generate_request_id=False, server_name="me", via="proxy"),
            manager("passing", server_header_transformation="PASS_THROUGH"),
            manager(
                "absent",
                server_header_transformation="APPEND_IF_ABSENT",
                always_set_request_id_in_response=True,
            ),
            manager("trusting", use_remote_address=True, xff_num_trusted_hops=1),
            manager("edge", use_remote_address=True, skip_xff_append=True),
            manager("ids", preserve_external_request_id=True, use_remote_address=True),
        ]
        return served(listeners, clusters)

    def test_words(self) -> None:
        """Operators, of requests that end in many ways."""
        trailers = (
            "HTTP/1.1 200 OK\r\nx-b: bee\r\ntransfer-encoding: chunked\r\n\r\n"
            "1\r\na\r\n0\r\nx-t: t\r\n\r\n"
        )
        self.compared(
            "words",
            {
                "get": get("/a?q=1&r=2", "x-a: abc"),
                "direct": get("/direct"),
                "empty": get("/empty"),
                "unknown": get("/", "Host: nobody"),
                "rewritten": get("/rewritten/a?b", "x-a: a"),
                "answered": get("/", answer(OK.replace("\r\n\r\n", "\r\nx-b: bee\r\n\r\n"))),
                "trailers": get("/", answer(trailers)),
                "post": get("/post", "content-length: 2", method="POST", body="ab"),
                "closed": get("/", answer("!close")),
                "grpc": get("/empty", "content-type: application/grpc"),
                "broken": b"GET\r\n\r\n",
            },
        )

    def test_filters(self) -> None:
        """Who is logged where."""
        conversations = {
            "get": get("/get", "x-a: abc"),
            "bee": get("/bee", "x-b: 1"),
            "empty": get("/empty"),
            "unknown": get("/unknown", "Host: nobody"),
            "direct": get("/direct"),
            "no": get("/no", answer(NO)),
            "closed": get("/closed", answer("!close")),
            "grpc": get("/empty", "content-type: application/grpc"),
        }

        def logged(side: Side) -> Any:
            self.talked(side, "filters", conversations)
            for name in set(_FILTERS) - {"types", "never"}:
                side.program.lines(f"{name}.only", 1)  # they are written now and then
            return {name: sorted(side.program.lines(f"{name}.only", 0)) for name in _FILTERS}

        self.same(logged)

    def test_types(self) -> None:
        """Lines at the beginning, now and then, and at the end."""
        self.compared("types", {"get": get("/direct")}, 2)

    def test_groups(self) -> None:
        """Virtual clusters, routes with a stat_prefix, phones."""
        phone = [get("/", "user-agent: my iOS"), get("/", "user-agent: curl")]
        self.compared(
            "groups",
            {
                "good": get("/a"),
                "posted": get("/", "content-length: 2", method="POST", body="ab"),
                "retried": get("/a", "x-key: groups", answer(NO, OK)),
                "failed": get("/a", answer(NO)),
                "silent": get("/b", answer("!hang")),
                "phone": phone,
                "robot": [get("/", "user-agent: x android", answer("!hang")), END],
            },
            8,
            "^vhost.grouped",
        )

    def test_counters(self) -> None:
        """What a cluster counts of its requests."""
        self.compared(
            "counted",
            {
                "200": get("/"),
                "204": get("/", answer("HTTP/1.1 204 x\r\n\r\n")),
                "301": get("/", answer("HTTP/1.1 301 x\r\ncontent-length: 0\r\n\r\n")),
                "404": get("/", answer("HTTP/1.1 404 x\r\ncontent-length: 0\r\n\r\n")),
                "503": get("/", answer(NO)),
                "closed": get("/", answer("!close")),
                "cut": get(
                    "/", answer(("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na", "!close"))
                ),
                "noise": get("/", answer("noise\r\n\r\n")),
                "untilClose": get("/", answer(("HTTP/1.1 200 OK\r\n\r\n", "body", "!close"))),
                "old": get("/", answer(("HTTP/1.0 200 OK\r\n\r\n", "body", "!close"))),
                "canary": get(
                    "/",
                    answer(
                        "HTTP/1.1 200 OK\r\nx-envoy-upstream-canary: true\r\n"
                        "content-length: 0\r\n\r\n"
                    ),
                ),
            },
            stats=r"^cluster\.counted\.(?!.*(tx_bytes|rq_time|rx_bytes|length))",
        )

    def test_headers(self) -> None:
        """server, via, request ids, x-forwarded-for."""
        forwarded = "x-forwarded-for: 1.2.3.4, 5.6.7.8"
        ident = "x-request-id: mine"
        conversations = {
            "plain": get("/"),
            "known": get("/", forwarded, ident, "x-forwarded-proto: https"),
            "internal": get("/", "x-forwarded-for: 10.0.0.1", "x-envoy-internal: true"),
            "envoyish": get("/", "x-envoy-retry-on: 5xx", "x-envoy-force-trace: 1"),
            "server": get("/", answer(OK.replace("\r\n\r\n", "\r\nserver: own\r\n\r\n"))),
            "agent": get("/", "user-agent: me", "x-forwarded-host: h", "x-forwarded-port: 1"),
        }
        self.together(("quiet", "passing", "absent", "trusting", "edge", "ids"), conversations)
