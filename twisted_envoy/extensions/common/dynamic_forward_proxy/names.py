"""The texts that say where a dynamic forward proxy shall go."""

from __future__ import annotations

from typing import NamedTuple

from twisted.internet.interfaces import IAddress

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.state.filter_state import SilentObject
from twisted_envoy.state.stream_info import StreamInfo

DYNAMIC_HOST = "envoy.upstream.dynamic_host"
DYNAMIC_PORT = "envoy.upstream.dynamic_port"
"""Filter state that goes before everything else."""
UPSTREAM_ADDRESS = "envoy.stream.upstream_address"
"""Filter state where filters save what they found."""


class HostPort(NamedTuple):
    """A name or an IP address, without brackets, and a port."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


def splitHost(text: str, defaultPort: int) -> HostPort:
    """The name and the port of an authority; what cannot be a port belongs to the name."""
    name, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and port.isascii() and int(port) < 65536:
        if name.startswith("[") and name.endswith("]"):
            return HostPort(name[1:-1], int(port))
        if ":" not in name:
            return HostPort(name, int(port))
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    return HostPort(text, defaultPort)


def dynamicHost(info: StreamInfo) -> str:
    """What filter state says, "" for nothing."""
    found = info.filterState.get(DYNAMIC_HOST)
    return "" if found is None else found.plainText() or ""


def dynamicPort(info: StreamInfo, default: int) -> int:
    """The same of the port."""
    found = info.filterState.get(DYNAMIC_PORT)
    text = "" if found is None else found.plainText() or ""
    return int(text) if text.isdecimal() and 0 < int(text) < 65536 else default


def wantedHost(context: LoadBalancerContext, defaultPort: int) -> HostPort | None:
    """Where a connection or request wants to go; None when it does not say."""
    info = context.streamInfo
    if info is None:
        return None
    port = dynamicPort(info, defaultPort)
    text = dynamicHost(info) or hostOf(context.headers) or info.requestedServerName
    return splitHost(text, port) if text else None


def hostOf(headers: HeaderMap | None) -> str:
    """The authority of a request; "" for none."""
    if headers is None:
        return ""
    return headers.get(b":authority", b"").decode("latin-1")


class UpstreamAddress(SilentObject):
    """Where a request goes."""

    __slots__ = ("address",)

    def __init__(self, address: IAddress) -> None:
        self.address = address


def saveAddress(info: StreamInfo, address: IAddress) -> None:
    """Let later filters know where it goes."""
    info.filterState.set(UPSTREAM_ADDRESS, UpstreamAddress(address))
