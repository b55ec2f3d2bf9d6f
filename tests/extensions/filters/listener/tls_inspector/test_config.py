"""The TLS inspector in a bootstrap: TLS passed through by name, on sockets and behind a hop."""

from __future__ import annotations

import json
import ssl
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.test_tls_hello import hello, record
from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.filters.listener.tls_inspector import factories
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.testing import MemoryEnvoy, Origin, Peer

TYPES = "type.googleapis.com/envoy.extensions."
INSPECTOR = "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
NAMES = ("alpha", "beta", "tls", "plain")


def chain(name: str, **match: Any) -> dict[str, Any]:
    """A filter chain that proxies to the cluster of its name."""
    proxy = {
        "@type": TYPES + "filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": name,
        "cluster": name,
    }
    filters = [{"name": "p", "typed_config": proxy}]
    return {"name": name, "filter_chain_match": match, "filters": filters}


def listener(name: str, **more: Any) -> dict[str, Any]:
    """A listener that chooses by what the inspector finds."""
    inspector = {"@type": TYPES + "filters.listener.tls_inspector.v3.TlsInspector"}
    log = {
        "@type": TYPES + "access_loggers.file.v3.FileAccessLog",
        "path": "/log",
        "log_format": {"text_format": "%REQUESTED_SERVER_NAME% %FILTER_CHAIN_NAME%\n"},
    }
    return {
        "name": name,
        "listener_filters": [{"name": "tls", "typed_config": inspector}],
        "filter_chains": [
            chain("alpha", server_names=["alpha.test", "*.alpha.test"]),
            chain("beta", transport_protocol="tls", application_protocols=["beta"]),
            chain("tls", transport_protocol="tls"),
            chain("plain", transport_protocol="raw_buffer"),
        ],
        "access_log": [{"name": "f", "typed_config": log}],
        **more,
    }


def address(port: int, host: str = "127.0.0.1") -> dict[str, Any]:
    """A socket address."""
    return {"socket_address": {"address": host, "port_value": port}}


def cluster(name: str, where: dict[str, Any]) -> dict[str, Any]:
    """A static cluster of one host."""
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": where}}]}]
    return {"name": name, "load_assignment": {"cluster_name": name, "endpoints": endpoints}}


def bootstrap(**more: Any) -> str:
    """`socket` chooses itself; `outer` proxies to `inner`, which chooses behind the hop."""
    inner = {"envoy_internal_address": {"server_listener_name": "inner"}}
    hop = {"name": "outer", "address": address(9001), "filter_chains": [chain("inner")]}
    extension = {"@type": TYPES + "bootstrap.internal_listener.v3.InternalListener"}
    made = {
        "bootstrap_extensions": [{"name": "i", "typed_config": extension}],
        "static_resources": {
            "listeners": [
                listener("socket", address=address(9000), **more),
                hop,
                listener("inner", internal_listener={}, **more),
            ],
            "clusters": [
                cluster("inner", inner),
                *(cluster(name, address(100 + at)) for at, name in enumerate(NAMES)),
            ],
        },
    }
    return json.dumps(made, indent=1)


class TLSEnd:
    """One end of TLS whose bytes go through a Peer."""

    def __init__(self, context: ssl.SSLContext, peer: Peer, **wrap: Any) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, **wrap)
        self.peer = peer
        self._taken = 0

    def step(self) -> bool:
        """Take what came, go on with the handshake, send; True once it is done."""
        self.incoming.write(self.peer.received[self._taken :])
        self._taken = len(self.peer.received)
        try:
            self.tls.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            done = False
        self.flush()
        return done

    def flush(self) -> None:
        """Send what TLS has made."""
        self.peer.write(self.outgoing.read())

    def read(self) -> bytes:
        """What came, decrypted."""
        self.step()
        return self.tls.read()


