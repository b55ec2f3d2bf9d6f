"""
A bootstrap as a service: for `.tac` files and other applications.

    application = Application("proxy")
    twisted_envoy.service("bootstrap.yaml", reactor).setServiceParent(application)

The package has a function of this module's name, so that the line above reads as it does. The
module itself can be called as well: importing it puts it where the function was.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from twisted.application.service import IService

if TYPE_CHECKING:
    from twisted_envoy.server.options import ServerOptions


def service(
    bootstrap: str | os.PathLike[str], reactor: Any, options: ServerOptions | None = None
) -> IService:
    """
    Build the server of a bootstrap.

    Args:
        bootstrap: a file's path; or the text of a bootstrap, which has more than one line or is a
            JSON object.
        options: what else the command line would say.
    Returns:
        Binds in `privilegedStartService` (or `startService`); `stopService` returns a Deferred
        that fires when nothing is left open.
    Raises:
        ConfigError: with file, line and column.
    """
    from twisted_envoy.server.build import buildServer
    from twisted_envoy.server.options import ServerOptions

    options = options or ServerOptions()
    where = os.fspath(bootstrap)
    if "\n" in where or where.lstrip().startswith("{"):
        options = replace(options, configYAML=where, configName="<bootstrap>")
    else:
        options = replace(options, configPath=where)
    return buildServer(options, reactor)


class _CallableModule(ModuleType):
    """`twisted_envoy.service` is a function, whether or not this module was imported."""

    def __call__(
        self,
        bootstrap: str | os.PathLike[str],
        reactor: Any,
        options: ServerOptions | None = None,
    ) -> IService:
        return service(bootstrap, reactor, options)


sys.modules[__name__].__class__ = _CallableModule
