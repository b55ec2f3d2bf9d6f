"""
Tests for twisted_envoy.internal.interfaces.
"""

from __future__ import annotations

from twisted.internet.interfaces import (
    IConsumer,
    IListeningPort,
    IPushProducer,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
    ITCPTransport,
    ITransport,
)
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.internal.support import Recorder, Single, World
from twisted_envoy.internal import (
    IHalfCloseTransport,
    IInternalTransport,
    InternalClientEndpoint,
    InternalServerEndpoint,
)


class InterfaceTests(SynchronousTestCase):
    """What the public objects provide."""

    def test_transport(self) -> None:
        """Both ends provide the transport interfaces, and never ITCPTransport."""
        client, server = Recorder(), Recorder()
        World().join(client, server)
        for transport in (client.transport, server.transport):
            for interface in (
                ITransport,
                IConsumer,
                IPushProducer,
                IHalfCloseTransport,
                IInternalTransport,
            ):
                self.assertTrue(verifyObject(interface, transport))
            self.assertFalse(ITCPTransport.providedBy(transport))

    def test_endpoints(self) -> None:
        """The endpoints and the port provide Twisted's interfaces."""
        world = World()
        server = InternalServerEndpoint(world.clock, "a", world.registry)
        client = InternalClientEndpoint(world.clock, "a", registry=world.registry)
        port = self.successResultOf(server.listen(Single(None)))
        self.assertTrue(verifyObject(IStreamServerEndpoint, server))
        self.assertTrue(verifyObject(IStreamClientEndpoint, client))
        self.assertTrue(verifyObject(IListeningPort, port))
