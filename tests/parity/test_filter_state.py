"""Filter state: each factory with good and bad texts, in each form, and each trigger."""

from __future__ import annotations

import socket
import ssl
from typing import Any, ClassVar

from tests.bootstraps import cluster, directResponse, echo, listener, logTo, tcpProxy, typed
from tests.extensions.common.tls.pki import Authority
from tests.parity.exchanges import get
from tests.parity.http_origins import Scripted
from tests.parity.managers import ManagerTestCase, direct, manager
from tests.parity.peers import Served
from tests.parity.peers import echo as echoOrigin
from tests.parity.support import ParityTestCase, Side, served

FACTORIES = (
    "envoy.ai.llm_protocol.request",
    "envoy.ai.model.request",
    "envoy.bool",
    "envoy.filters.listener.original_dst.local_ip",
    "envoy.filters.listener.original_dst.remote_ip",
    "envoy.hashable_string",
    "envoy.network.application_protocols",
    "envoy.network.ip",
    "envoy.network.network_namespace",
    "envoy.network.transport_socket.http_11_proxy.info",
    "envoy.network.transport_socket.original_dst_address",
    "envoy.network.upstream_server_name",
    "envoy.network.upstream_subject_alt_names",
    "envoy.ratelimit.hits_addend",
    "envoy.router.debug_config",
    "envoy.string",
    "envoy.tcp_proxy.cluster",
    "envoy.tcp_proxy.disable_tunneling",
    "envoy.tcp_proxy.per_connection_idle_timeout_ms",
    "envoy.upstream.dynamic_host",
    "envoy.upstream.dynamic_port",
)
"""All that Envoy 1.40 lists at its start."""

WORDS = (
    "true True 1 t no F 0 yes on -- host:80 a.b a,b h2,http/1.1 , ab=1;c OPENAI_RESPONSES"
).split()
NUMBERS = "5 +5 -1 007 4294967295 4294967296 18446744073709551615 18446744073709551616 1e3".split()
ADDRESSES = (
    *("1.2.3.4", "1.2.3.4:80", "1.2.3.4:0", "1.2.3.4:65536", "01.2.3.4:80", "1.2.3:80", "::1"),
    *("[::1]:80", "[::1]", "FE80:0::1", "[FE80:0::1]:9", "::ffff:1.2.3.4", "[::ffff:1.2.3.4]:1"),
    *("fe80::1%5", "[fe80::1%5]:9", "fe80::1%0", "fe80::1%", "fe80::1%nope", "1.2.3.4/8"),
)
OTHERS = ('{"a":1}', 'quo"te\\x', "a\tb")
GROUPS = {"words": WORDS, "numbers": NUMBERS, "addresses": ADDRESSES, "others": OTHERS}


def value(key: str, text: str, factory: str = "envoy.string", **fields: Any) -> dict[str, Any]:
    """A FilterStateValue."""
    source = {"text_format_source": {"inline_string": text}}
    return {"object_key": key, "factory_key": factory, "format_string": source, **fields}


def forms(key: str) -> str:
    """An object in every form."""
    asked = ("PLAIN", "TYPED", "FIELD:ip", "FIELD:port", "FIELD:none")
    return " ".join(
        [f"{key}[%FILTER_STATE({key})%]", *(f"%FILTER_STATE({key}:{a})%" for a in asked)]
    )


def cut(key: str) -> str:
    """An object in forms with lengths."""
    return f"%FILTER_STATE({key}:PLAIN):3% %FILTER_STATE({key}):3% %FILTER_STATE({key}):0%"


