"""`server.*`: what the server says of itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted_envoy.server.server import Server

_STATES = {"LIVE": 0, "DRAINING": 1, "PRE_INITIALIZING": 2, "INITIALIZING": 3}


class ServerStats:
    """`server.*`: most are computed when somebody looks."""

    def __init__(self, server: Server) -> None:
        scope = server.store.scope("server.")
        scope.gauge("concurrency").value = server.options.concurrency
        scope.gauge("hot_restart_epoch")
        for name in (
            "debug_assertion_failures",
            "dropped_stat_flushes",
            "envoy_bug_failures",
            "envoy_notifications",
            "main_thread.watchdog_mega_miss",
            "main_thread.watchdog_miss",
        ):
            scope.counter(name)
        for number in range(server.options.concurrency):
            for name in ("watchdog_mega_miss", "watchdog_miss"):
                scope.counter(f"worker_{number}.{name}")
        for name in ("dynamic_unknown_fields", "static_unknown_fields", "wip_protos"):
            scope.counter(name).value += 0  # Envoy counts nothing, and so they are used
        scope.gauge("compilation_settings.fips_mode").value = 0
        for name in ("parent_connections", "seconds_until_first_ocsp_response_expiring"):
            scope.gauge(name)
        scope.gauge("days_until_first_cert_expiring").value = 2**32 - 1
        override = server.bootstrap.stats_server_version_override
        scope.gauge("version").value = 0 if override is None else override
        scope.computedGauge("live", lambda: int(server.state == "LIVE"))
        scope.computedGauge("state", lambda: _STATES[server.state])
        scope.computedGauge("uptime", lambda: int(server.seconds() - server.startTime))
        scope.computedGauge("total_connections", lambda: server.listeners.openConnections)
        scope.computedGauge("memory_allocated", residentBytes)
        scope.computedGauge("memory_heap_size", residentBytes)
        scope.computedGauge("memory_physical_size", residentBytes)


def residentBytes() -> int:
    """Memory of this process that is in RAM, in bytes; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
