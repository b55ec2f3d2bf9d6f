"""
What hosts must have: values of `envoy.lb` metadata, and how they are compared.

A criterion asks for one key's value; those of a request come, in this order of precedence, from
its own dynamic metadata, its connection's, and its route (or TCP proxy).

Envoy: source/common/router/metadatamatchcriteria_impl.cc
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from itertools import product
from typing import Any

from twisted_envoy.interfaces.upstream import IHost, LoadBalancerContext

NAMESPACE = "envoy.lb"

Criteria = Mapping[str, object]
"""Key -> JSON-like value."""

SubsetKey = tuple[tuple[str, Hashable], ...]
"""Keys in order with their values, as `frozen` has them."""


def frozen(value: object) -> Hashable:
    """Something hashable that is equal for equal values, and for no others: true is not 1."""
    if isinstance(value, bool):
        return bool, value
    if isinstance(value, dict):
        return dict, frozenset((key, frozen(one)) for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return list, tuple(map(frozen, value))
    if isinstance(value, (int, float)):
        return float(value)
    return value if isinstance(value, str) else None


def subsetKey(criteria: Criteria) -> SubsetKey:
    """The subset that these ask for."""
    return tuple((name, frozen(criteria[name])) for name in sorted(criteria))


def criteriaOf(context: LoadBalancerContext) -> Criteria | None:
    """All that a connection or request asks for; None when it asks for nothing."""
    asked: Criteria | None = context.metadataMatch
    info: Any = context.streamInfo
    if info is None:
        return asked
    for each in (getattr(info, "connection", None), info):
        dynamic = None if each is None else each.dynamicMetadata.get(NAMESPACE)
        if dynamic is not None:
            asked = {**asked, **dynamic} if asked else dynamic
    return asked


def keysOf(host: IHost, keys: Iterable[str], listAsAny: bool) -> list[SubsetKey]:
    """
    The subsets of a selector that a host is in.

    Args:
        keys: of the selector, in order.
        listAsAny: a list stands for any one of its values.
    Returns:
        None of them when it lacks one of the keys.
    """
    values = host.metadata.get(NAMESPACE, {})
    choices: list[list[tuple[str, Hashable]]] = []
    for key in keys:
        if key not in values:
            return []
        choices.append([(key, frozen(one)) for one in _each(values[key], listAsAny)])
    return list(product(*choices)) if choices else []


def has(host: IHost, wanted: Criteria, listAsAny: bool) -> bool:
    """Does the host have all of these?"""
    values = host.metadata.get(NAMESPACE, {})
    return all(
        key in values and frozen(value) in map(frozen, _each(values[key], listAsAny))
        for key, value in wanted.items()
    )


def _each(value: object, listAsAny: bool) -> Iterable[object]:
    return value if listAsAny and isinstance(value, list) else (value,)
