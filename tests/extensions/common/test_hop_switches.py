"""What hops do more than Envoy's, in whole bootstraps."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, listener, logTo, setFilterState, tcpProxy, typed
from twisted_envoy.extensions.common.hop_switches import readHopSwitches
from twisted_envoy.internal.registry import getRegistry
from twisted_envoy.server.runtime import Runtime
from twisted_envoy.state.passthrough import ALL_OFF, HopSwitches
from twisted_envoy.testing import MemoryEnvoy

RAW = typed("raw", "transport_sockets.raw_buffer.v3.RawBuffer")
INNER = "twisted_envoy.inner_hop"


def switched(**switches: bool) -> dict[str, Any]:
    """`layered_runtime` with `twisted_envoy.internal.*` switched on."""
    layer = {"twisted_envoy": {"internal": switches}}
    return {"layered_runtime": {"layers": [{"name": "ours", "static_layer": layer}]}}


def passing(*names: tuple[str, str]) -> dict[str, Any]:
    """An internal_upstream socket that passes (kind, name) of metadata."""
    return typed(
        "internal",
        "transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
        transport_socket=RAW,
        passthrough_metadata=[{"kind": {kind: {}}, "name": name} for kind, name in names],
    )


def manager(cluster: str, log: str, prefix: str = "http", *filters: Any) -> dict[str, Any]:
    """An HTTP connection manager that sends everything to a cluster and logs in a format."""
    route = {"match": {"prefix": "/"}, "route": {"cluster": cluster}}
    router = typed("router", "filters.http.router.v3.Router")
    return typed(
        "hcm",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=prefix,
        route_config={"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [route]}]},
        http_filters=[*filters, router],
        access_log=logTo(f"{prefix}.log", log),
    )


def shown(*fields: str) -> str:
    """A log format of fields of the inner hop."""
    return " ".join(f"%UPSTREAM_FILTER_STATE({INNER}:FIELD:{field})%" for field in fields)


class ReadTests(SynchronousTestCase):
    """From layered_runtime."""

    def test_off(self) -> None:
        """Nothing is on by itself."""
        self.assertIs(readHopSwitches(Runtime()), ALL_OFF)

    def test_each(self) -> None:
        """Each has its key."""
        keys = {
            "tell_back": HopSwitches(tellsBack=True),
            "metadata_to_requests": HopSwitches(lendsMetadata=True),
            "pass_dynamic_metadata": HopSwitches(passesMetadata=True),
        }
        for key, expected in keys.items():
            runtime = Runtime({f"twisted_envoy.internal.{key}": True})
            self.assertEqual(readHopSwitches(runtime), expected)
            self.assertEqual(runtime.unasked(), [])


class TellBackTests(SynchronousTestCase):
    """`twisted_envoy.internal.tell_back`: the outer side reads what the inner one learned."""

    def run_(self, fields: str, inner: dict[str, Any], *clusters: Any, **switches: bool) -> Any:
        outer = tcpProxy("hop", "outer", access_log=logTo("outer.log", fields))
        return MemoryEnvoy(
            bootstrap(
                [listener("in", "127.0.0.1:9000", outer), listener("hop", "internal:", inner)],
                [cluster("hop", "internal:hop"), *clusters],
                **switched(**switches),
            )
        )

    def test_peer(self) -> None:
        """Where the inner connection went, how much it carried, and how it ended."""
        fields = shown("cluster", "host", "peer", "bytes_received", "detected_close", "nothing")
        envoy = self.run_(
            fields, tcpProxy("origin"), cluster("origin", "127.0.0.1:10000"), tell_back=True
        )
        origin = envoy.listen("127.0.0.1:10000")
        client = envoy.connect("in")
        client.write(b"abc")
        envoy.settle()
        origin.connections[0].abortConnection()
        envoy.settle()
        self.assertEqual(
            envoy.lines("outer.log"), ["origin 127.0.0.1:10000 127.0.0.1:10000 3 RemoteReset -"]
        )

    def test_off(self) -> None:
        """Without the switch nothing is told, as in Envoy."""
        envoy = self.run_(shown("peer"), tcpProxy("origin"), cluster("origin", "127.0.0.1:10000"))
        envoy.listen("127.0.0.1:10000")
        envoy.connect("in").abortConnection()
        envoy.settle()
        self.assertEqual(envoy.lines("outer.log"), ["-"])

    def test_failure(self) -> None:
        """The inner side could not connect: the outer one's connect fails, and says why."""
        fields = shown("failure", "response_flags", "close_reason")
        envoy = self.run_(
            fields, tcpProxy("origin"), cluster("origin", "127.0.0.1:10000"), tell_back=True
        )
        envoy.connect("in")
        envoy.settle()
        self.assertEqual(
            envoy.lines("outer.log"),
            ["delayed_connect_error:_Connection_refused UF,URX tcp_initializion_failure:0"],
        )

    def test_failureOfARequest(self) -> None:
        """A request's hop fails before its connect is confirmed: its log says why, too."""
        fields = shown("failure", "response_flags", "cluster")
        outer = manager("hop", fields)
        envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener("in", "127.0.0.1:9000", outer),
                    listener("hop", "internal:", tcpProxy("origin")),
                ],
                [cluster("hop", "internal:hop"), cluster("origin", "127.0.0.1:10000")],
                **switched(tell_back=True),
            )
        )
        client = envoy.connect("in")
        client.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        envoy.settle()
        self.assertTrue(client.received.startswith(b"HTTP/1.1 503 "))
        self.assertEqual(
            envoy.lines("http.log"),
            ["delayed_connect_error:_Connection_refused UF,URX origin"],
        )

    def test_failureWithSocket(self) -> None:
        """The same through internal_upstream."""
        outer = tcpProxy("hop", "outer", access_log=logTo("outer.log", shown("response_flags")))
        envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener("in", "127.0.0.1:9000", outer),
                    listener("hop", "internal:", tcpProxy("none")),
                ],
                [cluster("hop", "internal:hop", transport_socket=passing())],
                **switched(tell_back=True),
            )
        )
        envoy.connect("in")
        envoy.settle()
        self.assertEqual(envoy.lines("outer.log"), ["NC"])

    def test_tunnel(self) -> None:
        """Status and headers of the answer to the inner CONNECT."""
        inner = tcpProxy("proxy", tunneling_config={"hostname": "host.com:443"})
        fields = shown("connect_status", "connect_header.x-why", "connect_header.none", "failure")
        envoy = self.run_(fields, inner, cluster("proxy", "127.0.0.1:10000"), tell_back=True)
        origin = envoy.listen("127.0.0.1:10000")
        envoy.connect("in")
        origin.connections[0].write(
            b"HTTP/1.1 403 Forbidden\r\nx-why: no\r\nx-why: really\r\ncontent-length: 0\r\n\r\n"
        )
        envoy.settle()
        self.assertEqual(envoy.lines("outer.log"), ["403 no,really - tunnel_response:403"])

    def test_typed(self) -> None:
        """All that is known, as JSON; the hop behind the hop is in it."""
        line = f"%UPSTREAM_FILTER_STATE({INNER})%|{shown('inner.peer', 'inner.inner.peer')}"
        outer = tcpProxy("mid", "outer", access_log=logTo("outer.log", line))
        envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener("in", "127.0.0.1:9000", outer),
                    listener("mid", "internal:", tcpProxy("last")),
                    listener("last", "internal:", tcpProxy("origin")),
                ],
                [
                    cluster("mid", "internal:mid", transport_socket=passing()),
                    cluster("last", "internal:last/e"),
                    cluster("origin", "127.0.0.1:10000"),
                ],
                **switched(tell_back=True),
            )
        )
        envoy.listen("127.0.0.1:10000")
        envoy.connect("in").abortConnection()
        envoy.settle()
        (text,) = envoy.lines("outer.log")
        whole, _, rest = text.partition("|")
        self.assertEqual(rest, "127.0.0.1:10000 -")
        told = json.loads(whole)
        self.assertEqual(told["peer"], "envoy://last/e")
        self.assertEqual(told["inner"]["host"], "127.0.0.1:10000")

    def test_requests(self) -> None:
        """A request's log reads it of the connection that it went over."""
        log = shown("peer") + " %UPSTREAM_FILTER_STATE(k:PLAIN)%"
        envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener(
                        "in",
                        "127.0.0.1:9000",
                        setFilterState("k", "v", "ONCE"),
                        manager("hop", log),
                    ),
                    listener("hop", "internal:", tcpProxy("origin")),
                ],
                [cluster("hop", "internal:hop"), cluster("origin", "127.0.0.1:10000")],
                **switched(tell_back=True),
            )
        )
        origin = envoy.listen("127.0.0.1:10000")
        client = envoy.connect("in")
        client.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        envoy.settle()
        origin.connections[0].write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        envoy.settle()
        self.assertEqual(envoy.lines("http.log"), ["127.0.0.1:10000 v"])


