"""
Addresses and protocols of a connection; of a request they are those that its filters see.

Envoy: source/extensions/matching/network/common/inputs.h
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress
from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.chain_match import isLocal
from twisted_envoy.network.matching.inputs import HTTP, NETWORK, Input
from twisted_envoy.state.addresses import portOf
from twisted_envoy.state.stream_info import StreamInfo

_PACKAGE = "envoy.extensions.matching.common_inputs.network.v3."


@implementer(IExtensionFactory)
class ConnectionInputFactory:
    """
    Gives an input that has no settings.

    Args:
        name: of the message. get: the input. category: where it may stand.
    """

    def __init__(
        self, name: str, get: Input, category: str | tuple[str, ...] = (NETWORK, HTTP)
    ) -> None:
        self.typeURL = _PACKAGE + name
        self.category = category
        self._get = get

    def build(self, config: Any, context: Any) -> Input:
        return self._get


def _host(address: IAddress | None) -> str | None:
    return address.host if isinstance(address, (IPv4Address, IPv6Address)) else None


def _port(address: IAddress | None) -> str | None:
    port = portOf(address)
    return None if port is None else str(port)


def _sourceType(info: StreamInfo) -> str | None:
    return "local" if isLocal(info) else None


def _applicationProtocols(info: StreamInfo) -> str | None:
    """Each in single quotes, with commas between them."""
    protocols = info.applicationProtocols
    return ",".join(f"'{protocol}'" for protocol in protocols) or None


CONNECTION_INPUTS = (
    ConnectionInputFactory("DestinationIPInput", lambda info: _host(info.localAddress)),
    ConnectionInputFactory("DestinationPortInput", lambda info: _port(info.localAddress)),
    ConnectionInputFactory("SourceIPInput", lambda info: _host(info.remoteAddress)),
    ConnectionInputFactory("SourcePortInput", lambda info: _port(info.remoteAddress)),
    ConnectionInputFactory("DirectSourceIPInput", lambda info: _host(info.directRemoteAddress)),
    ConnectionInputFactory("SourceTypeInput", _sourceType),
    ConnectionInputFactory("ServerNameInput", lambda info: info.requestedServerName or None),
    ConnectionInputFactory("NetworkNamespaceInput", lambda info: None),
    ConnectionInputFactory(
        "TransportProtocolInput", lambda info: info.transportProtocol or None, NETWORK
    ),
    ConnectionInputFactory("ApplicationProtocolInput", _applicationProtocols, NETWORK),
)
