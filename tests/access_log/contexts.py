"""A factory context with what access logs need of one."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted_envoy.access_log.manager import MemoryAccessLogManager
from twisted_envoy.extensions.access_loggers.file import factories as fileFactories
from twisted_envoy.extensions.access_loggers.stream import factories as streamFactories
from twisted_envoy.server.runtime import Runtime

FACTORIES = {factory.typeURL: factory for factory in (*fileFactories, *streamFactories)}


class Context:
    """
    Stands for an IFactoryContext.

    Attributes:
        categories: what `build` was asked for.
    """

    def __init__(self, accessLogs: Any = None) -> None:
        self.accessLogs = MemoryAccessLogManager() if accessLogs is None else accessLogs
        self.random = Random(1)
        self.runtime = Runtime()
        self.categories: list[str] = []

    def build(self, view: Any, category: str) -> Any:
        """Build one of the access loggers of this package."""
        self.categories.append(category)
        config = view.typed_config
        return FACTORIES[config.typeURL.rpartition("/")[2]].build(config.open(), self)
