"""Listener filters that read, and transport sockets that write what they read."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any, ClassVar

from tests.bootstraps import cluster, directResponse, echo, listener, logTo, tcpProxy, typed
from tests.codec.test_proxy_protocol_reader import BODY4, binary, tlv
from tests.extensions.filters.listener.proxy_protocol.test_config import proxyProtocol
from tests.extensions.transport_sockets.proxy_protocol.support import RAW, sending
from tests.parity.peers import Peer, Served
from tests.parity.support import ParityTestCase, Side, served

_STATE = "envoy.network.proxy_protocol.tlv"
LOG = (
    "%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT% "
    "%DOWNSTREAM_LOCAL_ADDRESS% flags=%RESPONSE_FLAGS% rx=%BYTES_RECEIVED% "
    "%DYNAMIC_METADATA(envoy.filters.listener.proxy_protocol)% %DYNAMIC_METADATA(ns)% "
    f"%FILTER_STATE({_STATE}:FIELD:k1)% %FILTER_STATE({_STATE}:FIELD:k2)%"
)
STATS = r"^proxy_proto|proxy_proto_error|upstream\.proxyprotocol|pre_cx|listener_filter"
RULES: list[dict[str, Any]] = [
    {"tlv_type": 2, "on_tlv_present": {"key": "k1"}},
    {"tlv_type": 0xEA, "on_tlv_present": {"metadata_namespace": "ns", "key": "k2"}},
    {"tlv_type": 3, "on_tlv_present": {"key": "k3", "value_string_encoding": "BASE64"}},
    {"tlv_type": 4, "on_tlv_present": {"key": "k4", "value_string_encoding": "SANITIZED_UTF8"}},
]
LINES = (
    *("TCP4 1.2.3.4 10.0.0.1 1111 80", "TCP6 2001:db8::1 ::2 1111 80", "UNKNOWN", "UNKNOWN a b"),
    *("TCP4 1.2.3.4 10.0.0.1 111111 80", "TCP4 1.2.3.4 10.0.0.1 0 0", "TCP4 1.2.3.4 10.0.0.1 1"),
    *(
        "TCP4 2001:db8::1 ::2 1111 80",
        "TCP4 0.0.0.0 10.0.0.1 1111 80",
        "TCP4  1.2.3.4 10.0.0.1 1 2",
    ),
    *("TCP4 224.0.0.1 10.0.0.1 1111 80", "UDP4 1.2.3.4 10.0.0.1 1111 80", "UNKNOWNX", ""),
    *("TCP4 1.2.3.4 10.0.0.1 +1 80", "TCP4 01.2.3.4 10.0.0.1 1 80", "UNKNOWN " + "1" * 92),
    *("UNKNOWN " + "1" * 93, "TCP6 fe80::1%7 ::2 1 2", "TCP6 ::ffff:1.2.3.4 ::2 1 80"),
)
BINARY = (
    *((0x21, 0x11, BODY4), (0x20, 0, b""), (0x20, 0x11, BODY4 + tlv(2, b"x")), (0x20, 0, b"junk")),
    *((0x21, 0, b""), (0x21, 0x12, BODY4), (0x21, 0x31, b"a" * 216), (0x21, 0x41, BODY4)),
    *((0x21, 0x10, BODY4), (0x11, 0x11, BODY4), (0x22, 0x11, BODY4), (0x21, 0x11, bytes(12))),
    *((0x21, 0x11, BODY4 + tlv(2, b"host") + tlv(0xEA, b"v\xff\0e")), (0x21, 0x11, BODY4[:11])),
    *(
        (0x21, 0x11, BODY4 + tlv(3, b"b\xff6") + tlv(4, b"s\xffn")),
        (0x21, 0x11, BODY4 + b"\2\0\3x"),
    ),
    *(
        (0x21, 0x11, BODY4 + tlv(2, b"one") + tlv(2, b"")),
        (0x21, 0x11, BODY4 + tlv(2, b"ok") + b"\3"),
    ),
    (0x21, 0x11, BODY4 + tlv(2, b"x" * 30000)),
)
BINARIES = tuple(binary(*one) for one in BINARY)
_PORTS = re.compile(rb"\d+ \d+\r\n")
TOLD = binary(0x21, 0x11, BODY4 + tlv(2, b"host") + tlv(0xEA, b"vpce"))


def encoded(text: bytes) -> str:
    """As JSON has bytes."""
    return b64encode(text).decode()


class ProxyProtocolTests(ParityTestCase):
    """The listener filter, with each of its settings."""

    waiting: ClassVar[tuple[str, ...]] = ("waits", "maybe", "never")

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        variants: dict[str, dict[str, Any]] = {
            **{name: {} for name in ("plain", "lines", "binary", "waits")},
            "maybe": {"allow_requests_without_proxy_protocol": True},
            "optional": {"allow_requests_without_proxy_protocol": True},
            "rules": {"rules": RULES},
            "state": {"rules": RULES, "tlv_location": "FILTER_STATE"},
            "notOne": {"disallowed_versions": ["V1"]},
            "never": {"disallowed_versions": ["V2"]},
            "notTwo": {"disallowed_versions": ["V2"]},
            "maybeTwo": {
                "disallowed_versions": ["V1"],
                "allow_requests_without_proxy_protocol": True,
            },
            "mine": {"stat_prefix": "mine"},
        }
        return served(
            [
                listener(
                    name,
                    "127.0.0.1:0",
                    echo(),
                    stat_prefix=name,
                    access_log=logTo(f"{name}.log", LOG),
                    listener_filters=[proxyProtocol(**fields)],
                    listener_filters_timeout="0.2s" if name in cls.waiting else "5s",
                )
                for name, fields in variants.items()
            ]
        )

    def each(self, name: str, *texts: bytes) -> None:
        """Say each of the texts on a connection of its own, and end it."""

        def scenario(side: Side) -> object:
            got = []
            for text in texts:
                client = side.connect(name)
                client.send(text)
                first = client.some()
                if first:
                    client.end()
                got.append((text[:40], first, client.rest()))
            return got

        self.same(scenario, STATS, f"{name}.log", len(texts))

    def test_lines(self) -> None:
        """Version 1."""
        self.each("lines", *(f"PROXY {line}\r\nhi".encode() for line in LINES))

    def test_binary(self) -> None:
        """Version 2."""
        self.each("binary", *(one + b"hi" for one in BINARIES))

    def test_rules(self) -> None:
        """Extensions in metadata."""
        self.each("rules", *(one + b"hi" for one in BINARIES))

    def test_state(self) -> None:
        """Extensions in filter state."""
        self.each("state", *(one + b"hi" for one in BINARIES))

    def test_without(self) -> None:
        """No header."""
        for name in ("plain", "optional", "notOne", "notTwo", "maybeTwo", "mine"):
            self.each(
                name,
                *(b"GET /index.html ", b"PROPFIND / HTTP/1.1", b"ab\r\n", b"PROXY\r\n"),
                *(b"PROXY UNKNOWN\r\nhi", BINARIES[0] + b"hi", b"PROXY TCP4 bad\r\n"),
            )

    def test_incomplete(self) -> None:
        """The beginning of one, or too little to know."""
        for name in self.waiting:
            self.each(
                name, b"GET /index.html", *(BINARIES[0][:at] for at in (5, 15, 16)), b"\r\nab"
            )


def answering(name: str, address: str, **fields: Any) -> dict[str, Any]:
    """A listener that answers with its name, and is not bound itself."""
    log = logTo(f"{name}.log", LOG)
    given = {"bind_to_port": False, "access_log": log, "stat_prefix": name, **fields}
    return listener(name, address, directResponse(name), **given)


class AcceptingTests(ParityTestCase):
    """Which listener, which filters, and for how long they may look."""

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        believing = [proxyProtocol(rules=RULES, allow_requests_without_proxy_protocol=True)]
        inspector = typed("http", "filters.listener.http_inspector.v3.HttpInspector")
        own = {"bind_to_port": True}
        unless = [
            {**proxyProtocol(), "filter_disabled": {"destination_port_range": {"end": 65536}}},
            {**inspector, "filter_disabled": {"not_match": {"any_match": True}}},
        ]
        return served(
            [
                answering(
                    "front",
                    "127.0.0.1:0",
                    use_original_dst=True,
                    listener_filters=believing,
                    **own,
                ),
                answering("exact", "10.0.0.1:80"),
                answering("any", "0.0.0.0:80"),
                answering("looks", "10.0.0.1:81", listener_filters=[inspector]),
                answering(
                    "again", "10.0.0.1:82", use_original_dst=True, listener_filters=believing
                ),
                answering("unless", "127.0.0.1:0", listener_filters=unless, **own),
                *(
                    answering(
                        f"waits{goesOn}",
                        "127.0.0.1:0",
                        listener_filters=[inspector],
                        listener_filters_timeout="0.3s",
                        continue_on_listener_filters_timeout=goesOn,
                        **own,
                    )
                    for goesOn in (False, True)
                ),
            ]
        )

    def answers(self, name: str, log: str, *texts: bytes) -> None:
        """What comes back."""

        def scenario(side: Side) -> object:
            got = []
            for text in texts:
                client = side.connect(name)
                client.send(text)
                got.append((text, client.rest()[0]))
            return got

        self.same(scenario, rf"http_inspector|^listener\.({log})\.", f"{log}.log", len(texts))

    def test_handedOver(self) -> None:
        """To the listener of the restored address."""
        for log, target in (
            *(("exact", "10.0.0.1 5 80"), ("any", "10.0.0.2 5 80"), ("looks", "10.0.0.1 5 81")),
            *(("again", "10.0.0.1 5 82"), ("front", "10.0.0.1 5 99")),
        ):
            head = f"PROXY TCP4 1.2.3.4 {target}\r\n".encode()
            self.answers("front", log, head + b"PROXY TCP4 1.2.3.4 10.0.0.1 5 80\r\n")

    def test_disabled(self) -> None:
        """One filter is, the other is not."""
        self.answers("unless", "unless", b"GET / HTTP/1.1\r\n\r\n")

    def test_timeout(self) -> None:
        """The filters have not enough in time."""
        for name in ("waitsFalse", "waitsTrue"):
            self.answers(name, name, b"GET /")


def hears(peer: Peer) -> object:
    """Everything until `hi`, then an answer."""
    data = b""
    while not data.endswith(b"hi"):
        data += peer.receive(1)
    peer.send(b"ok")
    return data if b"1.2.3.4" in data or b"2001" in data else _PORTS.sub(b"PORTS", data)


class UpstreamProxyProtocolTests(ParityTestCase):
    """The transport socket, with each of its settings."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": hears}
    configs: ClassVar[dict[str, dict[str, Any]]] = {
        "one": {"version": "V1"},
        "two": {"version": "V2"},
        "all": {"version": "V2", "pass_through_tlvs": {}},
        "some": {
            "version": "V2",
            "pass_through_tlvs": {"match_type": "INCLUDE", "tlv_type": [2]},
        },
        "added": {
            "version": "V2",
            "pass_through_tlvs": {},
            "added_tlvs": [
                {"type": 0xF0, "value": encoded(b"added")},
                {"type": 2, "value": encoded(b"over")},
            ],
        },
    }
    policies: ClassVar[tuple[str, ...]] = (
        *("ADD_IF_ABSENT", "OVERWRITE_BY_TYPE_IF_EXISTS_OR_ADD"),
        "APPEND_IF_EXISTS_OR_ADD",
    )

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        origin = f"127.0.0.1:{ports['origin']}"
        listeners, clusters = [], []
        told = [proxyProtocol(pass_through_tlvs={})]
        for name, config in cls.configs.items():
            clusters.append(cluster(name, origin, transport_socket=sending(config=config)))
            proxy = tcpProxy(name)
            listeners.append(listener(name, "127.0.0.1:0", proxy, listener_filters=told))
        for policy in cls.policies:
            tlvs = [{"type": 2, "value": encoded(b"tcp")}, {"type": 0xF6, "value": encoded(b"x")}]
            fields = {"proxy_protocol_tlvs": tlvs, "proxy_protocol_tlv_merge_policy": policy}
            proxy = tcpProxy("all", **fields)
            listeners.append(listener(policy, "127.0.0.1:0", proxy, listener_filters=told))
        hop = typed(
            "hop",
            "transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
            transport_socket=sending(config=cls.configs["all"]),
        )
        clusters.append(cluster("hop", "internal:inner", transport_socket=hop))
        clusters.append(cluster("plain", "internal:bare", transport_socket=RAW))
        listeners += [
            listener("outer", "127.0.0.1:0", tcpProxy("hop"), listener_filters=told),
            listener("inner", "internal:", tcpProxy("all"), listener_filters=told),
            listener("toBare", "127.0.0.1:0", tcpProxy("plain")),
            listener("bare", "internal:", tcpProxy("two")),
        ]
        return served(listeners, clusters)

    def heard(self, name: str, *texts: bytes) -> None:
        """What the origin hears of each text."""

        def scenario(side: Side) -> object:
            got = []
            for text in texts:
                count = len(side.origins["origin"].seen) + 1
                client = side.connect(name)
                client.send(text)
                got.append((client.receive(2), side.seen("origin", count)[-1]))
            return got

        self.same(scenario, STATS)

    def test_versions(self) -> None:
        """Of clients that tell something, and of those that say that they are themselves."""
        for name in self.configs:
            self.heard(name, TOLD + b"hi", b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\nhi")

    def test_extensions(self) -> None:
        """In their order, all of them; and what has no room."""
        many = BODY4 + tlv(2, b"a") + tlv(2, b"b") + tlv(4, b"noop") + tlv(3, b"sum!")
        long = BODY4 + tlv(0x22, b"x" * 65500)
        for name in ("all", "some", "added"):
            self.heard(name, binary(0x21, 0x11, many) + b"hi", binary(0x21, 0x11, long) + b"hi")

    def test_policies(self) -> None:
        """Of the TCP proxy's own TLVs."""
        for policy in self.policies:
            self.heard(policy, TOLD + b"hi")

    def test_hops(self) -> None:
        """Over a hop; and behind one without any addresses."""
        self.heard("outer", TOLD + b"hi")
        self.heard("toBare", b"hi")
