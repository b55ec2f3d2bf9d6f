"""
A bootstrap as a service: for `.tac` files and other applications.

    application = Application("proxy")
    service("bootstrap.yaml", reactor).setServiceParent(application)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.application.service import IService

from twisted_envoy.server.options import ServerOptions


def service(bootstrap: str, reactor: Any, options: ServerOptions | None = None) -> IService:
    """
    Build the server of a bootstrap.

    Args:
        bootstrap: a file's path, or the text of a bootstrap when it has more than one line.
        options: what else the command line would say.
    Returns:
        Binds in `privilegedStartService` (or `startService`); `stopService` returns a Deferred
        that fires when nothing is left open.
    Raises:
        ConfigError: with file, line and column.
    """
    from twisted_envoy.server.build import buildServer

    options = options or ServerOptions()
    if "\n" in bootstrap:
        options = replace(options, configYAML=bootstrap)
    else:
        options = replace(options, configPath=bootstrap)
    return buildServer(options, reactor)
