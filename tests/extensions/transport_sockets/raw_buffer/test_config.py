"""Plain connections."""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf
from twisted_envoy.extensions.transport_sockets.raw_buffer import factories
from twisted_envoy.interfaces.sockets import ConnectOptions, ListenOptions
from twisted_envoy.interfaces.transport_sockets import (
    IDownstreamTransportSocketFactory,
    IUpstreamTransportSocketFactory,
    TransportSocketOptions,
)
from twisted_envoy.internal import InternalAddress, getRegistry
from twisted_envoy.testing import MemorySockets, Origin, Peer

WEB = IPv4Address("TCP", "127.0.0.1", 80)


class Host:
    """A host of a cluster that connects from a port of its own."""

    def __init__(self, address):
        self.address = address
        self.cluster = self
        self.connectOptions = ConnectOptions(("127.0.0.9", 9))


class RawBufferTests(SynchronousTestCase):
    """Bytes as they are."""

    def setUp(self):
        context = Context()
        context.registry = getRegistry(context.reactor)
        context.sockets = MemorySockets(context.registry.turn)
        (factory,) = factories
        config = configOf(factory.typeURL)
        self.context = context
        self.socket = factory.build(config, context)

    def connect(self, address, options, passthrough=None):
        endpoint = self.socket.connectorFor(Host(address), options, passthrough)
        connecting = endpoint.connect(Factory.forProtocol(Peer))
        self.context.registry.turn.pump(self.context.reactor)
        return self.successResultOf(connecting)

    def test_kernelAddress(self):
        """A kernel address is connected to through the socket interface, as the cluster says."""
        origin = Origin()
        self.context.sockets.serverEndpoint(WEB, ListenOptions()).listen(origin)
        client = self.connect(WEB, TransportSocketOptions(), object())
        self.assertEqual(client.transport.getHost(), IPv4Address("TCP", "127.0.0.9", 9))
        self.assertEqual(len(origin.connections), 1)

    def test_internalAddress(self):
        """An internal one in the process, with what goes along and the hops behind it."""
        origin = Origin()
        self.context.registry.listen("hop", origin)
        passed = object()
        self.connect(InternalAddress("hop", "id"), TransportSocketOptions(hops=3), passed)
        transport = origin.connections[0].transport
        self.assertIs(transport.passthrough, passed)
        self.assertEqual(transport.hops, 4)
        self.assertEqual(transport.getHost(), InternalAddress("hop", "id"))

    def test_nothingElse(self):
        """It puts nothing into a chain and separates no pools."""
        self.assertIsNone(self.socket.wrapper())
        self.assertEqual(self.socket.hashKey(TransportSocketOptions(hops=1)), ())
        self.assertTrue(IDownstreamTransportSocketFactory.providedBy(self.socket))
        self.assertTrue(IUpstreamTransportSocketFactory.providedBy(self.socket))
