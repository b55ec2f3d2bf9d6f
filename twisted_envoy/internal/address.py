"""
The address of an internal connection: a listener's name and an opaque endpoint id.

Envoy: config.core.v3.EnvoyInternalAddress; its text is `envoy://name/endpoint_id`.
"""

from __future__ import annotations

from dataclasses import dataclass

from twisted.internet.interfaces import IAddress
from zope.interface import implementer


@implementer(IAddress)
@dataclass(frozen=True, slots=True)
class InternalAddress:
    """
    Where an internal connection goes to, or comes from.

    Args:
        name: the listener's name; the only part that is looked up.
        endpointID: tells endpoints of one listener apart; never looked up.
    Envoy: config.core.v3.EnvoyInternalAddress
    """

    name: str
    endpointID: str = ""

    def __str__(self) -> str:
        return f"envoy://{self.name}/{self.endpointID}"


#: What the server side sees as its peer when the client names no address of its own.
CLIENT_ADDRESS = InternalAddress("internal_client_address")
