"""What factories are given while a server is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.config.extensions import buildWith
from twisted_envoy.errors import ConfigError
from twisted_envoy.interfaces.extensions import IFactoryContext, Node

if TYPE_CHECKING:
    from twisted_envoy.access_log.manager import AccessLogManager
    from twisted_envoy.config.extensions import Extensions
    from twisted_envoy.config.view import View
    from twisted_envoy.interfaces.network import IDrainDecision, IListenerInfo
    from twisted_envoy.interfaces.sockets import ISocketInterface
    from twisted_envoy.interfaces.upstream import IHostResolver
    from twisted_envoy.internal.registry import Registry
    from twisted_envoy.server.runtime import Runtime
    from twisted_envoy.stats.scope import Scope, Store
    from twisted_envoy.upstream.cluster_manager import ClusterManager


@implementer(IFactoryContext)
@dataclass(frozen=True)
class FactoryContext:
    """
    One for the server; `within` gives those of its listeners and clusters.

    Attributes:
        nextID: numbers the connections of the server, downstream and upstream alike.
        node: what the server is called.
        warnings: what is odd but no error, in the order in which it was found.
    """

    reactor: Any
    stats: Store
    scope: Scope
    clusters: ClusterManager
    registry: Registry
    sockets: ISocketInterface
    extensions: Extensions
    accessLogs: AccessLogManager
    drain: IDrainDecision
    runtime: Runtime
    resolver: IHostResolver
    random: Random = field(default_factory=Random)
    nextID: Callable[[], int] = field(default_factory=lambda: count(1).__next__)
    listener: IListenerInfo | None = None
    validating: bool = False
    node: Node = Node()
    warnings: list[ConfigError] = field(default_factory=list)
    singletons: dict[str, object] = field(default_factory=dict)

    def within(self, scope: Scope, listener: IListenerInfo | None = None) -> FactoryContext:
        """The context of a listener or cluster."""
        return replace(self, scope=scope, listener=listener)

    def singleton(self, key: str, make: Callable[[], object]) -> object:
        if key not in self.singletons:
            self.singletons[key] = make()
        return self.singletons[key]

    def build(self, extension: View, category: str) -> object:
        factory, config = self.extensions.open(extension, category)
        built: object = buildWith(factory, config, self, extension)
        return built

    def warn(self, problem: str, view: View | None = None) -> None:
        self.warnings.append(ConfigError("", problem) if view is None else view.error(problem))