class MetadataTests(SynchronousTestCase):
    """Dynamic metadata over hops and up to requests."""

    def listeners(self, **switches: bool) -> MemoryEnvoy:
        host = {
            "endpoint": {"address": {"envoy_internal_address": {"server_listener_name": "first"}}},
            "metadata": {"filter_metadata": {"ns": {"who": "host", "deep": {"a": [1]}}}},
        }
        log = "%DYNAMIC_METADATA(ns:who)% %DYNAMIC_METADATA(ns:deep)%"
        tunnelled = tcpProxy("second", "first", access_log=logTo("first.log", log))
        return MemoryEnvoy(
            bootstrap(
                [
                    listener("in", "127.0.0.1:9000", tcpProxy("first")),
                    listener("first", "internal:", tunnelled),
                    listener("second", "internal:", manager("origin", log)),
                ],
                [
                    cluster(
                        "first",
                        load_assignment={
                            "cluster_name": "first",
                            "endpoints": [{"lb_endpoints": [host]}],
                        },
                        transport_socket=passing(("host", "ns")),
                    ),
                    cluster("second", "internal:second", transport_socket=passing()),
                    cluster("origin", "127.0.0.1:10000"),
                ],
                **switched(**switches),
            )
        )

    def logged(self, **switches: bool) -> list[str]:
        envoy = self.listeners(**switches)
        origin = envoy.listen("127.0.0.1:10000")
        client = envoy.connect("in")
        client.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        envoy.settle()
        origin.connections[0].write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        envoy.settle()
        client.loseConnection()
        envoy.settle()
        return [*envoy.lines("first.log"), *envoy.lines("http.log")]

    def test_envoys(self) -> None:
        """The first hop's connection has it, no later one, and no request."""
        self.assertEqual(self.logged(), ['host {"a":[1]}', "- -"])

    def test_onlyPassed(self) -> None:
        """Passed on it is the next connection's, but not its requests'."""
        self.assertEqual(self.logged(pass_dynamic_metadata=True)[1], "- -")

    def test_onlyLent(self) -> None:
        """Requests begin with what their connection has: nothing was passed."""
        self.assertEqual(self.logged(metadata_to_requests=True)[1], "- -")

    def test_both(self) -> None:
        """Together a request two hops away sees it."""
        both = self.logged(pass_dynamic_metadata=True, metadata_to_requests=True)
        self.assertEqual(both, ['host {"a":[1]}'] * 2)


class BufferTests(SynchronousTestCase):
    """`twisted_envoy.internal.buffer_of_listener`: each listener's own limit."""

    def sizes(self, on: bool) -> list[int | None]:
        """Of the pipes of listeners with no limit, one of 5000 bytes, and one that is too small."""
        limits: list[dict[str, Any]] = [{}] + [
            {"per_connection_buffer_limit_bytes": limit} for limit in (5000, 1)
        ]
        envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener(f"l{number}", "internal:", tcpProxy("origin"), **fields)
                    for number, fields in enumerate(limits)
                ],
                [cluster("origin", "127.0.0.1:1")],
                **(switched(buffer_of_listener=True) if on else {}),
            )
        )
        ports = [getRegistry(envoy.clock).find(f"l{number}") for number in range(3)]
        return [None if port is None else port.bufferSize for port in ports]

    def test_off(self) -> None:
        """As in Envoy the bootstrap extension's size is everybody's."""
        self.assertEqual(self.sizes(False), [None] * 3)

    def test_on(self) -> None:
        """The listener's limit, from 1 KiB on."""
        self.assertEqual(self.sizes(True), [None, 5000, 1024])
