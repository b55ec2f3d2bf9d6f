"""`config.core.v3.RuntimeFractionalPercent`: true for a share of random values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Fraction = Callable[[int], bool]
"""Is a random value (a whole number, 0 or more) within the share?"""

_DENOMINATORS = {"HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}


def buildFraction(view: Any, runtime: Any) -> Fraction:
    """
    Build a RuntimeFractionalPercent; a runtime value of its key is used instead of the default.

    Args:
        runtime: server.Runtime.
    """
    return buildPercent(view.default_value, view.runtime_key, runtime)


def buildPercent(view: Any, key: str, runtime: Any) -> Fraction:
    """
    Build a FractionalPercent that a runtime key stands over; `""` for no key.

    Args:
        view: None for no share at all.
    """
    numerator, denominator = readPercent(view)
    if not key:
        return lambda randomValue: randomValue % denominator < numerator
    runtime.integer(key)  # says that somebody asks for the key
    return lambda randomValue: isWithin(runtime, key, numerator, denominator, randomValue)


def isWithin(runtime: Any, key: str, numerator: int, denominator: int, randomValue: int) -> bool:
    """Is a random value within a share that a runtime key stands over?"""
    value = runtime.values.get(key)
    if isinstance(value, Mapping):
        numerator = int(value.get("numerator", 0))
        denominator = _DENOMINATORS.get(str(value.get("denominator", "HUNDRED")), 100)
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        numerator, denominator = value, 100
    return randomValue % denominator < numerator


def readPercent(view: Any) -> tuple[int, int]:
    """Numerator and denominator of a FractionalPercent; None is none at all."""
    return (0, 100) if view is None else (view.numerator, _DENOMINATORS[view.denominator])
