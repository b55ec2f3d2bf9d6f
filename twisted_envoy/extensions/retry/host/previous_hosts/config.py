"""The factory of the predicate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory


def wasTried(host: Any, tried: Sequence[Any]) -> bool:
    """Shall another host be chosen: was this one tried before?"""
    return host in tried


@implementer(IExtensionFactory)
class PreviousHostsFactory:
    """Builds `wasTried`."""

    typeURL = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    category = "retry.host"

    def build(self, config: Any, context: Any) -> Any:
        return wasTried
