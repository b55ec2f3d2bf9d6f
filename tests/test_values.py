"""Tests for `twisted_envoy.values`: the same as the standard library's, in all that can be seen."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy import values
from twisted_envoy.values import dataclass

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Point:
    """Ours."""

    x: int
    y: int = 2
    names: list[str] = field(default_factory=list)
    missing: object = None

    def total(self) -> int:
        """Of both."""
        return self.x + self.y


@dataclasses.dataclass(frozen=True, slots=True)
class Model:
    """The standard library's."""

    x: int
    y: int = 2
    names: list[str] = field(default_factory=list)
    missing: object = None

    def total(self) -> int:
        """Of both."""
        return self.x + self.y


@dataclass(frozen=True, slots=True)
class Key:
    """Can be hashed."""

    name: str
    port: float = 0


@dataclass(frozen=True, slots=True)
class Nothing:
    """Has no field."""


@dataclass(slots=True)
class Open:
    """Can be changed."""

    x: int
    y: int = 2


def outcome(call: Callable[[Any], object], kind: type) -> str:
    """What it returns, or the type and words of what it raises; with one name for both classes."""
    try:
        found = repr(call(kind))
    except Exception as problem:
        found = f"{type(problem)}: {problem}"
    return found.replace("Model", "Point")


class SameTests(SynchronousTestCase):
    """Ours beside the standard library's."""

    def test_calls(self) -> None:
        """Each way to make one, right or wrong, and what can be done with it."""
        calls: tuple[Callable[[Any], object], ...] = (
            lambda kind: kind(1),
            lambda kind: kind(1, 3, ["a"], missing=kind(2)),
            lambda kind: kind(y=1, x=2),
            lambda kind: kind(),
            lambda kind: kind(1, 2, [], 4, 5),
            lambda kind: kind(1, z=5),
            lambda kind: kind(1, x=5),
            lambda kind: kind(1).total(),
            lambda kind: kind(1).names is kind(1).names,
            lambda kind: setattr(kind(1), "x", 2),
            lambda kind: delattr(kind(1), "x"),
            lambda kind: kind(1) == kind(1),
            lambda kind: kind(1) == kind(1, 3),
            lambda kind: kind(1) != kind(1, 3),
            lambda kind: kind(1) == (1, 2, [], None),
            lambda kind: kind(1) < kind(2),
            lambda kind: hash(kind(1)),
            lambda kind: hash(kind(1, names=())) == hash(kind(1, names=())),
            lambda kind: replace(kind(1), y=7),
            lambda kind: replace(kind(1), z=7),
            lambda kind: asdict(kind(1, missing=kind(2))),
            lambda kind: [(one.name, one.type, one.init) for one in fields(kind)],
            lambda kind: pickle.loads(pickle.dumps(kind(1, 5))),
            lambda kind: copy.copy(kind(1, 5)),
            lambda kind: copy.deepcopy(kind(1, 5, ["a"])),
            lambda kind: inspect.signature(kind),
            lambda kind: (kind.__slots__, kind.__match_args__, kind.__doc__ is not None),
            lambda kind: hasattr(kind(1), "__dict__"),
            lambda kind: kind.__dataclass_params__,
            lambda kind: sorted(set(vars(kind)) - {"__static_attributes__", "__firstlineno__"}),
            lambda kind: kind.__init__.__qualname__,
            lambda kind: dataclasses.dataclass(frozen=True)(type("Sub", (kind,), {}))(1),
        )
        for number, call in enumerate(calls):
            for _ in range(2):  # __eq__ and __hash__ change when they are called first
                self.assertEqual(outcome(call, Point), outcome(call, Model), number)

    def test_new(self) -> None:
        """There is no other attribute; the standard library's fails to say so."""
        self.assertRaises(FrozenInstanceError, setattr, Point(1), "new", 2)

    def test_itself(self) -> None:
        """One that holds itself can be shown."""
        holding: list[Any] = []
        holding.append(Point(1, names=holding))
        self.assertIn("names=[...]", repr(holding[0]))

    def test_key(self) -> None:
        """What can be hashed is found in a dict, and other classes are others."""
        self.assertEqual({Key("a"): 1, Key("a", 1): 2}[Key("a", 1.0)], 2)
        self.assertNotIn(Key("b"), {Key("a"): 1})
        self.assertNotEqual(Nothing(), Key("a"))
        self.assertEqual((Nothing(), hash(Nothing())), (Nothing(), hash(())))
        nan = float("nan")
        self.assertEqual(Key("a", nan), Key("a", nan))

    def test_open(self) -> None:
        """One that is not frozen can be changed and not be hashed."""
        one = Open(1)
        one.x = 5
        self.assertEqual((one, repr(one)), (Open(5), "Open(x=5, y=2)"))
        self.assertRaises(TypeError, hash, one)
        self.assertRaises(AttributeError, setattr, one, "z", 1)

    def test_identity(self) -> None:
        """Where equality is not wanted, each is equal to itself alone."""

        @dataclass(frozen=True, slots=True, eq=False)
        class One:
            """Is no other."""

            x: int

        first = One(1)
        self.assertEqual({first: 1}[first], 1)
        self.assertNotEqual(first, One(1))
        self.assertRaises(FrozenInstanceError, setattr, first, "x", 2)


