"""
The command line of `twistd envoy`: Envoy's own flags, as far as they are obeyed or harmless.

Follows https://www.envoyproxy.io/docs/envoy/latest/operations/cli. A flag that would be silently
without effect is not accepted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from twisted.python import usage

from twisted_envoy import __version__
from twisted_envoy.config.load import COMMAND_LINE
from twisted_envoy.server.log_format import DEFAULT_LOG_FORMAT, LogFormatError, compileLogFormat
from twisted_envoy.server.log_levels import LogControl, LogControlError, parseComponentLevels
from twisted_envoy.values import dataclass

ENVOY_VERSION = "1.40.0"
"""The Envoy whose configuration and behaviour are followed."""

MODES = {"serve": "Serve", "validate": "Validate", "init_only": "InitOnly"}
DRAIN_STRATEGIES = {"gradual": "Gradual", "immediate": "Immediate"}


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """
    What the command line says; the defaults are Envoy's.

    Args:
        configName: what errors call the text of configYAML.
    Units: drainTime, parentShutdownTime and fileFlushInterval are seconds.
    """

    configPath: str = ""
    configYAML: str = ""
    configName: str = COMMAND_LINE
    mode: str = "Serve"
    logLevel: str = "info"
    componentLogLevel: str = ""
    logFormat: str = DEFAULT_LOG_FORMAT
    logFormatEscaped: bool = False
    logPath: str = ""
    serviceNode: str = ""
    serviceCluster: str = ""
    serviceZone: str = ""
    adminAddressPath: str = ""
    drainTime: float = 600.0
    drainStrategy: str = "Gradual"
    parentShutdownTime: float = 900.0
    fileFlushInterval: float = 10.0
    concurrency: int = 1
    baseID: int = 0
    disableHotRestart: bool = True
    allowUnsupported: bool = False
    skipDeprecatedLogs: bool = False

    @property
    def validating(self) -> bool:
        """True for `--mode validate`: nothing is opened, bound or started."""
        return self.mode == "Validate"

    def logControl(self) -> LogControl:
        """The log levels that the options ask for."""
        control = LogControl(self.logLevel)
        if self.componentLogLevel:
            control.setLevels(parseComponentLevels(self.componentLogLevel))
        return control


_UNSIGNED = 2**32 - 1

MOST_WORKERS = 256
"""Each is a process."""

_REFUSED = {
    "allow-unknown-static-fields": "unknown fields of a static config are always refused",
    "allow-unknown-fields": "unknown fields of a static config are always refused",
    "reject-unknown-dynamic-fields": "dynamic configuration is not implemented",
    "ignore-unknown-dynamic-fields": "dynamic configuration is not implemented",
    "use-dynamic-base-id": "hot restart is not implemented",
    "base-id-path": "hot restart is not implemented",
    "restart-epoch": "hot restart is not implemented",
    "socket-path": "hot restart is not implemented",
    "socket-mode": "hot restart is not implemented",
    "enable-fine-grain-logging": "log levels are per logger, not per file",
    "enable-mutex-tracing": "there are no mutexes to trace",
    "enable-core-dump": "use ulimit -c",
    "cpuset-threads": "there are no worker threads",
    "disable-extensions": "not implemented",
    "stats-tag": "not implemented",
    "log-stacktrace-single-entry": "not implemented",
    "file-flush-min-size-kb": "logs are flushed at 64 KiB",
    "local-address-ip-version": "not implemented",
    "skip-hot-restart-on-no-parent": "hot restart is not implemented",
    "skip-hot-restart-parent-stats": "hot restart is not implemented",
}
"""Flags of Envoy's that could not be obeyed -> why; naming one is an error that says so."""


