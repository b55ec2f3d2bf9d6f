"""A router between a stream and a pool that are both doubles."""

from __future__ import annotations

import random
from itertools import count
from types import SimpleNamespace

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock

from tests.extensions.support import configOf
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.extensions.filters.http.router.config import RouterFactory
from twisted_envoy.http.routes.entry import RouteEntry
from twisted_envoy.http.routes.virtual_clusters import VirtualClusters
from twisted_envoy.interfaces.extensions import Node
from twisted_envoy.network.read_gate import ReadGate
from twisted_envoy.server.runtime import Runtime
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.scope import Store
from twisted_envoy.upstream.circuit_breaker import Limits
from twisted_envoy.upstream.stats import ClusterStats, HostStats

ROUTER = "envoy.extensions.filters.http.router.v3.Router"
CLIENT = IPv4Address("TCP", "127.0.0.1", 40000)
HERE = IPv4Address("TCP", "127.0.0.1", 8080)
THERE = IPv4Address("TCP", "127.0.0.1", 9000)


class Host:
    """An IHost with counters."""

    canary = False
    monitor = None
    passiveHealth = None

    def __init__(self, cluster, hostname="", port=9000):
        self.cluster = cluster
        self.hostname = hostname
        self.address = IPv4Address("TCP", "127.0.0.1", port)
        self.stats = HostStats()
        self.metadata = {}
        self.locality = type("Locality", (), {"zone": ""})


class Encoder:
    """Keeps what is encoded for the upstream."""

    streamID = 1
    headerBytes = 50
    wireBytes = 80
    receivedHeaderBytes = 20
    receivedWireBytes = 60

    def __init__(self):
        self.headers = None
        self.body = b""
        self.ended = False
        self.trailers = None
        self.reset = None
        self.producer = None
        self.paused = 0

    def encodeHeaders(self, headers, endStream):
        self.headers = headers.copy()
        self.ended = endStream

    def encodeData(self, data, endStream):
        assert not self.ended
        self.body += data
        self.ended = endStream

    def encodeTrailers(self, trailers):
        self.trailers = trailers
        self.ended = True

    def resetStream(self, reason):
        self.reset = reason

    def registerProducer(self, producer):
        self.producer = producer

    def pauseReading(self):
        self.paused += 1

    def resumeReading(self):
        self.paused -= 1


class Connection:
    """A PoolConnection."""

    def __init__(self, host, protocol, number):
        self.host = host
        self.protocol = protocol
        self.connectionID = number
        self.localAddress = HERE
        self.remoteAddress = host.address
        self.isNew = True
        self.connectedTime = 0.0
        self.filterState = None
        self.tls = None
        self.passthrough = None
        self.closing = False

    def closeAfterStream(self):
        self.closing = True


class Asked:
    """One newStream."""

    def __init__(self, pool, decoder, user):
        self.pool = pool
        self.decoder = decoder
        self.user = user
        self.encoder = Encoder()
        self.cancelled = False

    def cancel(self):
        self.cancelled = True

    def ready(self):
        number = len(self.pool.cluster.asked)
        self.user.poolReady(
            self.encoder, Connection(self.pool.host, self.pool.cluster.protocol, number)
        )

    def answer(self, status=200, body=b"", more=(), endStream=True):
        headers = HeaderMap(((b":status", b"%d" % status), *more))
        self.decoder.decodeHeaders(headers, endStream and not body)
        if body:
            self.decoder.decodeData(body, endStream)

    def reset(self, reason=Reset.CONNECTION_TERMINATION, details=""):
        self.decoder.streamReset(reason, details)


class Pool:
    """An IHTTPPool that is ready at once, unless its cluster is told to wait or to fail."""

    def __init__(self, cluster, host):
        self.cluster = cluster
        self.host = host
        self.protocol = cluster.protocol

    def newStream(self, decoder, user):
        asked = Asked(self, decoder, user)
        self.cluster.asked.append(asked)
        if self.cluster.failures:
            user.poolFailed(*self.cluster.failures.pop(0))
            return None
        if self.cluster.waits:
            return asked.cancel
        asked.ready()
        return None


class Cluster:
    """An ICluster and IHTTPCluster."""

    def __init__(self, store, name="origin", hosts=1):
        self.name = self.observabilityName = name
        scope = store.scope(f"cluster.{name}.")
        self.stats = ClusterStats(scope)
        self.priorities = {
            "default": Limits(scope.scope("circuit_breakers.default.")),
            "high": Limits(scope.scope("circuit_breakers.high.")),
        }
        self.hosts = [Host(self, f"host{n}.test", 9000 + n) for n in range(hosts)]
        self.asked = []
        self.failures = []
        self.waits = False
        self.protocol = "HTTP/1.1"
        self.contexts = []
        self.poolArguments = []
        self.metadata = {}
        self.http = None
        self.seconds = float  # always 0.0

    def chooseHost(self, context):
        self.contexts.append(context)
        if not self.hosts:
            return None
        return self.hosts[(len(self.contexts) - 1) % len(self.hosts)]

    def httpPool(self, host, downstreamProtocol, options, priority):
        self.poolArguments.append((host, downstreamProtocol, options, priority))
        return Pool(self, host)


