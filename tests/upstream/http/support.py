"""A cluster in memory that speaks HTTP, and who asks it."""

from __future__ import annotations

from itertools import count
from random import Random

from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.support import ONE, World
from twisted_envoy.codec.h2 import H2ServerCodec
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecOutput
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings
from twisted_envoy.http.h2_stats import HTTP2Stats
from twisted_envoy.http.protocol_options import CommonHTTPOptions
from twisted_envoy.interfaces.sockets import ListenOptions
from twisted_envoy.internal import InternalAddress
from twisted_envoy.internal.registry import getRegistry
from twisted_envoy.stats.scope import Store
from twisted_envoy.testing import Origin
from twisted_envoy.upstream.circuit_breaker import Limits
from twisted_envoy.upstream.host import NO_OPTIONS
from twisted_envoy.upstream.http.codecs import clientCodecs
from twisted_envoy.upstream.http.settings import UpstreamHTTP, UpstreamHTTPSettings

GET = HeaderMap(
    [(b":method", b"GET"), (b":path", b"/"), (b":scheme", b"http"), (b":authority", b"a")]
)
POST = HeaderMap([(b":method", b"POST"), *list(GET.pairs())[1:]])
CONNECT = HeaderMap([(b":method", b"CONNECT"), (b":authority", b"a:1")])
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class User:
    """Who asks for a stream, and decodes the response."""

    def __init__(self, headers=GET, ends=True):
        self.headers = headers
        self.ends = ends
        self.encoder = self.connection = self.failed = self.response = self.wasReset = None
        self.interim = []
        self.body = b""
        self.done = False
        self.trailers = None

    def poolReady(self, encoder, connection):
        self.encoder, self.connection = encoder, connection
        self.isNew = connection.isNew
        encoder.encodeHeaders(self.headers, self.ends)

    def poolFailed(self, reason, details, learned=None):
        self.failed = (reason, details)

    def decode1xx(self, headers):
        self.interim.append(headers)

    def decodeHeaders(self, headers, endStream):
        self.response = headers
        self.done = endStream

    def decodeData(self, data, endStream):
        self.body += data
        self.done = endStream

    def decodeTrailers(self, trailers):
        self.trailers = trailers
        self.done = True

    def streamReset(self, reason, details):
        self.wasReset = reason


class HTTPWorld(World):
    """The cluster `c` with its HTTP."""

    def __init__(self, *hosts, protocol="HTTP/1.1", high=None, limits=None, half=False, **given):
        common = {
            name: given.pop(name) for name in list(given) if name in CommonHTTPOptions.__slots__
        }
        http2 = given.pop("http2", None)
        super().__init__(*hosts, **given)
        settings = {} if http2 is None else {"http2": http2}
        self.settings = UpstreamHTTPSettings(
            protocol, common=CommonHTTPOptions(**{"idleTimeout": 3600.0, **common}), **settings
        )
        self.scope = self.store.scope("cluster.c.")
        cluster = self.cluster
        for priority, most in (("default", limits), ("high", high)):
            if most is not None:
                scope = self.scope.scope(f"circuit_breakers.{priority}.")
                cluster.priorities[priority] = Limits(scope, **most)
        self.http = cluster.http = UpstreamHTTP(
            self.settings,
            clientCodecs(self.settings, self.scope, self.clock.seconds),
            self.clock,
            self.turn.post,
            count(1).__next__,
            Random(0),
            half,
        )

    def pool(self, downstream="HTTP/1.1", options=NO_OPTIONS, priority="default", host=0):
        cluster = self.cluster
        return cluster.httpPool(cluster.hosts[host], downstream, options, priority)

    def ask(self, *given, **options):
        """Ask for a stream; what cancels it is the user's `cancel`."""
        user = User(*given)
        user.cancel = self.pool(**options).newStream(user, user)
        return user

    def stat(self, name):
        return self.store.value(f"cluster.c.{name}")


