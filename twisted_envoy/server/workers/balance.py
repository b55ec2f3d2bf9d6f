"""
How the kernel chooses among sockets that share a port.

By itself it takes a hash, and with few connections one worker gets twice as many as another. A
short program chooses by the client's port instead, of which a client takes every second one.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Sequence

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

_ATTACH = 51  # SO_ATTACH_REUSEPORT_CBPF
_DETACH = 68  # SO_DETACH_REUSEPORT_BPF
_NETWORK = 0xFFF00000  # SKF_NET_OFF: from the IP header on
_IPV6_HEADER = 40


def program(count: int) -> bytes:
    """The instructions (struct sock_filter): half of the source port, modulo the sockets."""
    instructions = (
        (0x30, 0, 0, _NETWORK),  # A = version and more
        (0x54, 0, 0, 0xF0),
        (0x15, 3, 0, 0x60),  # six: on at the seventh
        (0xB1, 0, 0, _NETWORK),  # X = the length of the header
        (0x48, 0, 0, _NETWORK),  # A = the source port
        (0x05, 0, 0, 1),
        (0x28, 0, 0, _NETWORK + _IPV6_HEADER),
        (0x74, 0, 0, 1),
        (0x94, 0, 0, count),
        (0x16, 0, 0, 0),
    )
    return b"".join(struct.pack("HBBI", *one) for one in instructions)


def isTaken(address: IAddress) -> bool:
    """Does somebody listen at an IP address, sharing it or not?"""
    if not isinstance(address, (IPv4Address, IPv6Address)) or not address.port:
        return False
    six = isinstance(address, IPv6Address)
    with socket.socket(socket.AF_INET6 if six else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if six:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as problem:
            return problem.errno == errno.EADDRINUSE
    return False


def shareEvenly(sockets: Sequence[socket.socket], alone: bool) -> bool:
    """
    Let connections go round the sockets.

    Args:
        sockets: all that share one port, in the order in which they were made to listen.
        alone: no other program shares it; else the kernel's hash has to choose.
    Returns:
        Whether they do; False where the kernel does not know how.
    """
    first = sockets[0]
    try:
        if not alone:
            first.setsockopt(socket.SOL_SOCKET, _DETACH, 0)
            return False
        code = ctypes.create_string_buffer(program(len(sockets)))
        size = len(code) // struct.calcsize("HBBI")
        first.setsockopt(
            socket.SOL_SOCKET, _ATTACH, struct.pack("HL", size, ctypes.addressof(code))
        )
    except OSError:
        return False
    return True
