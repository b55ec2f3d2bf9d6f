"""Plain Twisted protocols through CONNECT: a proxy's double, and our own proxy, both protocols."""

from __future__ import annotations

from typing import Any

from twisted.internet import ssl
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, wrapClientTLS
from twisted.internet.error import (
    ConnectingCancelledError,
    ConnectionDone,
    ConnectionLost,
    NoProtocol,
    TimeoutError,
)
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.protocols import amp
from twisted.protocols.basic import LineReceiver
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from tests.bootstraps import bootstrap, cluster, listener, typed
from twisted_envoy.http.tunnel import ConnectEndpoint, TunnelRefused
from twisted_envoy.internal import (
    InternalClientEndpoint,
    InternalServerEndpoint,
    getRegistry,
)
from twisted_envoy.testing import MemoryEnvoy

TARGET = "echo.test:443"
PROXY = "127.0.0.1:9000"
ORIGIN = "127.0.0.1:10000"


class Lines(LineReceiver):
    """Keeps lines; answers each when asked to."""

    def __init__(self, answers: bool = False) -> None:
        self.answers = answers
        self.lines: list[bytes] = []
        self.lost: Any = None

    def lineReceived(self, line):
        self.lines.append(line)
        if self.answers:
            self.sendLine(line.upper())

    def connectionLost(self, reason):
        self.lost = reason


@implementer(IHalfCloseableProtocol)
class HalfLines(Lines):
    """The same, half-closeable."""

    ended = False

    def readConnectionLost(self):
        self.ended = True

    def writeConnectionLost(self):
        """Not of interest."""


class Add(amp.Command):
    """A sum."""

    arguments = [(b"a", amp.Integer()), (b"b", amp.Integer())]
    response = [(b"sum", amp.Integer())]


class Adder(amp.AMP):
    """Answers Add."""

    @Add.responder
    def add(self, a, b):
        return {"sum": a + b}


class Proxy(Protocol):
    """A CONNECT proxy of HTTP/1.1 that leads to one protocol of its own, behind `answer`."""

    def __init__(self, target: Any, answer: bytes) -> None:
        self.target = target
        self.answer = answer
        self.asked = b""
        self.opened = False
        self.lost = False

    def dataReceived(self, data):
        if self.opened:
            self.target.dataReceived(data)
            return
        self.asked += data
        if b"\r\n\r\n" in self.asked:
            self.transport.write(self.answer)
            if b" 200 " in self.answer:
                self.opened = True
                self.target.makeConnection(self.transport)

    def connectionLost(self, reason):
        self.lost = True
        if self.opened:
            self.target.connectionLost(reason)


class OneProtocol(Factory):
    """Gives out what it has."""

    noisy = False

    def __init__(self, *protocols: Any) -> None:
        self.protocols = list(protocols)
        self.started = self.stopped = 0
        self.addresses: list[Any] = []

    def startFactory(self):
        self.started += 1

    def stopFactory(self):
        self.stopped += 1

    def buildProtocol(self, addr):
        self.addresses.append(addr)
        return self.protocols.pop(0)