class Options(usage.Options):
    """Envoy's flags for twistd; `serverOptions` holds what they say once they are parsed."""

    synopsis = "-c FILE [options]"  # twistd says what comes before
    longdesc = f"Runs an Envoy {ENVOY_VERSION} bootstrap inside this Twisted process."

    optParameters = [
        ["config-path", "c", "", "Path to configuration file"],
        ["config-yaml", None, "", "Inline YAML configuration, merged into that of --config-path"],
        ["mode", None, "serve", "serve, validate (check and exit) or init_only"],
        ["log-level", "l", "info", "trace, debug, info, warning|warn, error, critical or off"],
        ["component-log-level", None, "", "Such as upstream:debug,config:trace"],
        ["log-format", None, DEFAULT_LOG_FORMAT, "Log line pattern, in spdlog's syntax"],
        ["log-path", None, "", "Path to log file"],
        ["service-node", None, "", "Node name"],
        ["service-cluster", None, "", "Cluster name"],
        ["service-zone", None, "", "Zone name"],
        ["admin-address-path", None, "", "File that the admin address is written to"],
        ["drain-time-s", None, "600", "Drain time in seconds"],
        ["drain-strategy", None, "gradual", "gradual or immediate"],
        ["parent-shutdown-time-s", None, "900", "Accepted; there is no hot restart"],
        ["file-flush-interval-msec", None, "10000", "Interval for log flushing in milliseconds"],
        ["concurrency", None, "1", "Number of worker processes"],
        ["base-id", None, "0", "Accepted; there is no hot restart"],
    ]
    optFlags = [
        ["disable-hot-restart", None, "Accepted; there is no hot restart"],
        ["log-format-escaped", None, "Escape control characters in log messages"],
        ["skip-deprecated-logs", None, "No warnings about deprecated fields"],
        ["allow-unsupported", None, "Warn about what is not obeyed instead of refusing it"],
    ]

    serverOptions: ServerOptions = ServerOptions()

    def opt_version(self) -> None:
        """Display version information and exit."""
        print(f"twisted_envoy {__version__} (Envoy {ENVOY_VERSION})")
        raise SystemExit(0)

    def opt_hot_restart_version(self) -> None:
        """Hot restart compatibility version."""
        print("disabled")
        raise SystemExit(0)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Parse the command line.

        Raises:
            SystemExit: with status 1, after one line on stderr, when it is wrong.
        """
        try:
            super().parseOptions(options)  # type: ignore[no-untyped-call]
        except usage.UsageError as problem:
            print(f"error: {_explained(str(problem))}", file=sys.stderr)
            raise SystemExit(1) from None

    def parseArgs(self, *args: str) -> None:
        """Envoy takes no arguments but flags."""
        if args:
            raise usage.UsageError(f"unexpected argument '{args[0]}'")

    def postOptions(self) -> None:
        """Check everything and make `serverOptions`."""
        fields = ServerOptions(
            configPath=self["config-path"],
            configYAML=self["config-yaml"],
            mode=self._oneOf("mode", MODES),
            logLevel=self["log-level"],
            componentLogLevel=self["component-log-level"],
            logFormat=self["log-format"],
            logFormatEscaped=bool(self["log-format-escaped"]),
            logPath=self["log-path"],
            serviceNode=self["service-node"],
            serviceCluster=self["service-cluster"],
            serviceZone=self["service-zone"],
            adminAddressPath=self["admin-address-path"],
            drainStrategy=self._oneOf("drain-strategy", DRAIN_STRATEGIES),
            disableHotRestart=True,
            allowUnsupported=bool(self["allow-unsupported"]),
            skipDeprecatedLogs=bool(self["skip-deprecated-logs"]),
        )
        self.serverOptions = self._withNumbers(fields)
        self._checkLogging()

    def _withNumbers(self, fields: ServerOptions) -> ServerOptions:
        concurrency = max(1, self._unsigned("concurrency"))  # as in Envoy
        if concurrency > MOST_WORKERS:
            raise usage.UsageError(f"--concurrency {concurrency}: at most {MOST_WORKERS}")
        return replace(
            fields,
            drainTime=float(self._unsigned("drain-time-s")),
            parentShutdownTime=float(self._unsigned("parent-shutdown-time-s")),
            fileFlushInterval=self._unsigned("file-flush-interval-msec") / 1000,
            concurrency=concurrency,
            baseID=self._unsigned("base-id"),
        )

    def _checkLogging(self) -> None:
        try:
            self.serverOptions.logControl()
            compileLogFormat(self.serverOptions.logFormat)
        except (LogControlError, LogFormatError) as problem:
            raise usage.UsageError(str(problem)) from None

    def _oneOf(self, name: str, names: dict[str, str]) -> str:
        found: str = self[name]
        if found not in names:
            raise usage.UsageError(f"unknown {name} '{found}' (known: {', '.join(names)})")
        return names[found]

    def _unsigned(self, name: str) -> int:
        text: str = self[name]
        if not (text.isascii() and text.isdigit() and int(text) <= _UNSIGNED):
            raise usage.UsageError(f"--{name}: not a number from 0 to {_UNSIGNED}: '{text}'")
        return int(text)


def _explained(problem: str) -> str:
    """The problem; for a flag of Envoy's that is known but not obeyed, the reason as well."""
    for name, reason in _REFUSED.items():
        if problem == f"option --{name} not recognized":
            return f"option --{name} is not supported: {reason}"
    if problem.endswith("not recognized"):
        return f"{problem} (twistd envoy --help lists the options)"
    return problem