class FactoryTests(ManagerTestCase):
    """An object of each factory, made of a header, in a log, a header and a body."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": Scripted()}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        names = [f"k{number}" for number in range(len(FACTORIES))]
        made = [
            value(name, "%REQ(X-V)%", factory)
            for name, factory in zip(names, FACTORIES, strict=True)
        ]
        empty = [value(f"e{name}", "", key) for name, key in zip(names, FACTORIES, strict=True)]
        kind = "filters.http.set_filter_state.v3.Config"
        filters = [typed("state", kind, on_request_headers=[*made, *empty])]
        log = " ".join(["%REQ(X-V)%", *map(forms, names), *map(cut, names)])
        log += " " + " ".join(forms(f"e{name}") for name in names)
        shown = {"key": "x-shown", "value": "|".join(forms(name) for name in names)}
        added = [{"header": shown}]
        counted = "%RESPONSE_CODE% %UPSTREAM_HOST% %UPSTREAM_REQUEST_ATTEMPT_COUNT%"
        routes = [direct()]
        showing = [direct(response_headers_to_add=added)]
        debug = value("envoy.router.debug_config", "%REQ(X-V)%", "envoy.router.debug_config")
        wrong = value("envoy.router.debug_config", "true")
        return served(
            [
                *(manager(name, routes, filters, log=log) for name in GROUPS),
                manager("shown", showing, filters),
                manager(
                    "debug", filters=[typed("state", kind, on_request_headers=[debug])], log=counted
                ),
                manager("wrong", filters=[typed("state", kind, on_request_headers=[wrong])]),
                manager(
                    "nobody",
                    [{"match": {"prefix": "/"}, "route": {"cluster": "empty"}}],
                    [typed("state", kind, on_request_headers=[debug])],
                ),
            ],
            [cluster("origin", f"127.0.0.1:{ports['origin']}"), cluster("empty")],
        )

    def _texts(self, group: str) -> None:
        self.compared(group, {text: get("/", f"X-V: {text}") for text in GROUPS[group]})

    def test_words(self) -> None:
        """Flags, names and lists."""
        self._texts("words")

    def test_numbers(self) -> None:
        """Of 32 and of 64 bits."""
        self._texts("numbers")

    def test_addresses(self) -> None:
        """With a port and without, in their shortest form."""
        self._texts("addresses")

    def test_others(self) -> None:
        """What JSON has to escape."""
        self._texts("others")

    def test_headers(self) -> None:
        """The same forms in a header that is added."""
        texts = ("true", "7", "1.2.3.4:80", "a,b")
        self.compared("shown", {text: get("/", f"X-V: {text}") for text in texts})

    def test_notForwarded(self) -> None:
        """`true` answers here, everything else goes on; so does another kind of object."""
        requests = {text: get("/", f"X-V: {text}") for text in ("true", "True", "1", "false")}
        self.compared(
            "debug", requests, stats=r"^cluster\.origin\.upstream_rq_(total|completed|2xx)"
        )
        self.compared("wrong", {"other": get("/")})
        self.compared("nobody", {"nobody": get("/", "X-V: true")})


AUTHORITY = Authority()
SERVER = AUTHORITY.issue("server.test")
TRIGGER = "%REQUESTED_SERVER_NAME% %FILTER_STATE(n:PLAIN)%/%FILTER_STATE(h:PLAIN)% %BYTES_RECEIVED%"
LOG = " ".join(f"{name}[%FILTER_STATE({name}:PLAIN)%]" for name in ("n", "h", "d", "n2", "h2"))


class TriggerTests(ParityTestCase):
    """When the network filter sets: at accept, when TLS is open, at the first bytes."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": echoOrigin}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        kind = "filters.network.set_filter_state.v3.Config"
        first = typed(
            "first",
            kind,
            on_new_connection=[value("n", TRIGGER)],
            on_downstream_tls_handshake=[value("h", TRIGGER)],
            on_downstream_data=[value("d", TRIGGER)],
        )
        second = typed(
            "second",
            kind,
            on_new_connection=[value("n2", TRIGGER)],
            on_downstream_tls_handshake=[value("h2", TRIGGER)],
        )
        context = {"common_tls_context": {"tls_certificates": [SERVER.config]}}
        tls = typed("tls", "transport_sockets.tls.v3.DownstreamTlsContext", **context)

        def one(name: str, last: dict[str, Any], **fields: Any) -> dict[str, Any]:
            chains = [{"filters": [first, second, last], **fields}]
            log = logTo(f"{name}.log", LOG)
            return listener(name, "127.0.0.1:0", filter_chains=chains, access_log=log)

        return served(
            [
                one("plain", echo()),
                one("closed", echo()),
                one("proxy", tcpProxy()),
                one("answer", directResponse("hello")),
                one("tls", echo(), transport_socket=tls),
                one("gone", echo(), transport_socket=tls),
            ],
            [cluster("origin", f"127.0.0.1:{ports['origin']}")],
        )

    def _spoken(self, name: str, text: bytes) -> None:
        def scenario(side: Side) -> object:
            client = side.connect(name)
            if text:
                client.send(text)
                client.receive(len(text))
            client.end()
            return client.rest()

        self.same(scenario, log=f"{name}.log")

    def test_bytes(self) -> None:
        """All three, one after the other."""
        self._spoken("plain", b"abc")

    def test_endOfTheConnection(self) -> None:
        """An end without bytes closes: no data."""
        self._spoken("closed", b"")

    def test_endOfTheStream(self) -> None:
        """An end without bytes that is passed on counts as data."""
        self._spoken("proxy", b"")

    def test_closedAtOnce(self) -> None:
        """The terminal filter closes."""
        self.same(lambda side: side.connect("answer").rest(), log="answer.log")

    def test_tls(self) -> None:
        """The handshake's come later than a later filter's first."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE

        def scenario(side: Side) -> object:
            plain = socket.create_connection(("127.0.0.1", side.program.port("tls")))
            with context.wrap_socket(plain, server_hostname="server.test") as client:
                client.settimeout(10)
                client.sendall(b"x")
                return client.recv(5)

        self.same(scenario, log="tls.log")

    def test_noHandshake(self) -> None:
        """A client that goes: the handshake's are never set."""

        def scenario(side: Side) -> object:
            client = side.connect("gone")
            client.end()
            return client.rest()

        self.same(scenario, log="gone.log")


