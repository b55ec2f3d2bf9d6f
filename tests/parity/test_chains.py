"""Chains of hops as real meshes build them, through both programs: bytes, logs and stats."""

from __future__ import annotations

from typing import Any, ClassVar

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset

from tests.bootstraps import INTERNAL, addressOf, cluster, listener, logTo, tcpProxy, typed
from tests.parity.exchanges import scrubbedText
from tests.parity.http_origins import Scripted, answer
from tests.parity.managers import http2, manager, route
from tests.parity.peers import Peer, Served
from tests.parity.peers import digest as countingOrigin
from tests.parity.peers import echo as echoOrigin
from tests.parity.support import ParityTestCase, Side, served
from tests.parity.test_hops import passing
from tests.parity.test_tunnels import Streams

SEEN = (
    "%DYNAMIC_METADATA(host_metadata:value)%,%DYNAMIC_METADATA(cluster_metadata:value)%,"
    "%FILTER_STATE(internal_state:PLAIN)%,%FILTER_STATE(internal_state_once:PLAIN)% "
    "%FILTER_STATE(internal_state)% %FILTER_STATE(internal_state:PLAIN):2% "
    "%DYNAMIC_METADATA(host_metadata)% %DYNAMIC_METADATA(host_metadata:deep):5% "
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
    "%CLUSTER_METADATA(cluster_metadata:value)% %UPSTREAM_METADATA(host_metadata:value)% "
    "%UPSTREAM_FILTER_STATE(internal_state:PLAIN)% %RESPONSE_FLAGS%"
)
OUTER = (
    "%RESPONSE_CODE% %UPSTREAM_HOST% %UPSTREAM_FILTER_STATE(internal_state:PLAIN)% "
    "%UPSTREAM_FILTER_STATE(internal_state_once)% %FILTER_STATE(internal_state:PLAIN)% "
    "%CLUSTER_METADATA(cluster_metadata:value)% %UPSTREAM_METADATA(host_metadata)% "
    "%DYNAMIC_METADATA(host_metadata)% %FILTER_STATE(hashed:PLAIN)% %RESPONSE_FLAGS%"
)
BOTH = (("host", "host_metadata"), ("cluster", "cluster_metadata"))
CLOSING = answer(("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "!close"))


def stateOfRequests(*values: tuple[str, str, str, str]) -> dict[str, Any]:
    """The HTTP filter; each value: key, factory, text, sharing."""
    made = [
        {
            "object_key": key,
            "factory_key": factory,
            "format_string": {"text_format_source": {"inline_string": text}},
            "shared_with_upstream": shared,
            "skip_if_empty": True,
        }
        for key, factory, text, shared in values
    ]
    return typed("fs", "filters.http.set_filter_state.v3.Config", on_request_headers=made)


def hopTo(name: str, socket: dict[str, Any] | None, known: bool = True, **fields: Any) -> Any:
    """A cluster of one internal endpoint, with metadata of both kinds when it is known."""
    host: dict[str, Any] = {"endpoint": {"address": addressOf(f"internal:{name}/lorem_ipsum")}}
    if known:
        value = {"value": name, "deep": {"a": [1, "x"]}}
        host["metadata"] = {"filter_metadata": {"host_metadata": value}}
        fields["metadata"] = {"filter_metadata": {"cluster_metadata": {"value": name}}}
    if socket is not None:
        fields["transport_socket"] = socket
    named = fields.pop("called", name)
    assignment = {"cluster_name": named, "endpoints": [{"lb_endpoints": [host]}]}
    return {"name": named, "load_assignment": assignment, **fields}


def proxied(name: str, to: str) -> dict[str, Any]:
    """An internal listener that sends on and logs what it sees."""
    return listener(name, "internal:", tcpProxy(to, name, access_log=logTo(f"{name}.log", SEEN)))


def get(*headers: str, body: int = 0, connection: str = "keep-alive") -> bytes:
    """A request."""
    lines = ["POST / HTTP/1.1", "host: a", f"content-length: {body}", f"connection: {connection}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + b"x" * body


def asked(peer: Peer, request: bytes) -> bytes:
    """The answer to a request, by its content-length."""
    peer.send(request)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        more = peer.receive(1)
        if not more:
            return head
        head += more
    size = next(int(line[15:]) for line in head.split(b"\r\n") if line[:15] == b"content-length:")
    text = head.partition(b"\r\n")[0] + b" " + peer.receive(size)
    return scrubbedText(text.decode()).encode()


class MetadataChainTests(ParityTestCase):
    """A connection manager, two hops with state and metadata, and an origin."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": Scripted()}
    bufferSize: ClassVar[int | None] = None

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        """The bootstrap."""
        state = stateOfRequests(
            ("internal_state", "envoy.string", "%REQ(internal-header)%", "TRANSITIVE"),
            ("internal_state_once", "envoy.string", "%REQ(internal-header-once)%", "ONCE"),
            ("hashed", "envoy.hashable_string", "%REQ(hashed)%", "TRANSITIVE"),
        )
        bind = {"source_address": {"address": "127.0.0.1", "port_value": 0}}
        extension = {"name": INTERNAL["name"], "typed_config": dict(INTERNAL["typed_config"])}  # type: ignore[call-overload]
        if cls.bufferSize is not None:
            extension["typed_config"]["buffer_size_kb"] = cls.bufferSize
        return served(
            [
                manager("http", [route("first")], [state], OUTER),
                manager("missing", [route("unknown")], [state], OUTER),
                manager("bare", [route("without")], [state], OUTER),
                manager("native", [route("plain")], [state], OUTER),
                proxied("first", "second"),
                proxied("second", "origin"),
            ],
            [
                hopTo("first", passing(*BOTH), upstream_bind_config=bind),
                hopTo("second", passing(*BOTH)),
                hopTo("first", passing(*BOTH), False, called="unknown"),
                hopTo("first", None, called="without"),
                cluster("origin", f"127.0.0.1:{ports['origin']}"),
                cluster("plain", f"127.0.0.1:{ports['origin']}", transport_socket=passing(*BOTH)),
            ],
            bootstrap_extensions=[extension],
        )

    def hops(self, side: Side, listener: str, *requests: bytes) -> object:
        """The answers to requests, each on a connection of its own, and both hops' new lines."""
        before = [len(self.now(side, name)) for name in ("first", "second")]
        answers = []
        for request in requests:
            client = side.connect(listener)
            answers.append(asked(client, request))
            client.close()
        assert before[0] == before[1]
        counts = [count + 1 for count in before]
        names = ("first", "second")
        lines = [side.program.lines(f"{n}.log", c) for n, c in zip(names, counts, strict=True)]
        return answers, [new[old:] for new, old in zip(lines, before, strict=True)]

    def now(self, side: Side, name: str) -> list[str]:
        """The lines that a hop has written."""
        path = side.program.folder / f"{name}.log"
        return path.read_text().splitlines() if path.exists() else []

    def test_basicFlow(self) -> None:
        """Metadata reaches each hop from the cluster before it; ONCE stops, TRANSITIVE goes on."""
        request = get("internal-header: FOO", "internal-header-once: BAZ", CLOSING)
        answers, (first, second) = self.same(
            lambda side: self.hops(side, "http", request),
            r"^(cluster|tcp)\.(first|second)\.|^listener\.envoy_internal_",
            "http.log",
        )
        self.assertEqual(answers, [b"HTTP/1.1 200 OK ok"])
        self.assertTrue(first[0].startswith('first,first,FOO,BAZ "FOO" FO {'), first)
        self.assertTrue(second[0].startswith("second,second,FOO,- "), second)

    def test_pooled(self) -> None:
        """Three requests over one connection show the first one's plain strings."""
        own = "hashed: pooled"  # a pool of their own
        texts = ("internal-header: 1", "internal-header: 2", CLOSING)
        requests = [get(own, text) for text in texts]
        _, (first, _) = self.same(lambda side: self.hops(side, "http", *requests))
        self.assertTrue(first[0].startswith("first,first,1,-"), first)

    def test_hashed(self) -> None:
        """Values that are hashed have connections of their own, one each."""

        def scenario(side: Side) -> object:
            before = len(self.now(side, "second"))
            values = ("a", "b", "a", "c", "b")
            answers = []
            for value in values:
                client = side.connect("http")
                answers.append(asked(client, get(f"hashed: {value}", f"internal-header: {value}")))
                client.close()
            for value in ("a", "b", "c"):
                client = side.connect("http")
                answers.append(asked(client, get(f"hashed: {value}", CLOSING)))
                client.close()
            lines = side.program.lines("second.log", before + 3)[before:]
            return [one[:15] for one in answers], sorted(lines)

        self.same(scenario, r"^cluster\.(first|second)\.upstream_cx_(total|http)")

    def test_missing(self) -> None:
        """Namespaces that nobody has are counted, two for each connection."""
        _, (first, _) = self.same(
            lambda side: self.hops(side, "missing", get(CLOSING)),
            r"^cluster\.unknown\.|internal_upstream",
            "missing.log",
        )
        self.assertTrue(first[0].startswith("-,-,-,- "), first)

    def test_withoutSocket(self) -> None:
        """Without internal_upstream nothing passes."""
        request = get("internal-header: FOO", CLOSING)
        _, (first, _) = self.same(
            lambda side: self.hops(side, "bare", request), r"^cluster\.without\.", "bare.log"
        )
        self.assertTrue(first[0].startswith("-,-,-,- "), first)

    def test_native(self) -> None:
        """On a socket of the kernel internal_upstream is inert, but for its counter."""
        self.same(
            lambda side: asked(side.connect("native"), get("internal-header: FOO", CLOSING)),
            r"^cluster\.plain\.(internal|upstream_cx_total)",
            "native.log",
        )

    def test_bodies(self) -> None:
        """10 KiB up and 20 KiB down."""
        script = answer("HTTP/1.1 200 OK\r\ncontent-length: 20480\r\n\r\n" + "y" * 20480)

        def scenario(side: Side) -> object:
            client = side.connect("http")
            return [asked(client, get(script, body=10240)) for _ in range(3)]

        self.same(scenario)


class SmallestBufferTests(MetadataChainTests):
    """The same with buffers of 1 KiB."""

    bufferSize = 1


class SmallBufferTests(MetadataChainTests):
    """The same with buffers of 5 KiB."""

    bufferSize = 5


class MiddleBufferTests(MetadataChainTests):
    """The same with buffers of 128 KiB."""

    bufferSize = 128


class LargestBufferTests(MetadataChainTests):
    """The same with buffers of 8 MiB."""

    bufferSize = 8192


ECHO_STATS = (
    r"^tcp\.echo|^cluster\.echo.*upstream_(cx|rq)_(total|active|destroy)|"
    r"^http\.echoEnd\.downstream_rq"
)
COUNT_STATS = r"^tcp\.count\.(?!downstream_cx_tx)|^http\.countEnd\.downstream_(rq|cx)_total"
CONNECT = {
    "match": {"connect_matcher": {}},
    "route": {
        "cluster": "decap",
        "upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}],
    },
}


class FullChainTests(ParityTestCase):
    """TCP, a hop, CONNECT over HTTP/2, its end, a hop, TCP: all in one process."""

    origins: ClassVar[dict[str, Served | None]] = {
        "echo": echoOrigin,
        "count": countingOrigin,
        "short": echoOrigin,
    }

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        """Two such chains; the HTTP/2 between their halves goes over a Unix socket."""
        listeners: list[dict[str, Any]] = []
        clusters: list[dict[str, Any]] = []
        for name, port in ports.items():
            after = f"{name}Sink" if name == "short" else f"{name}Decap"
            end = manager(
                f"{name}End",
                [{**CONNECT, "route": {**CONNECT["route"], "cluster": after}}],
                http2_protocol_options={"allow_connect": True},
                upgrade_configs=[{"upgrade_type": "CONNECT"}],
            )
            end["address"] = addressOf(f"@{'/'.join(('chain', name, str(port)))}")
            tunnel = {"hostname": "host.com:443"}
            log = "%BYTES_RECEIVED% %BYTES_SENT% %RESPONSE_FLAGS% %UPSTREAM_CLUSTER%"
            listeners += [
                listener(
                    name,
                    "127.0.0.1:0",
                    tcpProxy(f"{name}Encap", name, access_log=logTo(f"{name}.log", log)),
                ),
                listener(
                    f"{name}Encap",
                    "internal:",
                    tcpProxy(f"{name}H2", f"{name}Encap", tunneling_config=tunnel),
                ),
                end,
                listener(f"{name}Decap", "internal:", tcpProxy(f"{name}Sink", f"{name}Decap")),
            ]
            clusters += [
                cluster(f"{name}Encap", f"internal:{name}Encap"),
                {**cluster(f"{name}H2", f"@chain/{name}/{port}"), **http2()},
                cluster(f"{name}Decap", f"internal:{name}Decap"),
                cluster(f"{name}Sink", f"127.0.0.1:{port}"),
            ]
        return served(listeners, clusters)

    def test_echo(self) -> None:
        """Bytes, the client's end, the origin's answer to it and its end."""

        def scenario(side: Side) -> object:
            client = side.connect("echo")
            client.send(b"hello" * 1000)
            first = client.receive(5000)
            client.end()
            return first, client.rest(), side.seen("echo", 1)[0]

        answer = self.same(
            scenario,
            ECHO_STATS,
            "echo.log",
        )
        self.assertEqual(answer[1:], [[b"bye", "FIN"], [5000, "FIN"]])

    def test_short(self) -> None:
        """The same where CONNECT ends at a socket."""

        def scenario(side: Side) -> object:
            client = side.connect("short")
            client.send(b"hello")
            first = client.receive(5)
            client.end()
            return first, client.rest(), side.seen("short", 1)[0]

        self.same(scenario, ECHO_STATS.replace("echo", "short"), "short.log")

    def test_much(self) -> None:
        """4 MiB one way, then the count the other way."""

        def scenario(side: Side) -> object:
            client = side.connect("count")
            client.send(b"m" * (4 << 20))
            client.end()
            return client.rest()

        self.assertEqual(
            self.same(scenario, COUNT_STATS, "count.log"),
            [b"%d" % (4 << 20), "FIN"],
        )


class H2Client:
    """One HTTP/2 connection with one CONNECT."""

    def __init__(self, peer: Peer, authority: str) -> None:
        self.peer = peer
        self.h2 = H2Connection(H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.h2.send_headers(1, [(":method", "CONNECT"), (":authority", authority)])
        self.status = ""
        self.data = b""
        self.end = ""
        self.flush()

    def flush(self) -> None:
        """Send what there is."""
        self.peer.send(self.h2.data_to_send())

    def send(self, data: bytes, end: bool = False) -> None:
        """Bytes into the tunnel."""
        self.h2.send_data(1, data, end_stream=end)
        self.flush()

    def until(self, text: bytes) -> tuple[str, bytes, str]:
        """Status, bytes and end once these bytes, or the end, have come."""
        while text not in self.data and not self.end:
            more = self.peer.some()
            if not more:
                self.end = "closed"
            for event in self.h2.receive_data(more):
                if isinstance(event, ResponseReceived):
                    self.status = dict(event.headers)[":status"]
                elif isinstance(event, DataReceived):
                    self.data += event.data
                    self.h2.acknowledge_received_data(event.flow_controlled_length, 1)
                elif isinstance(event, StreamEnded):
                    self.end = "ended"
                elif isinstance(event, StreamReset):
                    self.end = f"reset {event.error_code}"
            self.flush()
        return self.status, self.data, self.end


class Waypoints(Streams):
    """The peer of the waypoint: what it was asked for, and HTTP in its tunnels."""

    def __init__(self, peer: Peer) -> None:
        super().__init__(peer)
        self.authorities: list[str] = []

    def happened(self, event: Any) -> None:
        """Answer HTTP requests; other bytes come back in capitals."""
        if isinstance(event, DataReceived) and event.data.startswith(b"GET "):
            text = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
            self.h2.send_data(event.stream_id, text)
        else:
            if hasattr(event, "headers"):
                self.authorities.append(dict(event.headers)[":authority"])
            super().happened(event)

    def serve(self) -> object:
        """The authorities that were asked for."""
        super().serve()
        return self.authorities


class WaypointTests(ParityTestCase):
    """CONNECT ends here, a listener chooses by what the bytes are, and CONNECT goes on."""

    origins: ClassVar[dict[str, Served | None]] = {"peer": lambda peer: Waypoints(peer).serve()}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        """As a mesh's control plane would write it, without TLS."""
        inspector = typed("http_inspector", "filters.listener.http_inspector.v3.HttpInspector")
        original = typed("original_dst", "filters.listener.original_dst.v3.OriginalDst")
        shown = "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %RESPONSE_CODE%"
        state = stateOfRequests(
            (
                "envoy.filters.listener.original_dst.local_ip",
                "envoy.filters.listener.original_dst.local_ip",
                "%REQ(:AUTHORITY)%",
                "ONCE",
            ),
            (
                "envoy.filters.listener.original_dst.remote_ip",
                "envoy.filters.listener.original_dst.remote_ip",
                "%DOWNSTREAM_REMOTE_ADDRESS%",
                "ONCE",
            ),
        )
        connects = {**CONNECT, "route": {**CONNECT["route"], "cluster": "main_internal"}}
        terminate = manager(
            "terminate",
            [connects],
            [state],
            stream_idle_timeout="0s",
            http2_protocol_options={"allow_connect": True, "max_concurrent_streams": 100},
            upgrade_configs=[{"upgrade_type": "CONNECT"}],
        )
        http = manager("main", [route("svc")], log=shown)
        chain = {
            "name": "http",
            "filter_chain_match": {"application_protocols": ["http/1.1", "h2c"]},
            **http["filter_chains"][0],
        }
        log = logTo("tcp.log", "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS%")
        tcp = {"name": "tcp", "filters": [tcpProxy("svc", "plain", access_log=log)]}
        originate = tcpProxy(
            "connect_originate",
            "originate",
            tunneling_config={"hostname": "%DOWNSTREAM_LOCAL_ADDRESS%"},
            access_log=logTo("originate.log", "%DOWNSTREAM_LOCAL_ADDRESS% %UPSTREAM_HOST%"),
        )
        host = {
            "endpoint": {"address": addressOf("internal:connect_originate/127.0.0.1:10002")},
            "metadata": {
                "filter_metadata": {
                    "envoy.filters.listener.original_dst": {"local": "127.0.0.1:10002"}
                }
            },
        }
        return served(
            [
                terminate,
                listener(
                    "main_internal",
                    "internal:",
                    filter_chains=[chain],
                    default_filter_chain=tcp,
                    listener_filters=[original, inspector],
                ),
                listener("connect_originate", "internal:", originate, listener_filters=[original]),
            ],
            [
                cluster("main_internal", "internal:main_internal", transport_socket=passing()),
                cluster(
                    "svc",
                    load_assignment={
                        "cluster_name": "svc",
                        "endpoints": [{"lb_endpoints": [host]}],
                    },
                    transport_socket=passing(("host", "envoy.filters.listener.original_dst")),
                ),
                {
                    "name": "connect_originate",
                    "type": "ORIGINAL_DST",
                    "lb_policy": "CLUSTER_PROVIDED",
                    "cleanup_interval": "60s",
                    "original_dst_lb_config": {"upstream_port_override": ports["peer"]},
                    **http2(options={"allow_connect": True}),
                },
            ],
        )

    def test_http(self) -> None:
        """A request in the tunnel is one of the connection manager in the middle."""

        def scenario(side: Side) -> object:
            client = H2Client(side.connect("terminate"), "10.9.9.9:80")
            client.send(b"GET /x HTTP/1.1\r\nhost: svc\r\n\r\n")
            status, data, end = client.until(b"hello")
            client.peer.close()
            lines = side.program.lines("originate.log", 0)
            head = [line for line in data.split(b"\r\n") if b"date:" not in line]
            timed = [b"service-time" if b"service-time" in line else line for line in head]
            return status, timed, end, lines

        result = self.same(scenario, r"^http\.(terminate|main)\.downstream_rq_[2-5]", "main.log")
        self.assertEqual(result[0], "200")

    def test_tcp(self) -> None:
        """Other bytes go through the default chain."""

        def scenario(side: Side) -> object:
            client = H2Client(side.connect("terminate"), "10.9.9.9:81")
            client.send(b"\x00binary")
            answered = client.until(b"BINARY")
            client.send(b"", end=True)
            rest = client.until(b"never")
            client.peer.close()
            return answered, rest

        result = self.same(scenario, r"^tcp\.(plain|originate)\.", "tcp.log")
        self.assertEqual(result[0][:2], ["200", b"\x00BINARY"])
