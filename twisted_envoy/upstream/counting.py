"""What every connection to a host counts, whichever pool made it, and why one could not be had."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from twisted.internet.error import ConnectBindError, ConnectError
from twisted.python.failure import Failure

from twisted_envoy.state.addresses import addressText

if TYPE_CHECKING:
    from twisted_envoy.upstream.circuit_breaker import Resource
    from twisted_envoy.upstream.host import Host


def countStarted(host: Host, connections: Resource) -> None:
    """A connection to the host begins."""
    connections.take()
    stats = host.cluster.stats
    stats.upstream_cx_total.value += 1
    stats.upstream_cx_active.value += 1
    host.stats.cx_total.value += 1
    host.stats.cx_active.value += 1


def countConnectFailed(host: Host) -> None:
    """It could not be made; `countDestroyed` counts its end."""
    host.cluster.stats.upstream_cx_connect_fail.value += 1
    host.stats.cx_connect_fail.value += 1


def isBindError(host: Host, failure: Failure) -> bool:
    """Whether a connect failed on our side, for its source address, which is counted then."""
    if not isinstance(failure.value, ConnectBindError):
        return False
    host.cluster.stats.bind_errors.value += 1
    return True


def countLength(host: Host, started: float) -> None:
    """How long a connection lasted that began then, in seconds."""
    length = host.cluster.seconds() - started
    host.cluster.stats.upstream_cx_length_ms.record(int(length * 1000))


def countDestroyed(host: Host, remote: bool, connections: Resource, inUse: bool = False) -> None:
    """A connection to the host is gone, established or not."""
    if inUse:
        countDestroyedWithActive(host, remote)
    stats = host.cluster.stats
    stats.upstream_cx_destroy.value += 1
    if remote:
        stats.upstream_cx_destroy_remote.value += 1
    else:
        stats.upstream_cx_destroy_local.value += 1
    stats.upstream_cx_active.value -= 1
    host.stats.cx_active.value -= 1
    connections.give()


def countDestroyedWithActive(host: Host, remote: bool) -> None:
    """And somebody used it."""
    stats = host.cluster.stats
    stats.upstream_cx_destroy_with_active_rq.value += 1
    if remote:
        stats.upstream_cx_destroy_remote_with_active_rq.value += 1
    else:
        stats.upstream_cx_destroy_local_with_active_rq.value += 1


def connectFailure(host: Host, failure: Failure, immediate: bool) -> str:
    """
    Envoy's text of a failed connect.

    Args:
        immediate: it failed inside `connect()`; a problem may say so itself (`atOnce`).
    """
    problem = failure.value
    told = getattr(problem, "transportFailureReason", None)
    if told is not None:
        return str(told)
    code = getattr(problem, "osError", None)
    if code == errno.ELOOP and isinstance(problem, ConnectError):
        text = problem.args[-1]  # of the hop guard, which Envoy does not have
    else:
        text = os.strerror(code) if isinstance(code, int) else str(problem)
    text = text.replace(" ", "_")
    if isinstance(problem, ConnectBindError):
        name, port = host.cluster.connectOptions.sourceAddress or ("", 0)
        source = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
        return f"failed_to_bind_to_{source}:_{text}"
    if not (immediate or getattr(problem, "atOnce", False)):
        return f"delayed_connect_error:_{text}"
    return f"immediate_connect_error:_{text}|remote_address:{addressText(host.address)}"
