"""
Factories of installed packages: the entry points `twisted_envoy.extensions`, by type.

What is wrong with one that cannot be used is a text, for the error at the line that names the type.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any as Untyped

from twisted_envoy.values import dataclass

GROUP = "twisted_envoy.extensions"


class BrokenExtension(Exception):
    """A type whose entry point is there and cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Installed:
    """
    What an entry point leads to.

    Args:
        place: the entry point and its package, for errors.
        factories: what was loaded.
        problem: why nothing was; empty when something was.
    """

    place: str
    factories: Sequence[Untyped] = ()
    problem: str = ""

    def unsuited(self, typeName: str) -> str:
        """Why none of the factories can be that of the type."""
        if self.problem:
            return f"{self.place} {self.problem}"
        if not self.factories:
            return f"{self.place} was found, but has no factories"
        kinds = ", ".join(map(_kind, self.factories))
        return f"{self.place} was found, but no factory of {typeName}: {kinds}"

    def misplaced(self, factory: Untyped, category: str) -> str:
        """Why a factory may not stand where `category` is wanted."""
        name, own = _name(factory), getattr(factory, "category", None)
        has = "has no category" if own is None else f"is of category {own!r}"
        return f"{self.place} was found, but {name} {has}: {category!r} is wanted here"


def installed(name: str) -> Iterable[Installed]:
    """Load the entry points of a type, one after the other."""
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP):
        if bare(point.name) != name:
            continue
        place = _place(point)
        try:
            yield Installed(place, _factories(point.load()))
        except Exception as problem:
            text = f"cannot be loaded: {type(problem).__name__}: {problem}"
            yield Installed(place, problem=text)


def bare(typeURL: str) -> str:
    """The type's name, without `type.googleapis.com/`."""
    return typeURL.rpartition("/")[2]


def _factories(loaded: Untyped) -> Sequence[Untyped]:
    if isinstance(loaded, ModuleType):
        return tuple(getattr(loaded, "factories", ()))
    return tuple(loaded) if isinstance(loaded, (list, tuple)) else (loaded,)


def _place(point: Untyped) -> str:
    package = getattr(getattr(point, "dist", None), "name", None)
    of = f" of package {package}" if package else ""
    return f"entry point '{point.name} = {getattr(point, 'value', '?')}'{of}"


def _name(factory: Untyped) -> str:
    return factory.__name__ if isinstance(factory, type) else type(factory).__name__


def _kind(factory: Untyped) -> str:
    own = getattr(factory, "typeURL", None)
    return f"{_name(factory)} has {'no typeURL' if own is None else f'the typeURL {own!r}'}"
