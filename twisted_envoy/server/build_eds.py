"""
Hosts that stand in a file of their own: `type: EDS` by path.

The file is read at the start, as those of `dynamic_resources` are; a change is a line in the log.
What is refused leaves the cluster without hosts, and is counted in its own stats.

Envoy: EdsClusterImpl
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted_envoy.errors import ConfigError, UnsupportedExtension, UnsupportedField
from twisted_envoy.server.build_hosts import buildHosts, staticAddress
from twisted_envoy.server.dynamic_files import subscribe

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.server.context import FactoryContext
    from twisted_envoy.upstream.host import HostSettings

EDS_ROOTS = "twisted_envoy.server.build_eds.roots"
"""The singleton with the Views of all files that were taken, so that unread fields are told."""

_ASSIGNMENT = "envoy.config.endpoint.v3.ClusterLoadAssignment"


def isByPath(config: View) -> bool:
    """Whether a cluster is of type EDS, with a file as its source."""
    if config.which("cluster_discovery_type") != "type" or config.type != "EDS":
        return False
    eds = config.eds_cluster_config
    source = None if eds is None else eds.eds_config
    return source is not None and source.which("config_source_specifier") in (
        "path",
        "path_config_source",
    )


def edsHosts(config: View, context: FactoryContext) -> tuple[HostSettings, ...]:
    """
    Read the hosts of a cluster.

    Args:
        config: of which isByPath is true.
        context: the cluster's.
    Returns:
        None of them when the file is empty, cannot be read or is refused.
    Raises:
        ConfigError: there is no such file; there is no node to ask as.
    """
    eds = config.eds_cluster_config
    files = subscribe(eds.eds_config, _ASSIGNMENT, context.scope.prefix, context)
    assert files is not None
    wanted: str = eds.service_name or config.name
    empty = context.scope.counter("update_empty")
    found = files.resources()
    if files.root is None:
        return ()
    hosts: tuple[HostSettings, ...] = ()
    problems: list[ConfigError] = []
    if not found:
        empty.value += 1
    else:
        try:
            hosts = _hosts(files.root, found, wanted)
        except (UnsupportedExtension, UnsupportedField):
            raise
        except ConfigError as problem:
            problems.append(problem)
    files.used(problems)
    if files.root is not None:
        cast("list[Any]", context.singleton(EDS_ROOTS, list)).append(files.root)
    return hosts


def _hosts(root: Any, found: tuple[View, ...], wanted: str) -> tuple[HostSettings, ...]:
    if len(found) != 1:
        raise root.error(f"Unexpected EDS resource length: {len(found)}")
    (only,) = found
    if only.cluster_name != wanted:
        raise only.error(f"Unexpected EDS cluster (expecting {wanted}): {only.cluster_name}")
    return buildHosts(only, staticAddress)
