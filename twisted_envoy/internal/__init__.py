"""
Connections inside the process: the `internal:` endpoints, for any Twisted application.

    serverFromString(reactor, "internal:name").listen(factory)
    clientFromString(reactor, "internal:name").connect(factory)

Works under any reactor and under `task.Clock`; see docs/internal_endpoint.md.
"""

from twisted_envoy.internal.address import CLIENT_ADDRESS, InternalAddress
from twisted_envoy.internal.endpoints import InternalClientEndpoint, InternalServerEndpoint
from twisted_envoy.internal.interfaces import IHalfCloseTransport, IInternalTransport
from twisted_envoy.internal.port import InternalPort
from twisted_envoy.internal.registry import Registry, getRegistry
from twisted_envoy.internal.transport import InternalTransport
from twisted_envoy.internal.turn import NotSettled, TurnQueue

__all__ = [
    "CLIENT_ADDRESS",
    "IHalfCloseTransport",
    "IInternalTransport",
    "InternalAddress",
    "InternalClientEndpoint",
    "InternalPort",
    "InternalServerEndpoint",
    "InternalTransport",
    "NotSettled",
    "Registry",
    "TurnQueue",
    "getRegistry",
]
