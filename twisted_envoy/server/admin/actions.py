"""The small pages: states, actions, and what this build has not got."""

from __future__ import annotations

from twisted_envoy.server.admin.json_text import MessageKit, jsonText
from twisted_envoy.server.admin.reply import JSON, OK, Query, Reply
from twisted_envoy.server.admin.target import AdminTarget


def ready(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """The server's state; 503 unless it is LIVE."""
    return Reply(f"{target.state}\n", 200 if target.state == "LIVE" else 503)


def healthCheckFail(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """Be unhealthy from now on."""
    target.healthCheckFail()
    return OK


def healthCheckOk(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """Be healthy again."""
    target.healthCheckOk()
    return OK


def reopenLogs(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """Open the access logs anew."""
    target.reopenLogs()
    return OK


def quitQuitQuit(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """End the server, once this answer is on its way."""
    target.soon(target.shutdown)
    return OK


def contention(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """There are no mutexes to trace."""
    return Reply(
        "Mutex contention tracing is not enabled. "
        "To enable, run Envoy with flag --enable-mutex-tracing."
    )


def initDump(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """No target is ever unready: what needs time is ready before the admin listens."""
    return Reply(jsonText({}), contentType=JSON)


def hotRestartVersion(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """There is no hot restart."""
    return Reply("disabled")


def certs(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """envoy.admin.v3.Certificates."""
    found = [shown() for shown in target.certificates]
    return Reply(jsonText({"certificates": found}), contentType=JSON)


def cpuProfiler(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """There is no profiler to start."""
    enable = query.first("enable")
    if len(query.pairs) != 1 or enable not in ("y", "n"):
        return Reply("?enable=<y|n>\n", 400)
    return Reply("failure to start the profiler", 500) if enable == "y" else OK


def heapProfiler(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """Not in this build."""
    return Reply("The current build does not support heap profiler", 501)


def heapDump(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """Not in this build."""
    return Reply("Heap profile is not implemented in current build", 501)


def allocationProfiler(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """Not in this build."""
    return Reply("Allocation profile is not implemented in current build", 501)


def allocatorStats(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """Not in this build."""
    return Reply("TCMalloc is not used by the current build", 501)


def recentLookups(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """Stats are looked up once, at start; there is nothing to track."""
    return Reply(
        "Lookup tracking is not enabled. Use /stats/recentlookups/enable to enable.\n\ntotal: 0\n"
    )


def recentLookupsSwitch(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """Accepted; there is nothing to track."""
    return OK
