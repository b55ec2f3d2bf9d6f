"""Answers that no origin gave: their formats, mappings, and gRPC's view of them."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import cluster, typed
from tests.parity.exchanges import get
from tests.parity.http_origins import NO, Scripted, answer
from tests.parity.managers import ManagerTestCase, direct, host, manager, route
from tests.parity.peers import Served
from tests.parity.support import served


def when(code: int, op: str = "EQ") -> dict[str, Any]:
    """A status_code_filter."""
    value = {"default_value": code, "runtime_key": "unused"}
    return {"status_code_filter": {"comparison": {"op": op, "value": value}}}


def text(format: str, **fields: Any) -> dict[str, Any]:
    """A format."""
    return {"text_format_source": {"inline_string": format}, **fields}


_MAPPERS = [
    {
        "filter": when(404),
        "status_code": 418,
        "body": {"inline_string": "no such page"},
        "headers_to_add": [
            {"header": {"key": "x-mapped", "value": "%RESPONSE_CODE%"}},
            {
                "header": {"key": "server", "value": "mapped"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            },
        ],
    },
    {
        "filter": {"response_flag_filter": {"flags": ["UH"]}},
        "body_format_override": text("<p>%LOCAL_REPLY_BODY%</p>", content_type="text/html"),
    },
    {
        "filter": {"header_filter": {"header": {"name": "x-json", "string_match": {"exact": "1"}}}},
        "body_format_override": {
            "json_format": {
                "status": "%RESPONSE_CODE%",
                "body": "%LOCAL_REPLY_BODY%",
                "path": "%REQ(:path)%",
                "deep": {"details": "%RESPONSE_CODE_DETAILS%", "none": "%REQ(x-none)%"},
                "list": ["%PROTOCOL%", 5],
            }
        },
    },
    {
        "filter": {
            "and_filter": {
                "filters": [
                    when(500, "GE"),
                    {"header_filter": {"header": {"name": "x-and", "present_match": True}}},
                ]
            }
        },
        "status_code": 200,
        "body": {"inline_string": "all is well"},
    },
    {"filter": when(403), "status_code": 202},
]


def _routes() -> list[dict[str, Any]]:
    """Local replies by path."""
    return [
        route("empty", prefix="/empty"),
        route("refusing", prefix="/refused"),
        direct("gone", 404, "/gone"),
        direct("forbidden", 403, "/forbidden"),
        direct("broken", 500, "/broken"),
        direct("", 200, "/nothing"),
        direct("teapot", 418, "/teapot"),
        {"match": {"prefix": "/redirect"}, "redirect": {"path_redirect": "/"}},
        {
            "match": {"prefix": "/formatted"},
            "direct_response": {
                "status": 200,
                "body": {"inline_string": "raw %PATH%"},
                "body_format": text("formatted %REQ(:path)% %RESPONSE_CODE%\n"),
            },
        },
        route(prefix="/origin"),
    ]


class LocalReplyTests(ManagerTestCase):
    """The same requests where replies are mapped in other ways."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": Scripted(), "refusing": None}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        clusters = [
            cluster("origin", f"127.0.0.1:{ports['origin']}"),
            cluster("refusing", f"127.0.0.1:{ports['refusing']}"),
            cluster("empty"),
        ]
        hosts = [host("all", "test", routes=_routes())]
        config = {"virtual_hosts": hosts}
        format = text("%LOCAL_REPLY_BODY%|%RESPONSE_CODE%|%RESPONSE_FLAGS%|%REQ(:method)%\n")
        json = {"json_format": {"message": "%LOCAL_REPLY_BODY%", "code": "%RESPONSE_CODE%"}}
        fault = typed(
            "fault",
            "filters.http.fault.v3.HTTPFault",
            abort={"header_abort": {}, "percentage": {"numerator": 100}},
        )
        limit = typed(
            "limit",
            "filters.http.local_ratelimit.v3.LocalRateLimit",
            stat_prefix="limit",
            token_bucket={"max_tokens": 2, "fill_interval": "3600s"},
            filter_enabled={"default_value": {"numerator": 100}},
            filter_enforced={"default_value": {"numerator": 100}},
            response_headers_to_add=[{"header": {"key": "x-limited", "value": "yes"}}],
        )
        buffer = typed("buffer", "filters.http.buffer.v3.Buffer", max_request_bytes=10)
        listeners = [
            manager("plain", config=config),
            manager("mapped", config=config, local_reply_config={"mappers": _MAPPERS}),
            manager("formatted", config=config, local_reply_config={"body_format": format}),
            manager(
                "json",
                config=config,
                local_reply_config={"mappers": _MAPPERS, "body_format": json},
            ),
            manager("fault", filters=[fault]),
            manager("limit", filters=[limit]),
            manager("buffer", filters=[buffer]),
        ]
        return served(listeners, clusters)

    def test_replies(self) -> None:
        """Paths, over HTTP and as gRPC."""
        paths = ["/empty", "/refused", "/gone", "/forbidden", "/broken", "/nothing", "/teapot"]
        paths += ["/redirect", "/formatted", "/unknown", "/origin"]
        grpc = ("content-type: application/grpc", "te: trailers")
        conversations = {path: get(path) for path in paths}
        conversations |= {f"{path} grpc": get(path, *grpc) for path in paths}
        conversations |= {f"{path} head": get(path, method="HEAD") for path in paths}
        conversations |= {f"{path} json": get(path, "x-json: 1") for path in paths}
        conversations["and"] = get("/broken", "x-and: 1")
        conversations["noHost"] = get("/", "Host: nobody")
        conversations["originFails"] = get("/origin", answer(NO))
        conversations["garbage"] = b"garbage\r\n\r\n"
        conversations["upgrade"] = get("/origin", "Connection: upgrade", "Upgrade: x")
        for name in ("plain", "mapped", "json", "formatted"):
            if name == "formatted":
                del conversations["garbage"]  # its text has no flags yet in Envoy
            self.compared(name, conversations)

    def test_filters(self) -> None:
        """Filters that answer by themselves."""
        grpc = ("content-type: application/grpc",)
        self.compared(
            "fault",
            {
                "abort": get("/", "x-envoy-fault-abort-request: 503"),
                "aborted": get("/", "x-envoy-fault-abort-request: 404", *grpc),
                "grpc": get("/", "x-envoy-fault-abort-grpc-request: 5", *grpc),
                "bad": get("/", "x-envoy-fault-abort-request: 99"),
            },
        )
        for name in ("one", "two", "three", "four"):
            request = get("/", *(grpc if name == "four" else ()))
            self.same(lambda side, one={name: request}: self.talked(side, "limit", one))
        self.compared(
            "buffer",
            {
                "big": get("/", "Content-Length: 11", method="POST", body="a" * 11),
                "bigChunked": get(
                    "/",
                    "Transfer-Encoding: chunked",
                    method="POST",
                    body="b\r\naaaaaaaaaaa\r\n0\r\n\r\n",
                ),
                "small": get(
                    "/",
                    "Transfer-Encoding: chunked",
                    method="POST",
                    body="2\r\naa\r\n2\r\nbb\r\n0\r\n\r\n",
                ),
            },
        )
