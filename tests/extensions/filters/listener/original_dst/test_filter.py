"""Addresses that are restored, as observed on Envoy 1.40."""

from __future__ import annotations

import errno
import socket
import struct
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twisted_envoy.extensions.common.filter_state.objects import makeAddress
from twisted_envoy.extensions.filters.listener.original_dst.filter import OriginalDst
from twisted_envoy.interfaces.network import ITransportListenerFilter, Verdict
from twisted_envoy.internal import InternalAddress
from twisted_envoy.state.addresses import addressText
from twisted_envoy.state.filter_state import StringObject
from twisted_envoy.state.stream_info import StreamInfo

NAME = "envoy.filters.listener.original_dst"
V4 = IPv4Address("TCP", "127.0.0.1", 80)
V6 = IPv6Address("TCP", "::1", 80)
HOP = InternalAddress("hop")
PEER = IPv4Address("TCP", "127.0.0.1", 1)


class Handle:
    """A socket that knows one option; `answer` None: that it does not know it."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.asked: list[tuple[int, int, int]] = []

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        self.asked.append((level, option, size))
        if self.answer is None:
            raise OSError(errno.ENOPROTOOPT, "no")
        return self.answer


class Transport:
    """A transport that has a socket."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def getHandle(self) -> Handle:
        return self._handle


def looked(local: IAddress, transport: Any = None, info: StreamInfo | None = None) -> StreamInfo:
    """The StreamInfo after the filter."""
    info = info or StreamInfo(0.0, local, PEER)
    filter = OriginalDst()
    verifyObject(ITransportListenerFilter, filter)
    filter.connected(transport)
    assert filter.feed(b"", info) == (Verdict.DONE, 0)
    return info


class SocketTests(SynchronousTestCase):
    """What the kernel redirected."""

    def test_v4(self) -> None:
        """SO_ORIGINAL_DST is where the client wanted to go."""
        packed = socket.inet_aton("10.1.2.3")
        handle = Handle(struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", 8080, packed))
        info = looked(V4, Transport(handle))
        self.assertEqual(info.localAddress, IPv4Address("TCP", "10.1.2.3", 8080))
        self.assertEqual((info.directLocalAddress, info.remoteAddress), (V4, PEER))
        self.assertTrue(info.localAddressRestored)
        self.assertEqual(handle.asked, [(socket.IPPROTO_IP, 80, 16)])

    def test_v6(self) -> None:
        """IPv6 has an option of its own."""
        packed = socket.inet_pton(socket.AF_INET6, "fe80::5")
        answer = struct.pack("=H", socket.AF_INET6) + struct.pack("!H4x16s4x", 8080, packed)
        handle = Handle(answer)
        info = looked(V6, Transport(handle))
        self.assertEqual(info.localAddress, IPv6Address("TCP", "fe80::5", 8080))
        self.assertEqual(handle.asked, [(socket.IPPROTO_IPV6, 80, 28)])

    def test_notRedirected(self) -> None:
        """A connection that nobody redirected, or that has no such socket, stays what it is."""
        for local, transport in (
            (V4, Transport(Handle(None))),
            (UNIXAddress("/x"), Transport(Handle(None))),
            (V4, object()),
        ):
            info = looked(local, transport)
            self.assertIs(info.localAddress, local)
            self.assertFalse(info.localAddressRestored)


class InternalTests(SynchronousTestCase):
    """What an internal connection brought along."""

    def looked(self, metadata: Any = None, **state: Any) -> list[str]:
        """Local and remote address, as texts."""
        info = StreamInfo(0.0, HOP, PEER)
        if metadata is not None:
            info.dynamicMetadata[NAME] = metadata
        for key, value in state.items():
            info.filterState.set(f"{NAME}.{key}", value)
        looked(HOP, None, info)
        return [addressText(info.localAddress), addressText(info.remoteAddress)]

    def test_metadata(self) -> None:
        """`local` restores the local address; `remote` is not looked at."""
        found = self.looked({"local": "10.0.0.1:80", "remote": "10.0.0.2:81"})
        self.assertEqual(found, ["10.0.0.1:80", "127.0.0.1:1"])
        self.assertEqual(self.looked({"local": "[0:0::1]:80"})[0], "[::1]:80")

    def test_filterState(self) -> None:
        """Objects restore both; for the local address metadata comes first."""
        local, remote = makeAddress("10.0.0.3:80"), makeAddress("[2001:db8::1]:81")
        found = self.looked({"local": "10.0.0.1:80"}, local_ip=local, remote_ip=remote)
        self.assertEqual(found, ["10.0.0.1:80", "[2001:db8::1]:81"])
        for metadata in (None, {}, {"remote": "10.0.0.1:80"}):
            self.assertEqual(self.looked(metadata, local_ip=local)[0], "10.0.0.3:80")
        self.assertEqual(self.looked({"local": "nowhere"}, local_ip=local)[0], "envoy://hop/")
        self.assertEqual(self.looked(remote_ip=remote), ["envoy://hop/", "[2001:db8::1]:81"])

    def test_unreadable(self) -> None:
        """What is missing or malformed changes nothing."""
        for metadata in (None, {}, {"local": "10.0.0.1"}, {"local": "x:1"}, {"local": 5}):
            self.assertEqual(self.looked(metadata), ["envoy://hop/", "127.0.0.1:1"], metadata)
        text = StringObject("10.0.0.1:80")
        found = self.looked(local_ip=text, remote_ip=text)
        self.assertEqual(found, ["envoy://hop/", "127.0.0.1:1"])
