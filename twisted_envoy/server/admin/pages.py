"""
Every admin page: path, words of `/help`, parameters, and what answers it.

The words are Envoy 1.40's, so that scripts that read `/help` find what they know.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted_envoy.server.admin import actions
from twisted_envoy.server.admin.clusters_page import clusters
from twisted_envoy.server.admin.config_dump import configDump
from twisted_envoy.server.admin.json_text import MessageKit
from twisted_envoy.server.admin.listeners_page import drainListeners, listeners
from twisted_envoy.server.admin.logging_page import logging
from twisted_envoy.server.admin.reply import Query, Reply
from twisted_envoy.server.admin.runtime_page import runtime, runtimeModify
from twisted_envoy.server.admin.server_info import memory, serverInfo
from twisted_envoy.server.admin.stats_pages import prometheus, resetCounters, stats
from twisted_envoy.server.admin.target import AdminTarget
from twisted_envoy.values import dataclass

Handler = Callable[[AdminTarget, MessageKit, Query], Reply]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter: its name, its words, and its values if only some are allowed."""

    name: str
    help: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page; one that mutates wants POST."""

    path: str
    help: str
    handler: Handler
    mutates: bool = False
    parameters: tuple[Parameter, ...] = ()


PAGES: tuple[Page, ...] = (
    Page(
        "/allocprofiler",
        "enable/disable the allocation profiler (if supported)",
        actions.allocationProfiler,
        mutates=True,
        parameters=(Parameter("enable", "enable/disable the allocation profiler", ("y", "n")),),
    ),
    Page("/certs", "print certs on machine", actions.certs),
    Page(
        "/clusters",
        "upstream cluster status",
        clusters,
        parameters=(
            Parameter("filter", "Regular expression (Google re2) for filtering clusters by name"),
        ),
    ),
    Page(
        "/config_dump",
        "dump current Envoy configs",
        configDump,
        parameters=(
            Parameter("resource", "The resource to dump"),
            Parameter(
                "mask",
                "The mask to apply. When both resource and mask are specified, the mask is "
                "applied to every element in the desired repeated field so that only a "
                "subset of fields are returned. The mask is parsed as a Protobuf::FieldMask",
            ),
            Parameter(
                "name_regex",
                "Dump only the currently loaded configurations whose names match the "
                "specified regex. Can be used with both resource and mask query parameters.",
            ),
            Parameter(
                "include_eds",
                "Dump currently loaded configuration including EDS. See the response "
                "definition for more information",
            ),
        ),
    ),
    Page(
        "/contention", "dump current Envoy mutex contention stats (if enabled)", actions.contention
    ),
    Page(
        "/cpuprofiler",
        "enable/disable the CPU profiler",
        actions.cpuProfiler,
        mutates=True,
        parameters=(Parameter("enable", "enables the CPU profiler", ("y", "n")),),
    ),
    Page(
        "/drain_listeners",
        "drain listeners",
        drainListeners,
        mutates=True,
        parameters=(
            Parameter(
                "graceful",
                "When draining listeners, enter a graceful drain period prior to closing "
                "listeners. This behaviour and duration is configurable via server options "
                "or CLI",
            ),
            Parameter(
                "skip_exit",
                "When draining listeners, drain the connections but never stop the "
                "listeners. The graceful parameter has no effect when this is set, since "
                "the drain period only delays stopping the listeners",
            ),
            Parameter(
                "inboundonly",
                "Drains all inbound listeners. traffic_direction field in "
                "envoy_v3_api_msg_config.listener.v3.Listener is used to determine whether "
                "a listener is inbound or outbound.",
            ),
        ),
    ),
    Page(
        "/healthcheck/fail",
        "cause the server to fail health checks",
        actions.healthCheckFail,
        mutates=True,
    ),
    Page(
        "/healthcheck/ok",
        "cause the server to pass health checks",
        actions.healthCheckOk,
        mutates=True,
    ),
    Page("/heap_dump", "dump current Envoy heap (if supported)", actions.heapDump),
    Page(
        "/heapprofiler",
        "enable/disable the heap profiler",
        actions.heapProfiler,
        mutates=True,
        parameters=(Parameter("enable", "enable/disable the heap profiler", ("y", "n")),),
    ),
    Page(
        "/hot_restart_version",
        "print the hot restart compatibility version",
        actions.hotRestartVersion,
    ),
    Page(
        "/init_dump",
        "dump current Envoy init manager information (experimental)",
        actions.initDump,
        parameters=(
            Parameter(
                "mask",
                "The desired component to dump unready targets. The mask is parsed as a "
                "Protobuf::FieldMask. For example, get the unready targets of all "
                "listeners with /init_dump?mask=listener`",
            ),
        ),
    ),
    Page(
        "/listeners",
        "print listener info",
        listeners,
        parameters=(Parameter("format", "File format to use", ("text", "json")),),
    ),
    Page(
        "/logging",
        "query/change logging levels",
        logging,
        mutates=True,
        parameters=(
            Parameter(
                "paths",
                "Change multiple logging levels by setting to "
                "<logger_name1>:<desired_level1>,<logger_name2>:<desired_level2>. If fine "
                "grain logging is enabled, use __FILE__ or a glob experision as the logger "
                "name. For example, source/common*:warning",
            ),
            Parameter(
                "group",
                "Change given logger group to desired level, set to "
                "<logger_group_name>:<desired_level>. logger_group_name must be a logger "
                "name.",
            ),
            Parameter(
                "level",
                "desired logging level, this will change all loggers's level",
                ("", "trace", "debug", "info", "warning", "error", "critical", "off"),
            ),
        ),
    ),
    Page("/memory", "print current allocation/heap usage", memory),
    Page("/memory/tcmalloc", "print TCMalloc stats", actions.allocatorStats),
    Page("/peak_heap_dump", "dump peak Envoy heap (if supported)", actions.heapDump),
    Page("/quitquitquit", "exit the server", actions.quitQuitQuit, mutates=True),
    Page("/ready", "print server state, return 200 if LIVE, otherwise return 503", actions.ready),
    Page("/reopen_logs", "reopen access logs", actions.reopenLogs, mutates=True),
    Page("/reset_counters", "reset all counters to zero", resetCounters, mutates=True),
    Page("/runtime", "print runtime values", runtime),
    Page(
        "/runtime_modify",
        "Adds or modifies runtime values as passed in query parameters. To delete a "
        "previously added key, use an empty string as the value. Note that deletion only "
        "applies to overrides added via this endpoint; values loaded from disk can be "
        "modified via override but not deleted. E.g. ?key1=value1&key2=value2...",
        runtimeModify,
        mutates=True,
    ),
    Page("/server_info", "print server version/status information", serverInfo),
    Page(
        "/stats",
        "print server stats",
        stats,
        parameters=(
            Parameter(
                "usedonly", "Only include stats that have been written by system since restart"
            ),
            Parameter("filter", "Regular expression (Google re2) for filtering stats"),
            Parameter("invert_filter", "Invert the filter regex"),
            Parameter("format", "Format to use", ("html", "active-html", "text", "json")),
            Parameter(
                "type",
                "Stat types to include.",
                ("All", "Counters", "Histograms", "Gauges", "TextReadouts"),
            ),
            Parameter(
                "histogram_buckets",
                "Histogram bucket display mode",
                ("cumulative", "disjoint", "detailed", "summary"),
            ),
        ),
    ),
    Page(
        "/stats/prometheus",
        "print server stats in prometheus format",
        prometheus,
        parameters=(
            Parameter(
                "usedonly", "Only include stats that have been written by system since restart"
            ),
            Parameter(
                "text_readouts",
                "Render text_readouts as new gaugues with value 0 (increases Prometheus data size)",
            ),
            Parameter("filter", "Regular expression (Google re2) for filtering stats"),
            Parameter("invert_filter", "Invert the filter regex"),
            Parameter(
                "histogram_buckets", "Histogram bucket display mode", ("cumulative", "summary")
            ),
        ),
    ),
    Page("/stats/recentlookups", "Show recent stat-name lookups", actions.recentLookups),
    Page(
        "/stats/recentlookups/clear",
        "clear list of stat-name lookups and counter",
        actions.recentLookupsSwitch,
        mutates=True,
    ),
    Page(
        "/stats/recentlookups/disable",
        "disable recording of reset stat-name lookup names",
        actions.recentLookupsSwitch,
        mutates=True,
    ),
    Page(
        "/stats/recentlookups/enable",
        "enable recording of reset stat-name lookup names",
        actions.recentLookupsSwitch,
        mutates=True,
    ),
)
"""All but `/` and `/help`, which show this table."""
