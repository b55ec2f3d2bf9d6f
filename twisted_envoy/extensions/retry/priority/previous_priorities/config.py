"""The factory of previous_priorities."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from zope.interface import implementer

from twisted_envoy.extensions.retry.priority.previous_priorities.loads import PreviousPriorities
from twisted_envoy.interfaces.extensions import IExtensionFactory


@implementer(IExtensionFactory)
class PreviousPrioritiesFactory:
    """Builds what makes a PreviousPriorities for the hosts that a request has tried."""

    typeURL = "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"
    category = "retry.priority"

    def build(self, config: Any, context: Any) -> Callable[[list[Any]], PreviousPriorities]:
        return partial(PreviousPriorities, config.update_frequency)