def serverContext(path: str) -> ssl.SSLContext:
    """A server's context with a certificate of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    pem = serialization.Encoding.PEM
    with open(path, "wb") as file:
        file.write(builder.sign(key, hashes.SHA256()).public_bytes(pem))
        plain = serialization.NoEncryption()
        file.write(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


class PassthroughTests(SynchronousTestCase):
    """TLS between a client and an origin; the proxy only looks at the beginning."""

    def start(self, **more: Any) -> MemoryEnvoy:
        """Run; origins by the name of their chain."""
        envoy = MemoryEnvoy(bootstrap(**more))
        self.addCleanup(envoy.stop)
        self.origins: dict[str, Origin] = {
            name: envoy.listen(f"127.0.0.1:{100 + at}") for at, name in enumerate(NAMES)
        }
        return envoy

    def reached(self) -> list[str]:
        """The origins that have connections."""
        return [name for name, origin in self.origins.items() if origin.connections]

    def test_handshake(self) -> None:
        """A whole TLS session, on sockets and behind a hop, to the origin of the name."""
        server = serverContext(self.mktemp())
        for where in ("socket", "outer"):
            envoy = self.start()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            client = TLSEnd(context, envoy.connect(where), server_hostname="www.Alpha.test")
            client.step()
            envoy.settle()
            self.assertEqual(self.reached(), ["alpha"])
            origin = TLSEnd(server, self.origins["alpha"].connections[0], server_side=True)
            for _ in range(4):
                ends = [one.step() for one in (origin, client)]
                envoy.settle()
            self.assertEqual(ends, [True, True])

            client.tls.write(b"question")
            client.flush()
            envoy.settle()
            self.assertEqual(origin.read(), b"question")
            origin.tls.write(b"answer")
            origin.flush()
            envoy.settle()
            self.assertEqual(client.read(), b"answer")

            client.peer.loseConnection()
            origin.peer.loseConnection()
            envoy.settle()
            self.assertEqual(envoy.lines("/log"), ["www.alpha.test alpha"])

    def test_byProtocol(self) -> None:
        """ALPN chooses, in the client's order; else any TLS; else plaintext, unchanged."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        for protocols, name in ((["x", "beta"], "beta"), (["x"], "tls")):
            for where in ("socket", "outer"):
                envoy = self.start()
                context.set_alpn_protocols(protocols)
                TLSEnd(context, envoy.connect(where), server_hostname="b.test").step()
                envoy.settle()
                self.assertEqual(self.reached(), [name])
        for where in ("socket", "outer"):
            envoy = self.start()
            envoy.connect(where).write(b"GET / HTTP/1.1\r\n")
            envoy.settle()
            self.assertEqual(self.reached(), ["plain"])
            self.assertEqual(self.origins["plain"].connections[0].received, b"GET / HTTP/1.1\r\n")

    def test_everySplit(self) -> None:
        """However the hello comes, the origin gets every byte of it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing, server_hostname="alpha.test")
        self.assertRaises(ssl.SSLWantReadError, client.do_handshake)
        data = outgoing.read() + b"more"
        envoy = self.start()
        for cut in range(0, len(data), 7):
            peer = envoy.connect("socket")
            for part in (data[:cut], data[cut:]):
                peer.write(part)
                envoy.settle()
            self.assertEqual(self.origins["alpha"].connections[-1].received, data)
        self.assertEqual(self.reached(), ["alpha"])

    def test_timeout(self) -> None:
        """A client that says too little is closed, or goes on as plaintext."""
        for goesOn in (False, True):
            envoy = self.start(
                listener_filters_timeout="2s", continue_on_listener_filters_timeout=goesOn
            )
            client = envoy.connect("socket")
            client.write(b"ab")
            envoy.advance(2.1)
            self.assertEqual(envoy.stat("listener.127.0.0.1_9000.downstream_pre_cx_timeout"), 1)
            self.assertEqual(self.reached(), ["plain"] if goesOn else [])
            self.assertEqual(client.wasReset, not goesOn)
            self.assertEqual(envoy.lines("/log"), [] if goesOn else ["- -"])


class ConfigTests(SynchronousTestCase):
    """The message."""

    def test_fields(self) -> None:
        """All fields but fingerprints."""
        config = configOf(
            INSPECTOR,
            {
                "enable_ja3_fingerprinting": False,
                "enable_ja4_fingerprinting": False,
                "initial_read_buffer_size": 256,
                "max_client_hello_size": 300,
                "close_connection_on_client_hello_parsing_errors": True,
            },
        )
        (factory,) = factories
        made = factory.build(config, Context())()
        self.assertEqual(made.maxReadBytes, 300)
        self.assertEqual(unreadFields(config), [])

    def test_fingerprints(self) -> None:
        """Each is taken if it is asked for."""
        for fields in (("ja3",), ("ja4",), ("ja3", "ja4")):
            config = configOf(INSPECTOR, {f"enable_{each}_fingerprinting": True for each in fields})
            inspector = factories[0].build(config, Context())()
            info = StreamInfo(0.0)
            inspector.feed(record(hello()), info)

            self.assertEqual(unreadFields(config), [])
            taken = [each for each in ("ja3", "ja4") if getattr(info, each)]
            self.assertEqual(taken, list(fields))
