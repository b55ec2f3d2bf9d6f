"""`RequestMirrorPolicy`: copies of requests to another cluster, whose answers nobody waits for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.clusters import headerCluster, requireCluster
from twisted_envoy.http.routes.header_edits import Edit
from twisted_envoy.http.routes.mutations import buildMutations
from twisted_envoy.network.fraction import Fraction, buildFraction


def _always(randomValue: int) -> bool:
    return True


class Mirror:
    """
    Where copies go.

    Attributes:
        clusterName(headers): None when the request names none.
        fraction(randomValue): does this request get a copy?
        appendsShadow: `-shadow` is added to the host of the copy.
        edit(headers, info): of the copy's headers; None for none.
        hostRewrite: the host of the copy; None to keep it.
    """

    __slots__ = ("appendsShadow", "clusterName", "edit", "fraction", "hostRewrite")

    def __init__(self, clusterName: Callable[[HeaderMap], str | None]) -> None:
        self.clusterName = clusterName
        self.fraction: Fraction = _always
        self.appendsShadow = True
        self.edit: Edit | None = None
        self.hostRewrite: bytes | None = None


def buildMirrors(views: Sequence[Any], context: Any, validate: bool) -> tuple[Mirror, ...]:
    """
    Read request_mirror_policies.

    Args:
        validate: their clusters have to exist.
    Raises:
        ConfigError: a cluster that does not, or not exactly one way to name it.
    """
    return tuple(_mirror(view, context, validate) for view in views)


def _mirror(view: Any, context: Any, validate: bool) -> Mirror:
    cluster: str = view.cluster
    header: str = view.cluster_header
    if cluster and header:
        raise view.error(
            "Only one of cluster '"
            + cluster
            + "' or cluster_header '"
            + header
            + "' in request mirror policy can be specified"
        )
    if not cluster and not header:
        raise view.error(
            "Exactly one of cluster or cluster_header in request mirror policy need to be specified"
        )
    if header:
        mirror = Mirror(headerCluster(header))
    else:
        if validate:
            requireCluster(cluster, view, context, "shadow cluster")
        mirror = Mirror(lambda headers: cluster)
    if view.has("runtime_fraction"):
        mirror.fraction = buildFraction(view.runtime_fraction, context.runtime)
    view.moot("trace_sampled", "there is no tracing")
    mirror.appendsShadow = not view.disable_shadow_host_suffix_append
    if view.has("request_headers_mutations"):
        mirror.edit = buildMutations(view.request_headers_mutations, context)
    mirror.hostRewrite = view.host_rewrite_literal.encode() or None
    return mirror
