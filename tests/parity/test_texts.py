"""Small things that only texts show: numbers, old forms of commands, reasons of failures."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import cluster, echo, listener, logTo, tcpProxy, typed
from tests.parity.exchanges import get, http1
from tests.parity.managers import ManagerTestCase, direct, manager
from tests.parity.support import Side, served
from tests.parity.test_tls import pki
from tests.parity.tls_refusals import downstream

NUMBERS = (
    *("1", "-0", "0.0", "1.5", "1e400", "-inf", "nan", "1e5", "1e15", "-1e15", "12345", "1e-4"),
    *("9007199254740993", "123456789012345678901", "1e-7", "0.001", "1e21", "1234567.891", "0x1p4"),
    *("1e300", "123456789.123456789", "20000000", "2147483648"),
)
FAILURE = "%DOWNSTREAM_TRANSPORT_FAILURE_REASON% %CONNECTION_TERMINATION_DETAILS% %RESPONSE_CODE%"
METADATA = {"a": 100000, "b": [0.0001, -0.0, 20000000, True, "1"], "c": {"d": 1.5}}
_PATIENCE = 8.0


def added(name: str, value: str) -> dict[str, Any]:
    """A header."""
    return {"header": {"key": name, "value": value}, "keep_empty_value": True}


class TextTests(ManagerTestCase):
    """One listener for each kind of text."""

    def setUp(self) -> None:
        """Both sides have the same certificate."""
        pki()
        super().setUp()

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        rule = {"metadata_namespace": "q", "key": "num", "type": "NUMBER"}
        reading = typed(
            "h",
            "filters.http.header_to_metadata.v3.Config",
            request_rules=[{"header": "x-num", "on_header_present": rule}],
        )
        one = {
            "object_key": "k",
            "factory_key": "envoy.string",
            "format_string": {"text_format_source": {"inline_string": "val"}},
        }
        state = typed("s", "filters.http.set_filter_state.v3.Config", on_request_headers=[one])
        headers = [
            added("x-a", "%DYNAMIC_METADATA(q:num)%"),
            added("x-b", 'a %DYNAMIC_METADATA([ "q", "num" ])% b'),
            added("x-c", '%DYNAMIC_METADATA(["q", 1])%'),
            added("x-d", '%CLUSTER_METADATA(["q","num"])%'),
            added("x-e", "%METADATA(ROUTE:ns)%"),
            added("x-f", "%PER_REQUEST_STATE(k)%"),
        ]
        answer = direct(
            response_headers_to_add=headers, metadata={"filter_metadata": {"ns": METADATA}}
        )
        numbers = manager(
            "numbers",
            [answer],
            [reading, state],
            log='%DYNAMIC_METADATA(q)% %DYNAMIC_METADATA(["q","num"])% %METADATA(ROUTE:ns:b)%',
        )
        json = {"json_format": {"ns": "%METADATA(ROUTE:ns)%", "n": 100000, "m": [1e-4, "1"]}}
        inner = numbers["filter_chains"][0]["filters"][0]["typed_config"]
        kind = "access_loggers.file.v3.FileAccessLog"
        inner["access_log"].append(typed("j", kind, path="json.log", log_format=json))

        inspector = typed("i", "filters.listener.tls_inspector.v3.TlsInspector")
        plain = manager("plain", [direct()], log=FAILURE)
        tcp = listener("tcp", "127.0.0.1:0", tcpProxy("none", access_log=logTo("tcp.log", FAILURE)))
        for made in (plain, tcp):
            made["listener_filters"] = [inspector]
        late = listener("late", "127.0.0.1:0", echo(), access_log=logTo("late.log", FAILURE))
        late["filter_chains"][0].update(
            transport_socket=downstream({"tls_certificates": [pki().own.config]}),
            transport_socket_connect_timeout="0.1s",
        )
        told = manager("told", [direct()], log="%DOWNSTREAM_REMOTE_ADDRESS%")
        told["listener_filters"] = [typed("p", "filters.listener.proxy_protocol.v3.ProxyProtocol")]
        return served([numbers, plain, tcp, late, told], [cluster("none", "127.0.0.1:9")])

    def talked(self, side: Side, name: str, conversations: dict[str, Any]) -> Any:
        """Every conversation has an end, which is waited for."""
        return http1(side.program.port(name), conversations, _PATIENCE)

    def test_numbers(self) -> None:
        """Of metadata, in headers, logs and JSON; old forms of commands."""
        talks = {each: get("/", f"x-num: {each}", "connection: close") for each in NUMBERS}
        self.compared("numbers", talks)

        def logged(side: Side) -> object:
            return side.program.lines("json.log", len(NUMBERS))

        self.same(logged)

    def test_noTLS(self) -> None:
        """What tells a connection that it is none, its requests do not know."""
        self.compared("plain", {"plain": get("/", "connection: close")})

        def refused(side: Side) -> None:
            self.talked(side, "tcp", {"x": get()})  # how it closes differs

        self.same(refused, "", "tcp.log")

    def test_handshakeTimeout(self) -> None:
        """Nobody says a word."""
        self.same(lambda side: side.connect("late").rest(), "", "late.log")

    def test_blanksOfProxyHeaders(self) -> None:
        """At the end of a line they are nothing."""
        heads = (
            *("PROXY TCP4 1.2.3.4 5.6.7.8 11 22 ", "PROXY TCP6 ::1 ::2 11 22   "),
            *("PROXY TCP4  1.2.3.4 5.6.7.8 11 22", "PROXY TCP4 1.2.3.4 5.6.7.8 11 22 x"),
            *("PROXY  TCP4 1.2.3.4 5.6.7.8 11 22", "PROXY UNKNOWN ", " PROXY UNKNOWN"),
        )
        request = get("/", "connection: close")
        talks = {each: f"{each}\r\n".encode() + request for each in heads}
        self.compared("told", talks, 3)
