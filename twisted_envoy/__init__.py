"""
Envoy's configuration and behaviour, alive inside a Twisted process.

The package is imported by `twistd` and by applications; importing it costs nothing: everything
else is imported where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os

    from twisted.application.service import IService

    from twisted_envoy.server.options import ServerOptions

__version__ = "0.1.0.dev0"


def service(
    bootstrap: str | os.PathLike[str], reactor: Any, options: ServerOptions | None = None
) -> IService:
    """The server of a bootstrap as a service; see `twisted_envoy.service`."""
    from twisted_envoy.service import service as build

    return build(bootstrap, reactor, options)