class LookTests(ManagerTestCase):
    """What requests see of their connection's objects, and what decides by filter state."""

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        kind = "filters.{}.set_filter_state.v3.Config"
        mine = [value("k", "request"), value("ip", "%REQ(X-IP)%", "envoy.network.ip")]
        http = typed("state", kind.format("http"), on_request_headers=mine, clear_route_cache=True)
        theirs = typed("state", kind.format("network"), on_new_connection=[value("k", "earlier")])
        address: dict[str, Any] = {"ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}]}
        inside = {"filter_state": [{"key": "ip", "address_match": address}]}
        outside = {
            "filter_state": [{"key": "ip", "address_match": {**address, "invert_match": True}}]
        }
        routes = [direct("in", match=inside), direct("out", match=outside), direct("none")]
        both = manager("both", routes, [http], log="%FILTER_STATE(k:PLAIN)%")
        both["filter_chains"][0]["filters"].insert(0, theirs)
        metadata = {"filter_metadata": {"ns": {"a": "b"}}}
        both["filter_chains"][0]["metadata"] = metadata
        text = "%METADATA(LISTENER_FILTER_CHAIN:ns:a)% %DYNAMIC_METADATA(set:s):2%"
        told = typed(
            "told",
            "filters.http.set_metadata.v3.Config",
            metadata=[{"metadata_namespace": "set", "value": {"s": "long"}}],
        )
        matcher = {"filter": "set", "path": [{"key": "s"}], "invert": True}
        logs = manager("logs", [direct()], [told])
        logs["filter_chains"][0]["metadata"] = metadata
        proxy = logs["filter_chains"][0]["filters"][0]["typed_config"]
        (first,) = logTo("logs.log", "")
        first["typed_config"]["log_format"] = {"json_format": {"a": text, "b": text.split()[1]}}
        first["filter"] = {
            "metadata_filter": {
                "matcher": {**matcher, "value": {"string_match": {"exact": "long"}}}
            }
        }
        proxy["access_log"] = [first]
        return served([both, logs])

    def test_parents(self) -> None:
        """A request cannot hide what its connection has; routes look at addresses."""
        addresses = ("10.1.2.3", "11.1.2.3", "::1", "x")
        self.compared("both", {text: get("/", f"X-IP: {text}") for text in addresses})

    def test_logs(self) -> None:
        """Metadata of filter chains, lengths in JSON, and an `invert` that is not looked at."""
        self.compared("logs", {"one": get("/")})
