"""
Object factories: from a text to the filter state object that a key's consumers expect.

How each object prints was observed on real Envoy: not every object has a PLAIN or TYPED form.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Hashable, Mapping

from twisted.internet.address import IPv4Address, IPv6Address

from twisted_envoy.network.cidr import V4, parseAddress
from twisted_envoy.state.filter_state import (
    BoolObject,
    FilterStateObject,
    HashableStringObject,
    StringObject,
)

ObjectFactory = Callable[[str], "FilterStateObject | None"]
"""Makes an object of a text; None when the text is refused."""

_BOOLS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}
_WHITE = " \t\n\v\f\r"
_NUMBER = re.compile(r"\+?[0-9]+\Z")
_ADDRESS = re.compile(r"(?:\[(?P<v6>[^]]*)\]|(?P<v4>[0-9.]+)):(?P<port>[0-9]+)\Z")


class UntypedObject(StringObject):
    """A text that prints only as PLAIN."""

    __slots__ = ()

    def typed(self) -> object:
        return None


class ListObject(UntypedObject):
    """
    A comma-separated list that prints only as PLAIN, or not at all.

    Attributes:
        items: the parts, empty ones too.
    """

    __slots__ = ("items", "printed")

    def __init__(self, value: str, printed: bool) -> None:
        super().__init__(value)
        self.items = tuple(value.split(","))
        self.printed = printed

    def plainText(self) -> str | None:
        return self.value if self.printed else None


class NumberObject(StringObject):
    """
    An unsigned number.

    Args:
        typedAsText: whether TYPED prints it in quotes, as JSON has numbers of 64 bits.
    """

    __slots__ = ("number", "typedAsText")

    def __init__(self, number: int, typedAsText: bool) -> None:
        super().__init__(str(number))
        self.number = number
        self.typedAsText = typedAsText

    def typed(self) -> object:
        return self.value if self.typedAsText else self.number


class AddressObject(UntypedObject):
    """
    An IP address with a port; upstream connections are pooled by it.

    Args:
        hasFields: whether FIELD:ip and FIELD:port are there.
    """

    __slots__ = ("_hasFields", "host", "port")

    def __init__(self, host: str, port: int, hasFields: bool) -> None:
        super().__init__(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        self.host = host
        self.port = port
        self._hasFields = hasFields

    @property
    def address(self) -> IPv4Address | IPv6Address:
        """It, with the host in its shortest form."""
        if ":" not in self.host:
            return IPv4Address("TCP", self.host, self.port)
        host = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, self.host))
        return IPv6Address("TCP", host, self.port)

    def field(self, name: str) -> object:
        if not self._hasFields:
            return None
        return {"ip": self.host, "port": self.port}.get(name)

    def hashKey(self) -> Hashable | None:
        return self.value


def makeBool(text: str) -> FilterStateObject | None:
    """`envoy.bool`: true, t, yes, y, 1 and their opposites, in any case."""
    flag = _BOOLS.get(text.lower())
    return None if flag is None else BoolObject(flag)


def makeFlag(text: str) -> FilterStateObject:
    """A flag that is only true when the text is exactly `true`."""
    return BoolObject(text == "true")


def makeUint32(text: str) -> FilterStateObject | None:
    """A number of 32 bits."""
    number = _unsigned(text, 32)
    return None if number is None else NumberObject(number, typedAsText=False)


def makeUint64(text: str) -> FilterStateObject | None:
    """A number of 64 bits."""
    number = _unsigned(text, 64)
    return None if number is None else NumberObject(number, typedAsText=True)


def makeAddress(text: str) -> AddressObject | None:
    """`IP:PORT`, an IPv6 address in brackets."""
    found = _ADDRESS.match(text)
    if found is None or int(found["port"]) > 65535:
        return None
    host = found["v4"] or found["v6"]
    return AddressObject(host, int(found["port"]), True) if _isIP(host, found["v4"]) else None


def makeIP(text: str) -> FilterStateObject | None:
    """An IP address alone; it prints with the port 0."""
    return AddressObject(text, 0, False) if _isIP(text) else None


def makeList(text: str) -> FilterStateObject:
    """A comma-separated list."""
    return ListObject(text, printed=True)


def makeUnprintedList(text: str) -> FilterStateObject:
    """A comma-separated list that has no text form."""
    return ListObject(text, printed=False)


OBJECT_FACTORIES: Mapping[str, ObjectFactory] = {
    "envoy.string": StringObject,
    "envoy.hashable_string": HashableStringObject,
    "envoy.bool": makeBool,
    "envoy.uint64": makeUint64,
    "envoy.tcp_proxy.cluster": UntypedObject,
    "envoy.tcp_proxy.disable_tunneling": makeFlag,
    "envoy.tcp_proxy.per_connection_idle_timeout_ms": makeUint64,
    "envoy.network.upstream_server_name": UntypedObject,
    "envoy.network.application_protocols": makeUnprintedList,
    "envoy.network.upstream_subject_alt_names": makeList,
    "envoy.network.ip": makeIP,
    "envoy.network.network_namespace": UntypedObject,
    "envoy.network.transport_socket.original_dst_address": makeAddress,
    "envoy.filters.listener.original_dst.local_ip": makeAddress,
    "envoy.filters.listener.original_dst.remote_ip": makeAddress,
    "envoy.upstream.dynamic_host": StringObject,
    "envoy.upstream.dynamic_port": makeUint32,
    "envoy.ratelimit.hits_addend": makeUint32,
}
"""Factory key -> factory: Envoy 1.40's (and `envoy.uint64`), without HTTP and AI filters'."""


def _unsigned(text: str, bits: int) -> int | None:
    stripped = text.strip(_WHITE)
    if not _NUMBER.match(stripped):
        return None
    number = int(stripped)
    return number if number < 1 << bits else None


def _isIP(host: str, mustBeV4: object = None) -> bool:
    try:
        bits, _ = parseAddress(host)
    except ValueError:
        return False
    return bits == V4 or not mustBeV4
