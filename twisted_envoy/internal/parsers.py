"""
The `internal:` endpoint strings: `internal:NAME`, a client's also with `endpoint_id=ID`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from twisted.internet.interfaces import (
    IReactorCore,
    IReactorTime,
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpointStringParser,
)
from twisted.plugin import IPlugin
from zope.interface import implementer

from twisted_envoy.internal.endpoints import InternalClientEndpoint, InternalServerEndpoint


@implementer(IPlugin, IStreamServerEndpointStringParser)
class InternalServerParser:
    """
    Parses `internal:NAME` and `internal:NAME:bufferSize=BYTES`.
    """

    prefix = "internal"

    def parseStreamServer(
        self, reactor: IReactorCore, *args: object, **kwargs: object
    ) -> InternalServerEndpoint:
        """
        Raises:
            ValueError: no name, an argument that is not known, or a size that is not a number.
        """
        values = _parse(args, kwargs, ("name", "bufferSize"))
        size = values["bufferSize"]
        if size and not size.isdecimal():
            raise ValueError(f"bufferSize of an internal endpoint is in bytes, not {size!r}")
        time = cast(IReactorTime, reactor)
        return InternalServerEndpoint(time, values["name"], bufferSize=int(size) if size else None)


@implementer(IPlugin, IStreamClientEndpointStringParserWithReactor)
class InternalClientParser:
    """
    Parses `internal:NAME` and `internal:NAME:endpoint_id=ID`.
    """

    prefix = "internal"

    def parseStreamClient(
        self, reactor: IReactorCore, *args: object, **kwargs: object
    ) -> InternalClientEndpoint:
        """
        Raises:
            ValueError: no name, or an argument that is not known.
        """
        values = _parse(args, kwargs, ("name", "endpoint_id"))
        time = cast(IReactorTime, reactor)
        return InternalClientEndpoint(time, values["name"], values["endpoint_id"])


def _parse(
    args: Sequence[object], kwargs: dict[str, object], allowed: tuple[str, str]
) -> dict[str, str]:
    usage = f"internal:NAME[:{allowed[1]}=...]"
    if len(args) > 1:
        raise ValueError(f"{args[1]!r} after the name of an internal endpoint; write {usage}")
    if args and "name" in kwargs:
        raise ValueError(f"an internal endpoint has one name; write {usage}")
    values = dict.fromkeys(allowed, "")
    if args:
        values["name"] = str(args[0])
    for key, value in kwargs.items():
        if key not in allowed:
            raise ValueError(f"unknown argument {key!r} of an internal endpoint; write {usage}")
        values[key] = str(value)
    if not values["name"]:
        raise ValueError(f"an internal endpoint needs a name; write {usage}")
    return values
