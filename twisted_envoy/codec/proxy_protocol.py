"""
The header of the PROXY protocol, versions 1 and 2: written before a connection's first byte.

Envoy: Extensions::Common::ProxyProtocol::generateProxyProtoHeader
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
"""How version 2 begins."""
LOCAL_HEADER = SIGNATURE + b"\x20\x00\x00\x00"
"""Of version 2, when there is nobody behind the connection."""

TLV = tuple[int, bytes]
"""Type and value of one extension of version 2."""

_PROXY = 0x21
_TCP4 = 0x11
_TCP6 = 0x21
_MOST = 0xFFFF


def proxyHeader(version: str, source: IAddress | None, target: IAddress | None) -> bytes:
    """
    The header that tells who is behind a connection.

    Args:
        version: `V1` or `V2`.
        source: the client; target: where it connected to. Without IP addresses (internal hops,
            pipes) the header says that nothing is known.
    """
    if version == "V1":
        return _text(_addresses(source, target))
    return binaryHeader(source, target)[0] or LOCAL_HEADER


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


def binaryHeader(
    source: IAddress | None, target: IAddress | None, tlvs: Iterable[TLV] = ()
) -> tuple[bytes, bool]:
    """
    The header of version 2 with its extensions.

    Returns:
        The header, b"" when the addresses are no IP addresses of one family; and whether it says
        everything: an extension that has no room in it is left out.
    """
    both = _addresses(source, target)
    if both is None:
        return b"", False
    version, packedSource, packedTarget, sourcePort, targetPort = both
    ports = sourcePort.to_bytes(2, "big") + targetPort.to_bytes(2, "big")
    body = [packedSource, packedTarget, ports]
    size = sum(map(len, body))
    complete = True
    for kind, value in tlvs:
        if size + 3 + len(value) > _MOST:
            complete = False
            continue
        body.append(bytes((kind,)) + len(value).to_bytes(2, "big") + value)
        size += 3 + len(value)
    family = _TCP4 if version == 4 else _TCP6
    head = SIGNATURE + bytes((_PROXY, family)) + size.to_bytes(2, "big")
    return head + b"".join(body), complete
