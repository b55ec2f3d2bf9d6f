"""
`xds.type.matcher.v3.Matcher`: lists of predicates and maps of values, nested as deep as one likes.

    a list   asks its predicates in order; the first that is true and leads to an action wins
    a map    looks its input up; a prefix map tries the longest prefix first
    custom   an extension's, see CUSTOM

Where nothing leads to an action, on_no_match does. What has keep_matching leads to none.

Envoy: source/common/matcher/{matcher,list_matcher,map_matcher}.h
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.network.matching.inputs import NOT_YET, Input, buildInput
from twisted_envoy.network.matching.predicates import buildPredicate
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.values import dataclass

CUSTOM = "matching.custom"
"""
The category of matchers of trees. Their factories have a method `buildTree(config, tree)`, which is
given the View of their config and the TreeBuilder; it returns what is asked with a StreamInfo and
the input's text, and gives an action, NO_MATCH or NOT_YET.
"""

_URL = "type.googleapis.com/"

NO_MATCH = object()

Step = Callable[[StreamInfo], object]
"""Gives an action, NO_MATCH, or NOT_YET."""


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What a tree may use; keep_matching is not among it.

    Attributes:
        inputs: full names of their messages; None for all. where, problem: what an error says; {}
            in problem is the message that is not among them.
    """

    inputs: frozenset[str] | None
    where: str
    problem: str = ""

    def check(self, view: Any) -> None:
        """Raise a ConfigError when an input is not among them."""
        name = view.typed_config.typeName
        if self.inputs is not None and name not in self.inputs:
            raise view.error(self.where + self.problem.format(_URL + name))


class TreeBuilder:
    """
    Builds the parts of one tree.

    Args:
        context: an IFactoryContext.
        inputs: the category of inputs that it may have: `matching.network.input` or
            `matching.http.input`.
        buildAction: makes an action of a TypedExtensionConfig's View; never None.
        limits: of what the tree may use; None for no limits.
    """

    __slots__ = ("_buildAction", "_limits", "context", "inputs")

    def __init__(
        self,
        context: Any,
        inputs: str,
        buildAction: Callable[[Any], object],
        limits: Limits | None = None,
    ) -> None:
        self.context = context
        self.inputs = inputs
        self._limits = limits
        self._buildAction = buildAction

    def matcher(self, view: Any) -> Step:
        """Build a Matcher."""
        otherwise = self.onMatch(view.on_no_match)
        kind = view.which("matcher_type")
        if kind == "matcher_list":
            return self._list(view.matcher_list, otherwise)
        if kind == "matcher_tree":
            return self._tree(view.matcher_tree, otherwise)
        return otherwise

    def onMatch(self, view: Any) -> Step:
        """Build an OnMatch; None leads nowhere."""
        if view is None:
            return _nowhere
        keeps: bool = view.keep_matching
        if keeps and self._limits is not None:
            problem = f"{self._limits.where}keep_matching is not supported in this context"
            raise view.error(problem, "keep_matching")
        if view.which("on_match") == "matcher":
            step = self.matcher(view.matcher)
            return _keeping(step) if keeps else step
        action = self._buildAction(view.action)
        return _nowhere if keeps else lambda info: action

    def input(self, view: Any) -> Input:
        """Build an input."""
        found = buildInput(view, self.inputs, self.context)
        if self._limits is not None:
            self._limits.check(view)
        return found

    def _list(self, view: Any, otherwise: Step) -> Step:
        pairs = tuple(
            (buildPredicate(each.predicate, self), self.onMatch(each.on_match))
            for each in view.matchers
        )

        def match(info: StreamInfo) -> object:
            for predicate, step in pairs:
                answer = predicate(info)
                if answer is NOT_YET:
                    return NOT_YET
                if answer:
                    found = step(info)
                    if found is not NO_MATCH:
                        return found
            return otherwise(info)

        return match

    def _tree(self, view: Any, otherwise: Step) -> Step:
        get = self.input(view.input)
        kind = view.which("tree_type")
        if kind == "custom_match":
            factory, config = self.context.extensions.open(view.custom_match, CUSTOM)
            find: Callable[[StreamInfo, str], object] = factory.buildTree(config, self)
        else:
            entries = {key: self.onMatch(below) for key, below in getattr(view, kind).map.items()}
            find = _exactly(entries) if kind == "exact_match_map" else _byPrefix(entries)

        def match(info: StreamInfo) -> object:
            value = get(info)
            if value is NOT_YET:
                return NOT_YET
            if isinstance(value, str):
                found = find(info, value)
                if found is not NO_MATCH:
                    return found
            return otherwise(info)

        return match


def _nowhere(info: StreamInfo) -> object:
    return NO_MATCH


def _keeping(step: Step) -> Step:
    return lambda info: NOT_YET if step(info) is NOT_YET else NO_MATCH


def _exactly(entries: dict[str, Step]) -> Callable[[StreamInfo, str], object]:
    def find(info: StreamInfo, value: str) -> object:
        step = entries.get(value)
        return NO_MATCH if step is None else step(info)

    return find


def _byPrefix(entries: dict[str, Step]) -> Callable[[StreamInfo, str], object]:
    longestFirst = sorted(entries.items(), key=lambda entry: -len(entry[0]))

    def find(info: StreamInfo, value: str) -> object:
        for prefix, step in longestFirst:
            if value.startswith(prefix):
                found = step(info)
                if found is not NO_MATCH:
                    return found
        return NO_MATCH

    return find


def buildMatcher(
    view: Any,
    context: Any,
    inputs: str,
    buildAction: Callable[[Any], object],
    limits: Limits | None = None,
) -> Callable[[StreamInfo], Any]:
    """
    Build a whole tree; see TreeBuilder.

    Returns:
        What gives the action for a connection or request; None when there is none, or when an input
        that decides is not there yet.
    Raises:
        ConfigError: in Envoy's words.
    """
    step = TreeBuilder(context, inputs, buildAction, limits).matcher(view)

    def match(info: StreamInfo) -> object:
        found = step(info)
        return None if found is NO_MATCH or found is NOT_YET else found

    return match
