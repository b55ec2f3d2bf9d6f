"""
Twisted's own protocols over internal connections, unchanged.
"""

from __future__ import annotations

import datetime
import io

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    clientFromString,
    connectProtocol,
    serverFromString,
    wrapClientTLS,
    wrapServerTLS,
)
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import (
    Certificate,
    PrivateCertificate,
    optionsForClientTLS,
    trustRootFromCertificates,
)
from twisted.internet.task import deferLater
from twisted.protocols.amp import AMP, Command, Integer, String
from twisted.protocols.basic import FileSender, LineReceiver
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent, FileBodyProducer, HTTPConnectionPool, readBody
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site
from zope.interface import implementer

from twisted_envoy.internal import InternalClientEndpoint

MIB = 1024 * 1024


class StockTestCase(TestCase):
    """Listens for the length of a test, under the real reactor."""

    async def listen(self, factory: Factory, name: str = "stock") -> None:
        factory.noisy = False
        await self.keep(await serverFromString(reactor, f"internal:{name}").listen(factory))

    async def keep(self, port: IListeningPort) -> None:
        self.addCleanup(port.stopListening)


class Multiply(Command):
    """A product, and as many bytes."""

    arguments = [(b"a", Integer()), (b"b", Integer())]
    response = [(b"product", Integer()), (b"data", String())]


class Calculator(AMP):
    """Multiplies."""

    @Multiply.responder
    def multiply(self, a: int, b: int) -> dict[str, object]:
        return {"product": a * b, "data": b"x" * (a * b)}


class AMPTests(StockTestCase):
    """twisted.protocols.amp"""

    async def test_calls(self) -> None:
        """A hundred calls at once are answered; a closed connection fails the next."""
        await self.listen(Factory.forProtocol(Calculator))
        client = await connectProtocol(clientFromString(reactor, "internal:stock"), AMP())
        calls = [client.callRemote(Multiply, a=number, b=7) for number in range(100)]
        for number, call in enumerate(calls):
            answer = await call
            self.assertEqual((answer["product"], len(answer["data"])), (number * 7, number * 7))
        client.transport.loseConnection()
        await deferLater(reactor, 0, lambda: None)
        await self.assertFailure(client.callRemote(Multiply, a=1, b=1), ConnectionDone)


class Shout(LineReceiver):
    """Answers each line in capitals; `raw N` switches to N raw bytes, which it counts."""

    counting = 0
    count = 0

    def lineReceived(self, line: bytes) -> None:
        if line == b"quit":
            self.sendLine(b"BYE")
            self.transport.loseConnection()
        elif line.startswith(b"raw "):
            self.counting = int(line[4:])
            self.setRawMode()
        else:
            self.sendLine(line.upper())

    def rawDataReceived(self, data: bytes) -> None:
        self.count += len(data)
        if self.count >= self.counting:
            self.sendLine(b"%d" % self.counting)
            self.setLineMode(b"")


