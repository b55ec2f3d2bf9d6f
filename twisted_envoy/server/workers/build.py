"""From a command line with `--concurrency` to a WorkerManager."""

from __future__ import annotations

from typing import Any

from twisted_envoy.config.load import readFile
from twisted_envoy.server.build import buildServer
from twisted_envoy.server.log import DescriptorOutput
from twisted_envoy.server.log_setup import LogSetup
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.server.workers.manager import WorkerManager
from twisted_envoy.server.workers.process import LogPlace


def buildWorkers(options: ServerOptions, reactor: Any, logs: LogSetup) -> WorkerManager:
    """
    Build the server; nothing is bound, and no worker is started.

    The config file is read once: a worker that is started again gets the same text.

    Raises:
        ConfigError: the first thing that cannot be obeyed.
    """
    text = readFile(options.configPath) if options.configPath else None
    server = buildServer(options, reactor, setLogFormat=logs.log.setFormat, text=text, worker=0)
    return WorkerManager(server, text, placeOf(logs))


def placeOf(logs: LogSetup) -> LogPlace:
    """Where workers log: where the first process does."""
    if not logs.replacesTwisted:
        return LogPlace(descriptor=None)
    if isinstance(logs.output, DescriptorOutput):
        return LogPlace(descriptor=logs.output.descriptor)
    return LogPlace(path=logs.path)
