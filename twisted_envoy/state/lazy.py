"""
Attributes of a StreamInfo that cost nothing until somebody asks for them.

A request is proxied in microseconds and mostly nobody wants to know all that is known of it. So
its StreamInfo has values of its class for what has not happened, and these for what others know or
what is seldom needed. Whoever assigns to such an attribute has it as an ordinary one from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Fresh:
    """
    Made for an object when it is asked for first.

    Args:
        make: called with the object.
    """

    __slots__ = ("_make", "_name")

    def __init__(self, make: Callable[[Any], object]) -> None:
        self._make = make
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, holder: Any, owner: type) -> Any:
        if holder is None:
            return self
        made = self._make(holder)
        setattr(holder, self._name, made)
        return made


class From:
    """
    What an attribute of another object says.

    Args:
        source: the attribute that has this object, or None.
        name: of its attribute; empty for the same name.
        default: while there is no such object, or it does not know.
    """

    __slots__ = ("_default", "_name", "_source")

    def __init__(self, source: str, name: str = "", default: object = None) -> None:
        self._source = source
        self._name = name
        self._default = default

    def __set_name__(self, owner: type, name: str) -> None:
        if not self._name:
            self._name = name

    def __get__(self, holder: Any, owner: type) -> Any:
        if holder is None:
            return self
        return getattr(getattr(holder, self._source), self._name, self._default)


class Asked:
    """
    What a function says of an object, each time.

    Args:
        tell: called with the object.
    """

    __slots__ = ("_tell",)

    def __init__(self, tell: Callable[[Any], object]) -> None:
        self._tell = tell

    def __get__(self, holder: Any, owner: type) -> Any:
        return self if holder is None else self._tell(holder)
