"""
A bootstrap among the services of an application of one's own.

    twistd -n --pidfile= -y configs/envoy.tac

Port 9999 is Envoy's, what answers is a Twisted protocol in the same process; between them there is
no second port: the application listens on `internal:greeter`, the cluster connects there. Try it
with `python tools/say.py 9999 hello`.

Signals are Twisted's here, not Envoy's: Ctrl-C and SIGTERM end the services in order, and after
SIGTERM the status is 143 (`twistd envoy` ends with 0).
"""

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import Application
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver

from twisted_envoy.service import service

BOOTSTRAP = """
static_resources:
  listeners:
  - name: ingress
    address: {socket_address: {address: 127.0.0.1, port_value: 9999}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.tcp_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
          stat_prefix: ingress
          cluster: application
  clusters:
  - name: application
    load_assignment:
      cluster_name: application
      endpoints:
      - lb_endpoints:
        - endpoint:
            address: {envoy_internal_address: {server_listener_name: greeter}}
"""


class Greeter(LineReceiver):
    """Answers each line."""

    delimiter = b"\n"

    def lineReceived(self, line):
        self.sendLine(b"You said: " + line)


application = Application("greeter")
service(BOOTSTRAP, reactor).setServiceParent(application)
StreamServerEndpointService(
    serverFromString(reactor, "internal:greeter"), Factory.forProtocol(Greeter)
).setServiceParent(application)
