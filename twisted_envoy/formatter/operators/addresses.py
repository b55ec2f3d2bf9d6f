"""Operators about addresses: whole, without the port, the port, the endpoint id."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_interface

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from twisted_envoy.formatter.operators.entry import (
    Arguments,
    Entry,
    Operator,
    Operators,
    text,
)
from twisted_envoy.formatter.parser import Command
from twisted_envoy.state.addresses import addressText, endpointIDOf, hostText, portOf
from twisted_envoy.state.stream_info import FormatContext

Getter = Callable[[FormatContext], "IAddress | None"]

_NUMBER = re.compile(r"[+-]?\d+\Z")
_WITH_PORT = re.compile(r"\[(.*)\]:\d+\Z")


def hostNameWithoutPort(name: str) -> str:
    """`a.b:80` and `a.b` as `a.b`, `[::1]:80` as `::1`."""
    bracketed = _WITH_PORT.match(name)
    if bracketed is not None:
        return bracketed[1]
    host, colon, _ = name.rpartition(":")
    return host if colon else name


def maskedText(address: IAddress, prefixLength: int) -> str:
    """The network of an IP address (`10.1.0.0/16`); "" for any other address or a negative mask."""
    if prefixLength < 0 or not isinstance(address, (IPv4Address, IPv6Address)):
        return ""
    length = min(prefixLength, 32 if isinstance(address, IPv4Address) else 128)
    return str(ip_interface(f"{address.host.partition('%')[0]}/{length}").network)


def addressEntry(getter: Getter) -> Entry:
    """The whole address."""

    def whole(context: FormatContext) -> str | None:
        address = getter(context)
        return None if address is None else addressText(address)

    return text(whole)


def hostEntry(getter: Getter) -> Entry:
    """The address without its port; a number in brackets masks it, other arguments are ignored."""

    def make(command: Command, operators: Operators) -> Operator:
        masked = _NUMBER.match(command.arguments) is not None
        bits = int(command.arguments) if masked else 0

        def host(context: FormatContext) -> str | None:
            address = getter(context)
            if address is None:
                return None
            return maskedText(address, bits) if masked else hostText(address)

        return Operator(host, host)

    return Entry(make, Arguments.OPTIONAL)


def portEntry(getter: Getter) -> Entry:
    """The port: a number, or for an address without ports an empty text and no value."""

    def port(context: FormatContext) -> int | None:
        address = getter(context)
        return None if address is None else portOf(address)

    def asText(context: FormatContext) -> str | None:
        address = getter(context)
        if address is None:
            return None
        found = portOf(address)
        return "" if found is None else str(found)

    operator = Operator(port, asText)
    return Entry(lambda command, operators: operator)


def endpointIDEntry(getter: Getter) -> Entry:
    """The endpoint id of an internal address, "" for any other."""

    def endpointID(context: FormatContext) -> str | None:
        address = getter(context)
        return None if address is None else endpointIDOf(address)

    return text(endpointID)


def _local(context: FormatContext) -> IAddress | None:
    return context.streamInfo.localAddress


def _directLocal(context: FormatContext) -> IAddress | None:
    return context.streamInfo.directLocalAddress


def _remote(context: FormatContext) -> IAddress | None:
    return context.streamInfo.remoteAddress


def _directRemote(context: FormatContext) -> IAddress | None:
    return context.streamInfo.directRemoteAddress


def family(prefix: str, getter: Getter) -> dict[str, Entry]:
    """`X_ADDRESS`, `X_ADDRESS_WITHOUT_PORT` and `X_PORT` for a prefix X."""
    return {
        f"{prefix}_ADDRESS": addressEntry(getter),
        f"{prefix}_ADDRESS_WITHOUT_PORT": hostEntry(getter),
        f"{prefix}_PORT": portEntry(getter),
    }


OPERATORS: Operators = {
    **family("DOWNSTREAM_LOCAL", _local),
    **family("DOWNSTREAM_DIRECT_LOCAL", _directLocal),
    **family("DOWNSTREAM_REMOTE", _remote),
    **family("DOWNSTREAM_DIRECT_REMOTE", _directRemote),
    "DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID": endpointIDEntry(_local),
    "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID": endpointIDEntry(_directLocal),
}