class HTTPTestCase(SynchronousTestCase):
    """One host, at which an Origin listens."""

    protocol = "HTTP/1.1"

    def setUp(self):
        self.use()

    def use(self, *hosts, origin=None, **given):
        given.setdefault("protocol", self.protocol)
        given.setdefault("maxConnections", 1024)
        self.world = HTTPWorld(*(hosts or (ONE,)), **given)
        self.origin = Origin() if origin is None else origin
        address = self.world.cluster.hosts[0].address
        if isinstance(address, InternalAddress):
            getRegistry(self.world.clock).listen(address.name, self.origin)
        else:
            endpoint = self.world.sockets.serverEndpoint(address, ListenOptions())
            self.port = self.successResultOf(endpoint.listen(self.origin))

    def silence(self):
        self.world.sockets.silence(ONE.address)

    def ask(self, *given, **options):
        user = self.world.ask(*given, **options)
        self.world.settle()
        return user

    def answer(self, data=OK, which=-1):
        """What an origin's connection sends."""
        self.origin.connections[which].write(data)
        self.world.settle()

    def stats(self, *names):
        return tuple(self.world.stat(f"upstream_{name}") for name in names)

    def assertIdle(self):
        """No request left anything behind."""
        world = self.world
        host = world.cluster.hosts[0].stats
        for value in (
            *self.stats("rq_active", "rq_pending_active"),
            *(host.rq_active.value, host.rq_pending_active.value),
            *(one.requests.inUse for one in world.cluster.priorities.values()),
            *(one.pendingRequests.inUse for one in world.cluster.priorities.values()),
        ):
            self.assertEqual(value, 0)

    def assertGone(self):
        """Nor did a connection."""
        self.assertIdle()
        world = self.world
        host = world.cluster.hosts[0]
        self.assertEqual(self.stats("cx_active"), (0,))
        self.assertEqual(host.stats.cx_active.value, 0)
        self.assertEqual(host.httpPools, {})
        self.assertEqual(world.cluster.open, {})
        for limits in world.cluster.priorities.values():
            self.assertEqual((limits.connections.inUse, limits.connectionPools.inUse), (0, 0))
        self.assertEqual(world.clock.getDelayedCalls(), [])


class H2Request:
    """A request at an H2Origin, with the stream to answer it."""

    def __init__(self, encoder):
        self.encoder = encoder
        self.headers = self.wasReset = None
        self.body = b""
        self.done = False

    def decodeHeaders(self, headers, endStream):
        self.headers, self.done = headers, endStream

    def decodeData(self, data, endStream):
        self.body += data
        self.done = endStream

    def decodeTrailers(self, trailers):
        self.done = True

    def streamReset(self, reason, details):
        self.wasReset = reason

    def answer(self, body=b"ok"):
        self.encoder.encodeHeaders(HeaderMap([(b":status", b"200")]), False)
        self.encoder.encodeData(body, True)


class H2Origin(Protocol):
    """A connection of a server that speaks HTTP/2."""

    def connectionMade(self):
        self.factory.connections.append(self)
        self.requests = []
        self.goneAway = self.lost = None
        self.output = CodecOutput(self.factory.world.turn.post, self.transport)
        self.codec = H2ServerCodec(
            self,
            self.output,
            self.factory.settings,
            HeaderLimits(),
            HTTP2Stats(Store().scope("http2.")),
            self.factory.world.clock.seconds,
        )

    def newStream(self, encoder):
        self.requests.append(H2Request(encoder))
        return self.requests[-1]

    def goAwayReceived(self, code):
        self.goneAway = code

    def dataReceived(self, data):
        if not self.factory.deaf:
            self.codec.dataReceived(data)

    def connectionLost(self, reason=None):
        self.lost = reason


class H2TestCase(HTTPTestCase):
    """One host that speaks HTTP/2 with these settings."""

    protocol = "HTTP/2"
    settings = HTTP2Settings()

    def use(self, *hosts, settings=None, **given):
        factory = Factory.forProtocol(H2Origin)
        factory.noisy = factory.deaf = False
        factory.connections = []
        factory.settings = settings or self.settings
        super().use(*hosts, origin=factory, **given)
        factory.world = self.world

    @property
    def requests(self):
        return [one for connection in self.origin.connections for one in connection.requests]

    def reply(self, which=-1):
        self.requests[which].answer()
        self.world.settle()