def proxyBootstrap():
    """A listener that takes CONNECT for TARGET and leads to ORIGIN."""
    tunnelled = {"upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}]}
    route = {"match": {"connect_matcher": {}}, "route": {"cluster": "origin", **tunnelled}}
    manager = typed(
        "hcm",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="proxy",
        http2_protocol_options={"allow_connect": True},
        upgrade_configs=[{"upgrade_type": "CONNECT"}],
        route_config={"virtual_hosts": [{"name": "v", "domains": [TARGET], "routes": [route]}]},
        http_filters=[typed("router", "filters.http.router.v3.Router")],
    )
    return bootstrap([listener("ingress", PROXY, manager)], [cluster("origin", ORIGIN)])


class ThroughDouble(SynchronousTestCase):
    """Through a plain Twisted proxy, on a Clock."""

    def setUp(self):
        self.clock = Clock()

    def settle(self):
        getRegistry(self.clock).turn.pump(self.clock)

    def connect(self, client, server, answer=b"HTTP/1.1 200 OK\r\n\r\n", **options):
        """Gives the Deferred; sets proxy and factory."""
        self.proxy = Proxy(server, answer)
        InternalServerEndpoint(self.clock, "proxy").listen(OneProtocol(self.proxy))
        self.factory = client if isinstance(client, Factory) else OneProtocol(client)
        endpoint = ConnectEndpoint(
            self.clock, InternalClientEndpoint(self.clock, "proxy"), TARGET, **options
        )
        connecting = endpoint.connect(self.factory)
        self.settle()
        return connecting


class Exchanges:
    """What runs over a tunnel, whoever keeps the proxy."""

    def test_lines(self):
        """A line protocol, both ways, and its end."""
        client, server = Lines(), Lines(answers=True)
        self.assertIs(self.successResultOf(self.connect(client, server)), client)
        client.sendLine(b"hello")
        self.settle()
        self.assertEqual((server.lines, client.lines), ([b"hello"], [b"HELLO"]))
        client.transport.loseConnection()
        self.settle()
        self.assertIsInstance(client.lost.value, ConnectionDone)
        self.assertIsNotNone(server.lost)

    def test_serverEnds(self):
        """The server's end is the client's."""
        client, server = Lines(), Lines()
        self.connect(client, server)
        server.sendLine(b"bye")
        server.transport.loseConnection()
        self.settle()
        self.assertEqual(client.lines, [b"bye"])
        self.clock.advance(2)  # delayed_close_timeout
        self.settle()
        self.assertIsInstance(client.lost.value, ConnectionDone)

    def test_amp(self):
        """AMP asks and is answered."""
        client, server = amp.AMP(), Adder()
        self.connect(client, server)
        answer = client.callRemote(Add, a=2, b=3)
        self.settle()
        self.assertEqual(self.successResultOf(answer), {"sum": 5})
        client.transport.loseConnection()
        self.settle()

    def test_tls(self):
        """TLS inside the tunnel: handshake, exchange, close."""
        key = ssl.KeyPair.generate(size=2048)
        certificate = key.selfSignedCert(1, CN="echo.test")
        trusting = ssl.CertificateOptions(trustRoot=ssl.trustRootFromCertificates([certificate]))
        client, server = Lines(), Lines(answers=True)
        accepting = TLSMemoryBIOFactory(
            certificate.options(), False, OneProtocol(server), self.clock
        )
        connecting = TLSMemoryBIOFactory(trusting, True, OneProtocol(client), self.clock)
        self.connect(connecting, accepting.buildProtocol(None))
        client.sendLine(b"secret")
        self.settle()
        self.assertEqual((server.lines, client.lines), ([b"secret"], [b"SECRET"]))
        peer = client.transport.getPeerCertificate()
        self.assertEqual(peer.get_subject().CN, "echo.test")
        client.transport.loseConnection()
        self.settle()
        self.assertIsNotNone(client.lost)
        self.assertIsNotNone(server.lost)

    def test_much(self):
        """A mebibyte each way, in order."""
        client, server = Recorder(), Recorder()
        self.connect(client, server)
        data = bytes(range(256)) * 4096
        for one in (client, server):
            one.transport.write(data)
        for _ in range(3):
            self.settle()
        self.assertEqual((client.received == data, server.received == data), (True, True))


class Recorder(Protocol):
    """Keeps bytes."""

    received = b""

    def dataReceived(self, data):
        self.received += data


class DoubleTests(Exchanges, ThroughDouble):
    """HTTP/1.1, in detail."""

    def test_asked(self):
        """What the proxy is asked, and who the factory is told of."""
        self.connect(Lines(), Lines(), headers=[(b"proxy-authorization", b"Basic eDp5")])
        self.assertEqual(
            self.proxy.asked,
            b"CONNECT echo.test:443 HTTP/1.1\r\nhost: echo.test:443\r\n"
            b"proxy-authorization: Basic eDp5\r\n\r\n",
        )
        (address,) = self.factory.addresses
        self.assertEqual((address.hostname, address.port), (b"echo.test", 443))
        self.assertEqual((self.factory.started, self.factory.stopped), (1, 0))
        self.proxy.transport.loseConnection()
        self.settle()
        self.assertEqual(self.factory.stopped, 1)

    def test_early(self):
        """Bytes that come with the answer are the client's."""
        client = Lines()
        answer = b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nfirst\r\n"
        self.connect(client, Lines(), answer)
        self.assertEqual(client.lines, [b"first"])

    def test_halfClose(self):
        """The transport is the proxy's own: it half-closes when it can."""
        client, server = HalfLines(), HalfLines()
        self.connect(client, server)
        client.transport.loseWriteConnection()
        self.settle()
        self.assertIsNone(client.lost)
        self.proxy.transport.loseWriteConnection()
        self.settle()
        self.assertTrue(client.ended)

    def test_refused(self):
        """The status and the headers say why; nothing stays open."""
        connecting = self.connect(
            Lines(), Lines(), b"HTTP/1.1 407 No\r\nproxy-authenticate: Basic\r\n\r\n"
        )
        problem = self.failureResultOf(connecting, TunnelRefused).value
        self.assertEqual(problem.status, 407)
        self.assertEqual(problem.headers[b"proxy-authenticate"], b"Basic")
        self.assertIn("407", str(problem))
        self.assertTrue(self.proxy.lost)
        self.assertEqual(self.factory.stopped, 1)

    def test_garbage(self):
        """What is no HTTP refuses too, with status 0."""
        problem = self.failureResultOf(self.connect(Lines(), Lines(), b"SSH-2.0\r\n\r\n"))
        self.assertEqual(problem.value.status, 0)
        self.assertTrue(self.proxy.lost)

    def test_lost(self):
        """The proxy closes instead of an answer."""
        connecting = self.connect(Lines(), Lines(), b"")
        self.proxy.transport.loseConnection()
        self.settle()
        self.failureResultOf(connecting, ConnectionLost, TunnelRefused)

    def test_timeout(self):
        """A proxy that says nothing."""
        connecting = self.connect(Lines(), Lines(), b"", timeout=5)
        self.assertNoResult(connecting)
        self.clock.advance(5)
        self.settle()
        self.failureResultOf(connecting, TimeoutError)
        self.assertTrue(self.proxy.lost)

    def test_cancelled(self):
        """The attempt is taken back, before and after the proxy is connected."""
        connecting = self.connect(Lines(), Lines(), b"")
        connecting.cancel()
        self.settle()
        self.failureResultOf(connecting, ConnectingCancelledError)
        self.assertTrue(self.proxy.lost)
        endpoint = ConnectEndpoint(self.clock, Never(), TARGET)
        connecting = endpoint.connect(OneProtocol(Lines()))
        connecting.cancel()
        self.failureResultOf(connecting, ConnectingCancelledError)

    def test_noProxy(self):
        """Nobody is there."""
        endpoint = ConnectEndpoint(self.clock, InternalClientEndpoint(self.clock, "nobody"), TARGET)
        self.failureResultOf(endpoint.connect(OneProtocol(Lines())))

    def test_noProtocol(self):
        """A factory that does not want to."""
        connecting = self.connect(OneProtocol(None), Lines())
        self.failureResultOf(connecting, NoProtocol)
        self.assertTrue(self.proxy.lost)

    def test_target(self):
        """It needs a port."""
        for target in ("host", "host:", ":1", "host:x"):
            with self.assertRaises(ValueError):
                ConnectEndpoint(self.clock, Never(), target)


class Never:
    """An endpoint that does not answer."""

    def connect(self, factory):
        return Deferred()


class ThroughEnvoy:
    """Through our own proxy, which terminates CONNECT."""

    http2 = False

    def setUp(self):
        self.envoy = MemoryEnvoy(proxyBootstrap())
        self.clock = self.envoy.clock
        self.settle = self.envoy.settle

    def connect(self, client, server, target=TARGET):
        self.server = OneProtocol(server)
        self.envoy.listen(ORIGIN, self.server)
        factory = client if isinstance(client, Factory) else OneProtocol(client)
        endpoint = ConnectEndpoint(
            self.clock, self.envoy.endpoint("ingress"), target, http2=self.http2
        )
        connecting = endpoint.connect(factory)
        self.settle()
        return connecting

    def test_refused(self):
        """No route for the target."""
        problem = self.failureResultOf(self.connect(Lines(), Lines(), "other.test:1")).value
        self.assertIsInstance(problem, TunnelRefused)
        self.assertEqual(problem.status, 404)
        self.settle()
        self.assertEqual(self.envoy.stat("http.proxy.downstream_cx_active"), 0)


class EnvoyH1Tests(Exchanges, ThroughEnvoy, SynchronousTestCase):
    """HTTP/1.1."""


class EnvoyH2Tests(Exchanges, ThroughEnvoy, SynchronousTestCase):
    """HTTP/2, where each direction ends by itself."""

    http2 = True

    def test_halfClose(self):
        """A late answer arrives behind our end."""
        client, server = HalfLines(), HalfLines()
        self.connect(client, server)
        client.sendLine(b"question")
        client.transport.loseWriteConnection()
        self.settle()
        self.assertEqual((server.lines, server.ended), ([b"question"], True))
        server.sendLine(b"answer")
        server.transport.loseConnection()
        self.settle()
        self.assertEqual((client.lines, client.ended), ([b"answer"], True))
        self.assertIsInstance(client.lost.value, ConnectionDone)
        self.settle()
        self.assertEqual(self.envoy.stat("http.proxy.downstream_cx_active"), 0)

    def test_abort(self):
        """A reset stream ends the other side, and the connection to the proxy."""
        client, server = Lines(), Lines()
        self.connect(client, server)
        client.transport.abortConnection()
        self.settle()
        self.assertIsNotNone(client.lost)
        self.assertIsNotNone(server.lost)
        self.assertEqual(self.envoy.stat("http.proxy.downstream_cx_active"), 0)

    def test_lingers(self):
        """A server that does not end is waited for, not for ever."""
        client, server = Lines(), HalfLines()
        self.connect(client, server)
        client.transport.loseConnection()
        self.settle()
        self.assertIsNotNone(client.lost)
        self.assertEqual(self.envoy.stat("http.proxy.downstream_cx_active"), 1)
        self.envoy.advance(11)
        self.assertEqual(self.envoy.stat("http.proxy.downstream_cx_active"), 0)


class RealTests(TestCase):
    """On the reactor, over loopback."""

    @inlineCallbacks
    def test_tls(self):
        """wrapClientTLS around the endpoint."""
        from twisted.internet import reactor

        certificate = ssl.KeyPair.generate(size=2048).selfSignedCert(1, CN="echo.test")
        server = Lines(answers=True)
        inside = TLSMemoryBIOFactory(certificate.options(), False, OneProtocol(server))
        proxy = Proxy(inside.buildProtocol(None), b"HTTP/1.1 200 OK\r\n\r\n")
        listening = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        port = yield listening.listen(OneProtocol(proxy))
        self.addCleanup(port.stopListening)
        where = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        trusting = ssl.CertificateOptions(trustRoot=ssl.trustRootFromCertificates([certificate]))
        endpoint = wrapClientTLS(trusting, ConnectEndpoint(reactor, where, TARGET))
        client = Waiting()
        yield endpoint.connect(OneProtocol(client))
        client.sendLine(b"secret")
        line = yield client.answer
        self.assertEqual(line, b"SECRET")
        client.transport.loseConnection()
        yield client.gone


class Waiting(LineReceiver):
    """Fires with the first line, and with the loss."""

    def __init__(self) -> None:
        self.answer: Deferred[bytes] = Deferred()
        self.gone: Deferred[None] = Deferred()

    def lineReceived(self, line):
        self.answer.callback(line)

    def connectionLost(self, reason):
        self.gone.callback(None)
