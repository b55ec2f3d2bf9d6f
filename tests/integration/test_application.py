"""A bootstrap and an application in one process: one registry of internal names for both."""

from __future__ import annotations

from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import Agent, readBody
from twisted.web.iweb import IAgentEndpointFactory
from twisted.web.server import Site
from twisted.web.static import Data
from zope.interface import implementer

from tests.bootstraps import bootstrap, cluster, echo, listener, tcpProxy
from twisted_envoy.testing import MemoryEnvoy, Peer


def site(clock):
    """A page of twisted.web's."""
    page = Data(b"a page", "text/plain")
    page.isLeaf = True
    made = Site(page, reactor=clock)
    made.noisy = False
    return made


@implementer(IAgentEndpointFactory)
class Through:
    """Endpoints of an Agent that goes to one place, whatever the URI says."""

    def __init__(self, endpoint):
        self._endpoint = endpoint

    def endpointForURI(self, uri):
        return self._endpoint


class ApplicationTests(SynchronousTestCase):
    """Each reaches the other."""

    def start(self):
        self.envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener("ingress", "127.0.0.1:80", tcpProxy("site")),
                    listener("hop", "internal:", tcpProxy("site", "hop")),
                    listener("echo", "internal:", echo()),
                ],
                [cluster("site", "internal:site")],
            )
        )
        return self.envoy.clock

    def test_clusterReachesSite(self):
        """A cluster's internal endpoint is a twisted.web Site of the application."""
        clock = self.start()
        self.successResultOf(serverFromString(clock, "internal:site").listen(site(clock)))
        client = self.envoy.connect("ingress")
        client.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        self.envoy.settle()
        self.assertTrue(client.received.startswith(b"HTTP/1.1 200 OK"), client.received)
        self.assertTrue(client.received.endswith(b"a page"))
        self.assertTrue(client.ended)
        client.loseConnection()
        self.envoy.settle()
        self.assertEqual(self.envoy.stat("cluster.site.upstream_cx_active"), 0)

    def test_agentThroughAHop(self):
        """An Agent of the application goes through a hop of the bootstrap to the Site."""
        clock = self.start()
        self.successResultOf(serverFromString(clock, "internal:site").listen(site(clock)))
        endpoint = clientFromString(clock, "internal:hop")
        agent = Agent.usingEndpointFactory(clock, Through(endpoint))
        asked = agent.request(b"GET", b"http://anything/")
        self.envoy.settle()
        body = readBody(self.successResultOf(asked))
        self.envoy.settle()
        self.assertEqual(self.successResultOf(body), b"a page")

    def test_clientReachesListener(self):
        """An `internal:` client string reaches a bootstrap's listener."""
        clock = self.start()
        connecting = clientFromString(clock, "internal:echo").connect(Factory.forProtocol(Peer))
        self.envoy.settle()
        client = self.successResultOf(connecting)
        client.write(b"hello")
        client.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual((client.received, client.ended), (b"hello", True))

    def test_otherReactor(self):
        """Another reactor has other names."""
        self.start()
        other = Clock()
        connecting = clientFromString(other, "internal:echo").connect(Factory.forProtocol(Peer))
        self.failureResultOf(connecting)

    def test_appComesAndGoes(self):
        """Until the application listens a connection fails; after it has stopped, again."""
        clock = self.start()
        self.assertTrue(self.envoy.connect("ingress").ended)
        port = self.successResultOf(serverFromString(clock, "internal:site").listen(site(clock)))
        self.assertFalse(self.envoy.connect("ingress").ended)
        port.stopListening()
        self.envoy.settle()
        self.assertTrue(self.envoy.connect("ingress").ended)
        self.assertEqual(self.envoy.stat("cluster.site.upstream_cx_connect_fail"), 2)
