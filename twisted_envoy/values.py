"""
Dataclasses that take a fifth of the time to make.

A start makes sixty, and the standard library compiles six functions for each (0.4 ms). Here
`__init__` is compiled, `__eq__` and `__hash__` are when they are called first, and the others are
the same for all. Options other than `frozen`, `slots` and `eq`, classes without slots, whose fields
are not plain or that have such functions of their own are left to the standard library. `fields`,
`replace` and `asdict` take both kinds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(**options: bool) -> Callable[[type], type]:
        """Make a dataclass; arguments are those of the standard library's decorator."""
        ordinary = dataclasses.dataclass(**options)
        if options.get("slots") and options.keys() <= {"frozen", "slots", "eq"}:
            return lambda kind: _make(kind, **options) if _isPlain(kind) else ordinary(kind)
        return ordinary


_OWN = {
    f"__{name}__"
    for name in (
        *("init", "post_init", "repr", "eq", "hash", "slots", "setattr", "delattr"),
        *("getstate", "setstate"),
    )
}
_ODD = ("ClassVar", "InitVar", "KW_ONLY")


def _isPlain(kind: type) -> bool:
    """Has it plain fields, with defaults at most, and no function that would be made?"""
    return (
        kind.__bases__ == (object,)
        and kind.__doc__ is not None
        and _OWN.isdisjoint(vars(kind))
        and not any(odd in str(said) for said in kind.__annotations__.values() for odd in _ODD)
        and all(
            one.init and one.repr and one.compare and one.hash is None
            for one in vars(kind).values()
            if isinstance(one, dataclasses.Field)
        )
    )


def _make(kind: type, slots: bool, frozen: bool = False, eq: bool = True) -> type:
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(kind)
    params = made.__dataclass_params__
    params.init = params.repr = True
    params.eq, params.frozen = eq, frozen
    made.__init__ = _initializer(made)
    made.__repr__ = _shown
    if eq:
        made.__eq__ = _equality(made)
        made.__hash__ = _hasher(made) if frozen else None
    if frozen:
        made.__setattr__ = _refuseSet
        made.__delattr__ = _refuseDelete
        made.__getstate__ = _state
        made.__setstate__ = _restore
    return made  # type: ignore[no-any-return]


class _Factory:
    """The default of what is made anew each time."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY = _Factory()


def _initializer(made: Any) -> Callable[..., None]:
    """Compile `__init__`: it fills the slots, whatever `__setattr__` says."""
    missing = dataclasses.MISSING
    scope: dict[str, Any] = {"_factory": _FACTORY}
    head, body = ["self"], ["    pass"]
    for index, field in enumerate(dataclasses.fields(made)):
        name = field.name
        scope[f"_set{index}"] = vars(made)[name].__set__
        value = name
        if field.default_factory is not missing:
            scope[f"_default{index}"] = _FACTORY
            scope[f"_make{index}"] = field.default_factory
            value = f"_make{index}() if {name} is _factory else {name}"
        elif field.default is not missing:
            scope[f"_default{index}"] = field.default
        elif f"_default{index - 1}" in scope:
            raise TypeError(f"non-default argument {name!r} follows a default argument")
        head.append(f"{name}=_default{index}" if f"_default{index}" in scope else name)
        body.append(f"    _set{index}(self, {value})")
    found = _compiled(made, f"__init__({', '.join(head)})", body, scope)
    found.__annotations__ = {**made.__annotations__, "return": None}
    return found


def _equality(made: Any) -> Callable[[Any, object], Any]:
    def equal(self: Any, other: object) -> Any:
        texts = [
            "    if other.__class__ is self.__class__:",
            f"        return {_values(made, 'self')} == {_values(made, 'other')}",
            "    return NotImplemented",
        ]
        made.__eq__ = _compiled(made, "__eq__(self, other)", texts)
        return made.__eq__(self, other)

    return equal


def _hasher(made: Any) -> Callable[[Any], int]:
    def hashed(self: Any) -> int:
        texts = [f"    return hash({_values(made, 'self')})"]
        made.__hash__ = _compiled(made, "__hash__(self)", texts)
        return hash(self)

    return hashed


def _values(made: Any, instance: str) -> str:
    """The text of a tuple."""
    return f"({''.join(f'{instance}.{name}, ' for name in made.__match_args__)})"


def _compiled(
    made: Any, head: str, body: list[str], scope: dict[str, Any] | None = None
) -> Callable[..., Any]:
    """The method of that text."""
    scope = {} if scope is None else scope
    exec("\n".join((f"def {head}:", *body)), scope)
    found: Callable[..., Any] = scope[head.partition("(")[0]]
    found.__qualname__ = f"{made.__qualname__}.{found.__name__}"
    found.__module__ = made.__module__
    return found


@recursive_repr()
def _shown(self: Any) -> str:
    fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
    return f"{self.__class__.__qualname__}({fields})"


def _refuseSet(_self: object, name: str, _value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuseDelete(_self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, name) for name in self.__match_args__]


def _restore(self: Any, state: list[object]) -> None:
    for name, value in zip(self.__match_args__, state, strict=True):
        object.__setattr__(self, name, value)