class VirtualHost:
    """What a RouteEntry takes from its virtual host."""

    name = "vh"
    retryPolicy = None
    includeAttemptCountRequest = includeAttemptCountResponse = includeIsTimeoutRetry = False
    requestBufferLimit = None
    routeConfigs: dict = {}
    filterDisabled: dict = {}
    virtualClusters = VirtualClusters(())
    corsPolicies = ()


class Producer:
    def __init__(self):
        self.paused = 0

    def pauseProducing(self):
        self.paused += 1

    def resumeProducing(self):
        self.paused -= 1


class Stream:
    """An HTTPStream: keeps the answer."""

    def __init__(self, route, headers):
        parent = StreamInfo(0.0, HERE, CLIENT, 1)
        self.connection = SimpleNamespace(
            transport=object(), streamInfo=parent, info=parent, hops=0
        )
        replies = SimpleNamespace(isPlain=False)
        self.settings = SimpleNamespace(localReplies=replies)
        self.streamInfo = RequestInfo(parent, 0.0)
        self.streamInfo.protocol = "HTTP/1.1"
        self.streamInfo.requestHeaders = self.requestHeaders = headers
        self.requestTrailers = None
        self.requestEnded = False
        self.isTunnel = False
        self.route = route
        self.bufferLimit = 1000
        self.reading = Producer()
        self.gate = ReadGate(self.reading)
        self.producer = None
        self.reply = None
        self.details = None
        self.interim = []
        self.headers = None
        self.body = b""
        self.trailers = None
        self.ended = False
        self.recreated = None
        self.recreates = True

    @property
    def status(self):
        return None if self.headers is None else int(self.headers[b":status"])

    @property
    def flags(self):
        return ",".join(self.streamInfo.responseFlags)

    def sendLocalReply(self, status, body, details, headers=(), grpcStatus=None):
        self.streamInfo.responseCodeDetails = self.details = details
        if self.headers is not None:
            self.ended = "reset"
            return
        self.reply = (status, body)
        self.headers = HeaderMap(((b":status", b"%d" % status), *headers))
        self.body = body
        self.ended = True

    def sendReply(self, headers, body, details):
        self.streamInfo.responseCodeDetails = self.details = details
        self.headers, self.body = headers, body
        self.ended = True

    def registerProducer(self, producer):
        self.producer = producer

    def encode1xx(self, headers):
        self.interim.append(headers)

    def encodeHeaders(self, headers, endStream):
        assert self.headers is None
        self.headers = headers
        self.ended = endStream

    def encodeData(self, data, endStream):
        assert not self.ended
        self.body += data
        self.ended = endStream

    def encodeTrailers(self, trailers):
        self.trailers = trailers
        self.ended = True

    def recreate(self, headers, body=b""):
        if self.recreates:
            self.recreated = (headers, body)
        return self.recreates


class Clusters(dict):
    """An IClusterManager."""

    def names(self):
        return list(self)


class Routing:
    """
    One router's factory, a cluster and a route to it.

    Args:
        config: of the Router message. runtime: values.
    """

    def __init__(self, config=None, runtime=None, hosts=1):
        self.reactor = Clock()
        self.stats = Store()
        self.scope = self.stats.scope("http.hcm.")
        self.random = random.Random(7)
        self.runtime = Runtime(runtime or {})
        self.cluster = Cluster(self.stats, hosts=hosts)
        self.clusters = Clusters(origin=self.cluster)
        self.singletons = {}
        self.repliesPlainly = False
        self.nextID = count(1).__next__
        self.route = RouteEntry(VirtualHost())
        self.route.clusterName = lambda headers: "origin"
        self.node = Node(zone="here")
        self.make = RouterFactory().build(configOf(ROUTER, config or {}), self)

    def singleton(self, key, make):
        return self.singletons.setdefault(key, make())

    def request(self, *more, method=b"GET", body=None, endStream=None, state=()):
        """Send a request; it ends unless there is a body to come."""
        headers = HeaderMap(
            (
                (b":method", method),
                (b":authority", b"example.test"),
                (b":path", b"/"),
                (b":scheme", b"http"),
                (b"x-forwarded-proto", b"http"),
                *more,
            )
        )
        stream = Stream(self.route, headers)
        stream.settings.localReplies.isPlain = self.repliesPlainly
        for name, value in dict(state).items():
            stream.streamInfo.filterState.set(name, value)
        stream.router = router = self.make()
        router.stream = stream
        router.index = 0
        ends = body is None if endStream is None else endStream
        stream.requestEnded = ends
        router.decodeHeaders(headers, ends)
        if body:
            stream.requestEnded = True
            router.decodeData(body, True)
        return stream

    @property
    def asked(self):
        """All attempts."""
        return self.cluster.asked

    def value(self, name):
        """A counter of the cluster's, or `http.` one."""
        if not name.startswith("http."):
            name = "cluster.origin." + name
        return self.stats.value(name)
