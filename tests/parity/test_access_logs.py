"""Access log formats, filters and files."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import EXTENSIONS, cluster, listener, logTo, tcpProxy, typed
from tests.parity.peers import Served, echo
from tests.parity.support import ParityTestCase, Side, scrubbed, served

JSON = {
    "bytes": "%BYTES_RECEIVED%",
    "both": "%BYTES_RECEIVED%/%BYTES_SENT%",
    "absent": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "flags": "%RESPONSE_FLAGS%",
    "code": "%RESPONSE_CODE%",
    "protocol": "%PROTOCOL%",
    "number": 5,
    "yes": True,
    "nothing": None,
    "list": ["%BYTES_SENT%", "text", 1.5],
    "deep": {"cluster": "%UPSTREAM_CLUSTER%", "quote": 'say "%UPSTREAM_CLUSTER%"\n'},
    "metadata": "%CLUSTER_METADATA(space)%",
    "whole": "%UPSTREAM_METADATA(space:list)%",
}
OPERATORS = [
    *("%REQ(:METHOD)%", "%RESP(X)%", "%TRAILER(X)%", "%PROTOCOL%", "%RESPONSE_CODE%"),
    *("%RESPONSE_CODE_DETAILS%", "%CONNECTION_TERMINATION_DETAILS%", "%RESPONSE_FLAGS_LONG%"),
    *("%BYTES_RECEIVED%", "%BYTES_SENT%", "%UPSTREAM_HOST%", "%UPSTREAM_CLUSTER%"),
    *("%UPSTREAM_CLUSTER_RAW%", "%UPSTREAM_HOST_NAME%", "%UPSTREAM_HOST_NAME_WITHOUT_PORT%"),
    *("%UPSTREAM_REMOTE_ADDRESS%", "%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
    *("%UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%", "%UPSTREAM_PROTOCOL%"),
    *("%UPSTREAM_REQUEST_ATTEMPT_COUNT%", "%UPSTREAM_TLS_VERSION%", "%UPSTREAM_HOSTS_ATTEMPTED%"),
    *("%UPSTREAM_HOST_NAMES_ATTEMPTED%", "%UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT%"),
    *("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%"),
    *("%DOWNSTREAM_LOCAL_ADDRESS%", "%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%"),
    *("%DOWNSTREAM_DIRECT_LOCAL_ADDRESS%", "%DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID%"),
    *("%REQUESTED_SERVER_NAME%", "%ROUTE_NAME%", "%VIRTUAL_CLUSTER_NAME%", "%GRPC_STATUS%"),
    *("%FILTER_CHAIN_NAME%", "%ACCESS_LOG_TYPE%", "%DYNAMIC_METADATA(a)%", "%FILTER_STATE(a)%"),
    *(
        "%CLUSTER_METADATA(space:name)%",
        "%UPSTREAM_METADATA(space:name)%",
        "%METADATA(CLUSTER:space)%",
    ),
    *(
        "%UPSTREAM_METADATA(space)%",
        "%CLUSTER_METADATA(space:list)%",
        "%METADATA(LISTENER:space:x)%",
    ),
    *("%ENVIRONMENT(NO_SUCH_VARIABLE)%", "%RESPONSE_FLAGS%"),
    *("%DOWNSTREAM_PEER_SUBJECT%", "%TLS_JA3_FINGERPRINT%", "%DOWNSTREAM_TLS_CIPHER%"),
    *("%REQUEST_HEADERS_BYTES%", "%LOCAL_REPLY_BODY%", "%TRACE_ID%", "%QUERY_PARAM(a)%"),
    *("%PATH%", "%UPSTREAM_WIRE_BYTES_SENT%", "%DOWNSTREAM_WIRE_BYTES_RECEIVED%", "100%%"),
]
METADATA = {
    "filter_metadata": {"space": {"name": "n", "list": [1, "two", None, True], "deep": {"x": 1.5}}}
}


def log(path: str, filter: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """One file log."""
    made = typed("log", "access_loggers.file.v3.FileAccessLog", path=path, **fields)
    return made if filter is None else {**made, "filter": filter}


def atLeast(milliseconds: int) -> dict[str, Any]:
    """A duration_filter."""
    value = {"default_value": milliseconds, "runtime_key": "duration"}
    return {"duration_filter": {"comparison": {"op": "GE", "value": value}}}


FLAGGED = {"response_flag_filter": {"flags": ["UF", "UH"]}}
ENDED = {"log_type_filter": {"types": ["TcpConnectionEnd"]}}
CONNECTED = {"log_type_filter": {"types": ["TcpUpstreamConnected"]}}
NONE = {"runtime_filter": {"runtime_key": "nobody"}}


class LogTests(ParityTestCase):
    """One proxy, many logs."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": echo}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        operators = logTo("operators.log", " ".join(f"{at}={o}" for at, o in enumerate(OPERATORS)))
        logs = [
            *operators,
            log("json.log", log_format={"json_format": JSON}),
            log("sparse.log", log_format={"json_format": JSON, "omit_empty_values": True}),
            log("old.log", format="%BYTES_SENT%\n"),
            log("oldJSON.log", json_format={"b": "%BYTES_SENT%", "a": "x"}),
            log("long.log", atLeast(60_000), format="long\n"),
            log("short.log", {"and_filter": {"filters": [atLeast(0), ENDED]}}, format="short\n"),
            log("flagged.log", FLAGGED, format="%RESPONSE_FLAGS%\n"),
            log("ended.log", {"or_filter": {"filters": [FLAGGED, ENDED]}}, format="ended\n"),
            log("connected.log", CONNECTED, format="connected %BYTES_SENT%\n"),
            log("runtime.log", NONE, format="runtime\n"),
            {
                "name": "out",
                "typed_config": {
                    "@type": EXTENSIONS + "access_loggers.stream.v3.StdoutAccessLog",
                    "log_format": {"text_format_source": {"inline_string": "out %BYTES_SENT%\n"}},
                },
            },
            log("/dev/stdout", format="path %BYTES_SENT%\n"),
        ]
        options = {"flush_access_log_on_connected": True}
        upstream = cluster("origin", f"127.0.0.1:{ports['origin']}", metadata=METADATA)
        upstream["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["metadata"] = METADATA
        return served(
            [
                listener(
                    "all",
                    "127.0.0.1:0",
                    tcpProxy(access_log=logs, access_log_options=options),
                ),
                listener("failing", "127.0.0.1:0", tcpProxy("nobody", "f", access_log=logs[7:])),
                listener("default", "127.0.0.1:0", tcpProxy(access_log=[log("default.log")])),
            ],
            [upstream],
        )

    def _exchange(self, side: Side, name: str) -> None:
        client = side.connect(name)
        client.send(b"x")
        client.receive(1)
        client.end()
        client.rest()

    def _logged(self, *names: str, count: int = 2) -> None:
        def scenario(side: Side) -> object:
            self._exchange(side, "all")
            lines = {}
            for name in names:
                found = side.program.lines(name, count)
                lines[name] = sorted(set(found))
            return lines

        self.same(scenario)

    def test_operators(self) -> None:
        """What each operator prints of a connection when it has its upstream, and at its end."""

        def scenario(side: Side) -> object:
            self._exchange(side, "all")
            lines = map(scrubbed, side.program.lines("operators.log", 2))
            return [line.split(" ") for line in sorted(set(lines))]

        self.same(scenario)

    def test_json(self) -> None:
        """JSON: types, order, empty values."""
        self._logged("json.log", "sparse.log", "oldJSON.log")

    def test_oldFormat(self) -> None:
        """The deprecated text format."""
        self._logged("old.log")

    def test_filters(self) -> None:
        """Which logs have a line at all."""

        def scenario(side: Side) -> object:
            self._exchange(side, "all")
            side.connect("failing").rest()
            side.program.lines("ended.log", 1)
            side.program.lines("short.log", 1)
            names = ("long", "short", "flagged", "ended", "connected", "runtime")
            found = {}
            for name in names:
                path = side.program.folder / f"{name}.log"
                lines = set(path.read_text("utf-8").splitlines()) if path.exists() else None
                found[name] = None if lines is None else sorted(lines)
            return found

        self.same(scenario)

    def test_standardOutput(self) -> None:
        """The stream logger, and /dev/stdout as a path."""
        self._logged("stdout", count=4)  # two logs

    def test_defaultFormat(self) -> None:
        """The default line, without its times."""

        def scenario(side: Side) -> object:
            self._exchange(side, "default")
            fields = side.program.lines("default.log", 1)[0].split(" ")
            return [field for index, field in enumerate(fields) if index not in (0, 8)]

        self.same(scenario)
