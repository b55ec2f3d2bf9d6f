"""
rate_limits: the descriptors that requests are counted by.

Routes and virtual hosts have them, and so may the filter that counts; nobody else looks at them.

Envoy: config.route.v3.RateLimit; RateLimitPolicyImpl in source/common/router/router_ratelimit.cc,
RateLimitPolicy in source/extensions/filters/common/ratelimit_config/ratelimit_config.cc
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.rate_actions import Action, Entry, buildAction
from twisted_envoy.http.routes.rate_hits import Hits, buildHits
from twisted_envoy.state.request_info import RequestInfo


class Descriptor(NamedTuple):
    """
    What one request is counted by.

    Attributes:
        entries: keys and values. hits: that it counts for. givesBack: they are put back instead.
        tellsLimit: with x-ratelimit-* in the response; None: as the filter says.
    """

    entries: tuple[Entry, ...]
    hits: int
    givesBack: bool
    tellsLimit: bool | None


class RateLimit:
    """
    One RateLimit.

    Args:
        hits: None: one for each request.

    Attributes:
        stage: of the filters that look at it.
    """

    __slots__ = ("_actions", "_givesBack", "_hits", "_tellsLimit", "stage")

    def __init__(
        self,
        actions: tuple[Action, ...],
        tellsLimit: bool | None,
        stage: int = 0,
        hits: Hits | None = None,
        givesBack: bool = False,
    ) -> None:
        self._actions = actions
        self._hits = hits
        self._givesBack = givesBack
        self._tellsLimit = tellsLimit
        self.stage = stage

    def describe(self, headers: HeaderMap, info: RequestInfo) -> Descriptor | None:
        """The descriptor of a request; None when it has none."""
        entries = []
        for action in self._actions:
            entry = action(headers, info)
            if entry is None:
                return None
            if entry[0]:
                entries.append(entry)
        hits = 1 if self._hits is None else self._hits(info)
        if hits is None:
            return None
        return Descriptor(tuple(entries), hits, self._givesBack, self._tellsLimit)


class RateLimits:
    """The rate_limits of a route or of a virtual host, by stage."""

    __slots__ = ("_stages",)

    def __init__(self, limits: Iterable[RateLimit]) -> None:
        self._stages: dict[int, tuple[RateLimit, ...]] = {}
        for limit in limits:
            self._stages[limit.stage] = (*self._stages.get(limit.stage, ()), limit)

    def at(self, stage: int) -> tuple[RateLimit, ...]:
        """Those of one stage."""
        return self._stages.get(stage, ())


def buildRateLimits(views: Sequence[Any], context: Any) -> RateLimits | None:
    """
    Read those of a route or a virtual host.

    Returns:
        None when there are none; those that are disabled count, but give nothing.
    Raises:
        ConfigError: an action that is wrong.
    """
    found = []
    for view in views:
        for field in ("hits_addend", "apply_on_stream_done", "limit"):
            view.moot(field, "only what asks a rate limit service looks at a route's")
        limit = RateLimit(_actions(view, context), _tellsLimit(view), view.stage or 0)
        if not view.disable_key:  # whatever the runtime has for it
            found.append(limit)
    return RateLimits(found) if views else None


def buildOwnRateLimits(views: Iterable[Any], context: Any) -> tuple[RateLimit, ...]:
    """
    Read those of a filter.

    Raises:
        ConfigError: an action that is wrong, or what only routes may say.
    """
    found = []
    for view in views:
        givesBack, hits = False, None
        if view.hits_addend is not None:
            hits, givesBack = buildHits(view.hits_addend, context)
        if view.has("stage") or view.disable_key:
            raise view.error("'stage' field and 'disable_key' field are not supported")
        if view.limit is not None:
            raise view.error("'limit' field is not supported", "limit")
        actions = tuple(_ownAction(action, context) for action in view.actions)
        limit = RateLimit(actions, _tellsLimit(view), 0, hits, givesBack)
        if not view.apply_on_stream_done:  # nobody asks when the stream is done
            found.append(limit)
    return tuple(found)


def _ownAction(view: Any, context: Any) -> Action:
    if view.which("action_specifier") == "dynamic_metadata":
        raise view.error("Unsupported rate limit action: 7")
    return buildAction(view, context)


def _actions(view: Any, context: Any) -> tuple[Action, ...]:
    return tuple(buildAction(action, context) for action in view.actions)


def _tellsLimit(view: Any) -> bool | None:
    option = view.x_ratelimit_option
    return None if option == "UNSPECIFIED" else option == "DRAFT_VERSION_03"
