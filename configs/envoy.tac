"""
A bootstrap among the services of an application of one's own.

    twistd -n --pidfile= -y configs/envoy.tac

Runs internal_listener_proxy.yaml, and the echo that it proxies to as a plain Twisted protocol:
`python tools/say.py 9999 hello`.
"""

import os

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import Application
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory
from twisted.protocols.wire import Echo

from twisted_envoy.service import service

application = Application("proxy")

bootstrap = os.path.join(os.path.dirname(os.path.abspath(__file__)), "internal_listener_proxy.yaml")
service(bootstrap, reactor).setServiceParent(application)

origin = serverFromString(reactor, "tcp:10000:interface=127.0.0.1")
StreamServerEndpointService(origin, Factory.forProtocol(Echo)).setServiceParent(application)
