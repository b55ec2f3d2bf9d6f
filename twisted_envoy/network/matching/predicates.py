"""
Predicates of matcher lists: about one input, or put together with and, or, not.

Envoy: xds.type.matcher.v3.Matcher.MatcherList.Predicate, source/common/matcher/field_matcher.h
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted_envoy.network.matchers import buildStringMatch
from twisted_envoy.network.matching.inputs import NOT_YET
from twisted_envoy.state.stream_info import StreamInfo

if TYPE_CHECKING:
    from twisted_envoy.network.matching.tree import TreeBuilder

INPUT_MATCHERS = "matching.input_matchers"

Predicate = Callable[[StreamInfo], object]
"""Gives True, False, or NOT_YET."""


def buildPredicate(view: Any, tree: TreeBuilder) -> Predicate:
    """
    Build a Predicate.

    Raises:
        ConfigError: an input or a matcher that cannot be obeyed.
    """
    kind = view.which("match_type")
    if kind == "single_predicate":
        return _single(view.single_predicate, tree)
    if kind == "not_matcher":
        return _not(buildPredicate(view.not_matcher, tree))
    below = tuple(buildPredicate(each, tree) for each in getattr(view, kind).predicate)
    return _any(below) if kind == "or_matcher" else _all(below)


def _single(view: Any, tree: TreeBuilder) -> Predicate:
    get = tree.input(view.input)
    matches: Callable[[Any], bool]
    if view.which("matcher") == "custom_match":
        factory, config = tree.context.extensions.open(view.custom_match, INPUT_MATCHERS)
        matches = factory.build(config, tree.context)
    else:
        text = buildStringMatch(view.value_match)
        matches = lambda value: isinstance(value, str) and text(value)  # noqa: E731

    def predicate(info: StreamInfo) -> object:
        value = get(info)
        return NOT_YET if value is NOT_YET else matches(value)

    return predicate


def _not(predicate: Predicate) -> Predicate:
    def negated(info: StreamInfo) -> object:
        answer = predicate(info)
        return NOT_YET if answer is NOT_YET else not answer

    return negated


def _all(predicates: tuple[Predicate, ...]) -> Predicate:
    def every(info: StreamInfo) -> object:
        for predicate in predicates:
            answer = predicate(info)
            if answer is NOT_YET or not answer:
                return answer
        return True

    return every


def _any(predicates: tuple[Predicate, ...]) -> Predicate:
    """True as soon as one is; what is not there yet counts only when none is true."""

    def some(info: StreamInfo) -> object:
        result: object = False
        for predicate in predicates:
            answer = predicate(info)
            if answer is NOT_YET:
                result = NOT_YET
            elif answer:
                return True
        return result

    return some
