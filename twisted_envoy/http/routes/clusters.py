"""The names of clusters in routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.network.matchers import fieldName


def headerCluster(name: str) -> Callable[[HeaderMap], str | None]:
    """What gives the cluster that a request header names; None when it has no such header."""
    key = fieldName(name)

    def clusterName(headers: HeaderMap) -> str | None:
        value = headers.get(key)
        return None if not value else value.decode("utf-8", "surrogateescape")

    return clusterName


def requireCluster(
    name: str, view: Any, context: Any, kind: str = "cluster", field: str = "cluster"
) -> None:
    """
    Check that there is a cluster.

    Raises:
        ConfigError: there is none.
    """
    if not context.clusters.isKnown(name):
        raise view.error(f"route: unknown {kind} '{name}'", field)
