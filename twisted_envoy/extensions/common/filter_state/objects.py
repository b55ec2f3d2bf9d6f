"""
Object factories: from a text to the filter state object that a key's consumers expect.

How each object prints was observed on real Envoy: not every object has a PLAIN or TYPED form.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Hashable, Mapping

from twisted.internet.address import IPv4Address, IPv6Address

from twisted_envoy.state.filter_state import (
    BoolObject,
    FilterStateObject,
    HashableStringObject,
    StringObject,
)
from twisted_envoy.state.upstream_tls import (
    PROTOCOLS,
    SERVER_NAME,
    SUBJECT_NAMES,
    ListObject,
    ServerName,
    UntypedObject,
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
_MODEL_PROTOCOLS = frozenset(
    (
        "OPENAI_CHAT_COMPLETIONS",
        "OPENAI_RESPONSES",
        "ANTHROPIC_MESSAGES",
        "GEMINI_GENERATE_CONTENT",
    )
)

DEBUG_CONFIG = "envoy.router.debug_config"
"""The key of the router's DebugConfig."""


class UnprintedObject(UntypedObject):
    """A text that has no form in logs."""

    __slots__ = ()

    def plainText(self) -> str | None:
        return None


class DebugConfig(UnprintedObject):
    """
    What the router does with one request instead of forwarding it.

    Attributes:
        doNotForward: it is answered with 204 and goes nowhere.
    """

    __slots__ = ("doNotForward",)

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.doNotForward = value == "true"


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
        host: in its shortest form.
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
        """It, for an endpoint."""
        kind = IPv6Address if ":" in self.host else IPv4Address
        return kind("TCP", self.host, self.port)

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
    host = _host(found["v4"], socket.AF_INET) or _host(found["v6"], socket.AF_INET6)
    return None if host is None else AddressObject(host, int(found["port"]), True)


def makeIP(text: str) -> FilterStateObject | None:
    """An IP address alone; it prints with the port 0."""
    host = _host(text, socket.AF_INET) or _host(text, socket.AF_INET6)
    return None if host is None else AddressObject(host, 0, False)


def makeModel(text: str) -> FilterStateObject | None:
    """The name of a model; not empty."""
    return StringObject(text) if text else None


def makeProtocol(text: str) -> FilterStateObject | None:
    """`type.ai.v3.LLMProtocol`, by name."""
    return UntypedObject(text) if text in _MODEL_PROTOCOLS else None


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
    SERVER_NAME: ServerName,
    PROTOCOLS: makeUnprintedList,
    SUBJECT_NAMES: makeList,
    "envoy.network.ip": makeIP,
    "envoy.network.network_namespace": UntypedObject,
    "envoy.network.transport_socket.original_dst_address": makeAddress,
    "envoy.filters.listener.original_dst.local_ip": makeAddress,
    "envoy.filters.listener.original_dst.remote_ip": makeAddress,
    "envoy.upstream.dynamic_host": StringObject,
    "envoy.upstream.dynamic_port": makeUint32,
    "envoy.ratelimit.hits_addend": makeUint32,
    "envoy.network.transport_socket.http_11_proxy.info": UnprintedObject,
    DEBUG_CONFIG: DebugConfig,
    "envoy.ai.model.request": makeModel,
    "envoy.ai.llm_protocol.request": makeProtocol,
}
"""Factory key -> factory: Envoy 1.40's, and `envoy.uint64`."""


def _unsigned(text: str, bits: int) -> int | None:
    stripped = text.strip(_WHITE)
    if not _NUMBER.match(stripped):
        return None
    number = int(stripped)
    return number if number < 1 << bits else None


def _host(text: str | None, family: int) -> str | None:
    """An IP address in its shortest form, its scope as a number; None when it is none."""
    if text is None:
        return None
    if "%" in text:
        return _scoped(text)
    try:
        return socket.inet_ntop(family, socket.inet_pton(family, text))
    except (OSError, ValueError):
        return None


def _scoped(text: str) -> str | None:
    try:
        found = socket.getaddrinfo(
            text, None, socket.AF_INET6, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST
        )
    except (OSError, ValueError):
        return None
    host, scope = found[0][4][0], found[0][4][-1]
    plain = str(host).partition("%")[0]
    return f"{plain}%{int(scope)}" if scope else plain
