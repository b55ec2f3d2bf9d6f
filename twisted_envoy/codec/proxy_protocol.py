"""
The header of the PROXY protocol, versions 1 and 2: written before a connection's first byte.

Envoy: Extensions::Common::ProxyProtocol::generateProxyProtoHeader
"""

from __future__ import annotations

from ipaddress import ip_address

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_LOCAL = 0x20
_PROXY = 0x21
_TCP4 = 0x11
_TCP6 = 0x21


def proxyHeader(version: str, source: IAddress | None, target: IAddress | None) -> bytes:
    """
    The header that tells who is behind a connection.

    Args:
        version: `V1` or `V2`.
        source: the client; target: where it connected to. Without IP addresses (internal hops,
            pipes) the header says that nothing is known.
    """
    both = _addresses(source, target)
    if version == "V1":
        return _text(both)
    return _binary(both)


_Both = tuple[int, bytes, bytes, int, int]
"""IP version, the packed addresses, the ports."""


def _addresses(source: IAddress | None, target: IAddress | None) -> _Both | None:
    known = (IPv4Address, IPv6Address)
    if not isinstance(source, known) or not isinstance(target, known):
        return None
    one, other = (
        ip_address(source.host.partition("%")[0]),
        ip_address(target.host.partition("%")[0]),
    )
    if one.version != other.version:
        return None
    return one.version, one.packed, other.packed, source.port, target.port


def _text(both: _Both | None) -> bytes:
    if both is None:
        return b"PROXY UNKNOWN\r\n"
    version, source, target, sourcePort, targetPort = both
    addresses = f"{ip_address(source)} {ip_address(target)}"
    return f"PROXY TCP{version} {addresses} {sourcePort} {targetPort}\r\n".encode()


def _binary(both: _Both | None) -> bytes:
    if both is None:
        return _SIGNATURE + bytes((_LOCAL, 0, 0, 0))
    version, source, target, sourcePort, targetPort = both
    body = source + target + sourcePort.to_bytes(2, "big") + targetPort.to_bytes(2, "big")
    family = _TCP4 if version == 4 else _TCP6
    return _SIGNATURE + bytes((_PROXY, family)) + len(body).to_bytes(2, "big") + body