class Lines(LineReceiver):
    """Collects lines, and tells of the end."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.lost: Deferred[None] = Deferred()

    def lineReceived(self, line: bytes) -> None:
        self.lines.append(line)

    def connectionLost(self, reason: object = None) -> None:
        self.lost.callback(None)


class LineTests(StockTestCase):
    """twisted.protocols.basic"""

    async def test_lines(self) -> None:
        """Lines go both ways, split and joined as they may be."""
        await self.listen(Factory.forProtocol(Shout))
        client = await connectProtocol(clientFromString(reactor, "internal:stock"), Lines())
        for piece in (b"one\r\ntw", b"o\r", b"\nthree\r\nraw 100", b"000\r\n" + b"x" * 100_000):
            client.transport.write(piece)
        client.sendLine(b"four")
        client.sendLine(b"quit")
        await client.lost
        self.assertEqual(client.lines, [b"ONE", b"TWO", b"THREE", b"100000", b"FOUR", b"BYE"])

    async def test_fileSender(self) -> None:
        """FileSender, a pull producer, sends 8 MiB through it."""
        received = Collect()
        await self.listen(OneOf(received))
        client = await connectProtocol(clientFromString(reactor, "internal:stock"), Protocol())
        await FileSender().beginFileTransfer(io.BytesIO(b"y" * 8 * MIB), client.transport)
        client.transport.loseConnection()
        await received.lost
        self.assertEqual(received.count, 8 * MIB)


class Collect(Protocol):
    """Counts bytes, and tells of the end."""

    def __init__(self) -> None:
        self.count = 0
        self.lost: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.count += len(data)

    def connectionLost(self, reason: object = None) -> None:
        self.lost.callback(None)


class OneOf(Factory):
    """Builds one protocol, made beforehand."""

    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self.one = protocol

    def buildProtocol(self, addr: object) -> Protocol:
        return self.one


class Page(Resource):
    """A big answer written by a push producer, slowly; a POST is echoed."""

    isLeaf = True

    def render_GET(self, request: Request) -> int:
        request.setHeader(b"x-client", str(request.getClientAddress()).encode())
        Chunks(request).begin()
        return NOT_DONE_YET

    def render_POST(self, request: Request) -> bytes:
        return request.content.read()


class Chunks:
    """Pushes 4 MiB to a request, in turns."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.left = 64
        self.paused = False

    def begin(self) -> None:
        self.request.registerProducer(self, True)
        self.resumeProducing()

    def resumeProducing(self) -> None:
        self.paused = False
        while self.left and not self.paused:
            self.left -= 1
            self.request.write(b"z" * 65536)
        if not self.left and not self.paused:
            self.left = -1
            self.request.unregisterProducer()
            self.request.finish()

    def pauseProducing(self) -> None:
        self.paused = True

    def stopProducing(self) -> None:
        self.paused = True


@implementer(IAgentEndpointFactory)
class Internally:
    """An agent's endpoints: the host is the listener."""

    def endpointForURI(self, uri: object) -> InternalClientEndpoint:
        return InternalClientEndpoint(reactor, uri.host.decode())  # type: ignore[attr-defined,arg-type]


class WebTests(StockTestCase):
    """twisted.web, both sides."""

    async def test_siteAndAgent(self) -> None:
        """Requests over one kept connection: a big answer, a big body, and a last one."""
        await self.listen(Site(Page()), "web")
        pool = HTTPConnectionPool(reactor)
        agent = Agent.usingEndpointFactory(reactor, Internally(), pool)
        response = await agent.request(b"GET", b"http://web/")
        self.assertEqual(
            response.headers.getRawHeaders(b"x-client"),
            [b"envoy://internal_client_address/"],
        )
        self.assertEqual(len(await readBody(response)), 64 * 65536)
        for size in (2 * MIB, 10):
            body = FileBodyProducer(io.BytesIO(b"b" * size))
            response = await agent.request(b"POST", b"http://web/", Headers(), body)
            self.assertEqual(await readBody(response), b"b" * size)
        await pool.closeCachedConnections()


class Echo(Protocol):
    """Writes back what it gets."""

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


def certificate() -> PrivateCertificate:
    """A self-signed certificate for `stock.example`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stock.example")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("stock.example")]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return PrivateCertificate.loadPEM(made.public_bytes(pem) + plain)


class TLSTests(StockTestCase):
    """wrapServerTLS and wrapClientTLS"""

    async def test_echo(self) -> None:
        """4 MiB echoed through TLS on an internal connection, then an orderly close."""
        mine = certificate()
        factory = Factory.forProtocol(Echo)
        factory.noisy = False
        plain = serverFromString(reactor, "internal:tls")
        await self.keep(await wrapServerTLS(mine.options(), plain).listen(factory))
        trust = trustRootFromCertificates([Certificate(mine.original)])
        options = optionsForClientTLS("stock.example", trustRoot=trust)
        endpoint = wrapClientTLS(options, clientFromString(reactor, "internal:tls"))
        received = Collect()
        client = await connectProtocol(endpoint, received)
        for _ in range(64):
            client.transport.write(b"t" * 65536)
        while received.count < 64 * 65536:
            await deferLater(reactor, 0, lambda: None)
        self.assertEqual(client.transport.getPeerCertificate().get_subject().CN, "stock.example")
        client.transport.loseConnection()
        await received.lost
        self.assertEqual(received.count, 64 * 65536)
