"""/server_info and /memory: what runs here, and how much memory it takes."""

from __future__ import annotations

import os
from typing import Any as Untyped

from twisted_envoy import __version__
from twisted_envoy.server.admin.json_text import MessageKit
from twisted_envoy.server.admin.reply import JSON, Query, Reply
from twisted_envoy.server.admin.target import AdminTarget
from twisted_envoy.server.options import ENVOY_VERSION, ServerOptions

_STATUS = "twisted_envoy"
_BUILD = "RELEASE"
_TLS = "OpenSSL"


def versionText() -> str:
    """Shaped as Envoy's: revision/version/status/build type/TLS library."""
    return f"{__version__}/{ENVOY_VERSION}/{_STATUS}/{_BUILD}/{_TLS}"


def serverInfo(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """envoy.admin.v3.ServerInfo, defaults included."""
    made = kit.new("envoy.admin.v3.ServerInfo")
    made.version = versionText()
    made.state = target.state
    uptime = max(0, int(target.seconds() - target.startTime))
    made.uptime_current_epoch.seconds = uptime
    made.uptime_all_epochs.seconds = uptime
    made.hot_restart_version = "disabled"
    fillOptions(made.command_line_options, target.options)
    made.node.CopyFrom(nodeMessage(target, kit))
    return Reply(kit.text(made, defaults=True), contentType=JSON)


def fillOptions(made: Untyped, options: ServerOptions) -> None:
    """envoy.admin.v3.CommandLineOptions of the command line."""
    made.base_id = options.baseID
    made.concurrency = options.concurrency
    made.config_path = options.configPath
    made.config_yaml = options.configYAML
    made.admin_address_path = options.adminAddressPath
    made.log_level = options.logLevel
    made.component_log_level = options.componentLogLevel
    made.log_format = options.logFormat
    made.log_format_escaped = options.logFormatEscaped
    made.log_path = options.logPath
    made.service_cluster = options.serviceCluster
    made.service_node = options.serviceNode
    made.service_zone = options.serviceZone
    made.file_flush_interval.FromMicroseconds(int(options.fileFlushInterval * 1e6))
    made.drain_time.FromMicroseconds(int(options.drainTime * 1e6))
    made.drain_strategy = options.drainStrategy
    made.parent_shutdown_time.FromMicroseconds(int(options.parentShutdownTime * 1e6))
    made.mode = options.mode
    made.disable_hot_restart = True
    made.skip_deprecated_logs = options.skipDeprecatedLogs
    made.socket_path = "@envoy_domain_socket"


def nodeMessage(target: AdminTarget, kit: MessageKit, configured: bool = False) -> Untyped:
    """
    The config.core.v3.Node: the bootstrap's, and what this program says of itself.

    Args:
        configured: leave out what only the command line says, as the bootstrap's dump does.
    """
    bootstrap: Untyped = target.bootstrap.message
    made = kit.new("envoy.config.core.v3.Node")
    made.CopyFrom(bootstrap.node)
    if not configured:
        made.id = target.options.serviceNode or made.id
        made.cluster = target.options.serviceCluster or made.cluster
        if target.options.serviceZone:
            made.locality.zone = target.options.serviceZone
    made.user_agent_name = "envoy"
    version = made.user_agent_build_version
    major, minor, patch = (int(part) for part in ENVOY_VERSION.split("."))
    version.version.major_number = major
    version.version.minor_number = minor
    version.version.patch = patch
    for key, value in (
        ("build.type", _BUILD),
        ("revision.sha", __version__),
        ("revision.status", _STATUS),
        ("ssl.version", _TLS),
    ):
        version.metadata[key] = value
    return made


def memory(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """envoy.admin.v3.Memory, in bytes: what is resident, and the size of the data segment."""
    resident, data = target.memory()
    made = kit.new(
        "envoy.admin.v3.Memory",
        allocated=resident,
        heap_size=data,
        total_physical_bytes=resident,
    )
    return Reply(kit.text(made, defaults=True), contentType=JSON)


def memorySizes() -> tuple[int, int]:
    """(resident, data segment) in bytes; zeros where /proc does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = [int(part) for part in file.read().split()]
    except OSError:
        return 0, 0
    size = os.sysconf("SC_PAGE_SIZE")
    return pages[1] * size, pages[5] * size
