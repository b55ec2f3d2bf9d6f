"""
This machine's own IPv4 address, as Envoy finds it: the first one that is not 127.0.0.1.

Envoy: Network::Utility::getLocalAddress
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator

try:
    from fcntl import ioctl
except ImportError:  # pragma: no cover - only where there are no POSIX files
    ioctl = None  # type: ignore[assignment]

LOOPBACK = "127.0.0.1"
_SIOCGIFADDR = 0x8915
_NOWHERE = ("192.0.2.1", 9)


def localAddress() -> str:
    """The address that stands for this machine; 127.0.0.1 when it has no other."""
    for address in interfaceAddresses():
        if address != LOOPBACK:
            return address
    return LOOPBACK


def interfaceAddresses() -> Iterator[str]:
    """The first IPv4 address of each interface, in the system's order."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        if ioctl is None or not sys.platform.startswith("linux"):  # pragma: no cover
            yield from _routedAddress(probe)
            return
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = ioctl(probe.fileno(), _SIOCGIFADDR, request)
            except OSError:
                continue
            yield socket.inet_ntoa(answer[20:24])


def _routedAddress(probe: socket.socket) -> Iterator[str]:
    """What a datagram to elsewhere would come from; nothing is sent."""
    try:
        probe.connect(_NOWHERE)
    except OSError:
        return
    yield probe.getsockname()[0]