class OddTests(SynchronousTestCase):
    """What is left to the standard library."""

    def test_options(self) -> None:
        """Any other option."""

        @dataclass(frozen=True, slots=True, order=True)
        class Ordered:
            """Has an order."""

            x: int

        @dataclass(frozen=True)
        class Loose:
            """Has no slots."""

            x: int

        self.assertLess(Ordered(1), Ordered(2))
        self.assertEqual(vars(Loose(1)), {"x": 1})

    def test_fields(self) -> None:
        """Fields that are not in the initializer or not compared; functions of its own."""

        @dataclass(frozen=True, slots=True)
        class Odd:
            """Has them all."""

            x: int
            kind: ClassVar[str] = "odd"
            hidden: int = field(default=1, compare=False, repr=False)
            later: int = field(init=False)

            def __post_init__(self) -> None:
                object.__setattr__(self, "later", self.x + 1)

        @dataclass(frozen=True, slots=True)
        class Shown:
            """Shows itself."""

            x: int

            def __repr__(self) -> str:
                return f"<{self.x}>"

        self.assertEqual(Odd(1, 2), Odd(1, 3))
        self.assertEqual((repr(Odd(1)).partition(".Odd")[2], Odd.kind), ("(x=1, later=2)", "odd"))
        self.assertEqual(repr(Shown(1)), "<1>")
        self.assertRaises(FrozenInstanceError, setattr, Odd(1), "x", 2)

    def test_wrong(self) -> None:
        """What is no dataclass there is none here."""
        with self.assertRaises(TypeError):

            @dataclass(frozen=True, slots=True)
            class Wrong:
                """A field without a default behind one with one."""

                x: int = 1
                y: int  # type: ignore[misc]


class TimeTests(SynchronousTestCase):
    def test_fast(self) -> None:
        """They are made in less than half of the time."""
        done = subprocess.run(
            [sys.executable, "-c", _TIMES],
            env={"PYTHONPATH": str(Path(values.__file__).parents[1])},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        ours, model = map(float, done.stdout.split())
        self.assertLess(ours * 2, model)


_TIMES = """
import dataclasses, time
from twisted_envoy import values

def best(decorator):
    times = []
    for _ in range(40):
        kind = type("Kind", (), {"__doc__": "", "__annotations__": dict.fromkeys("abcdef", "int")})
        began = time.process_time()
        decorator(kind)
        times.append(time.process_time() - began)
    return min(times)

for module in (values, dataclasses):
    print(best(module.dataclass(frozen=True, slots=True)))
"""
