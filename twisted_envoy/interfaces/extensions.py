"""How a config becomes something that runs: factories and what they are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


POLLED = "files that are looked at once a second"
"""The singleton of that key: a list of functions, which a running server calls every second."""
STOPPED = "what ends with the server"
"""The singleton of that key: a list of functions, which a server calls when it stops."""
CERTIFICATES = "certificates of all TLS contexts"
SECRETS = "secrets that stand in files"
"""
The singleton of that key: a list of functions, each of which gives an `admin.v3.Certificate` as
JSON's values, for `/certs`.
"""


@dataclass(frozen=True, slots=True)
class Node:
    """What a server is called, on its command line or in `node`; empty for nothing."""

    id: str = ""
    cluster: str = ""
    zone: str = ""


class IExtensionFactory(Interface):
    """
    Builds one kind of extension from its config.

    Found by its type URL: `envoy.extensions.filters.network.echo.v3.Echo` is looked for in
    `twisted_envoy.extensions.filters.network.echo`, in the module's `factories` tuple; others come
    from the entry-point group `twisted_envoy.extensions`, whose entry names are type URLs.

    A factory whose config is a message of its own has an attribute `descriptors` too: serialized
    FileDescriptorProtos (bytes), each after those that it depends on.
    """

    typeURL: str = Attribute("Full message name, without `type.googleapis.com/`.")
    category: str = Attribute("`filters.network`, `access_loggers`, ...: where it may be named.")

    def build(config: View, context: IFactoryContext) -> object:
        """
        Read the whole config, once, at start-up.

        Every field that is not read is reported as unsupported.

        Returns:
            What the category's interface says: for filters a callable that makes one.
        Raises:
            ConfigError: the config cannot be obeyed.
        """


class IFactoryContext(Interface):
    """What a factory may use while it builds, and may keep."""

    reactor: object = Attribute("IReactorTime and IReactorCore; time comes only from here.")
    scope: object = Attribute("stats.Scope of the listener or cluster that is being built.")
    stats: object = Attribute("The root stats.Store.")
    clusters: object = Attribute("IClusterManager.")
    registry: object = Attribute("internal.Registry: the internal listeners of this reactor.")
    sockets: object = Attribute("ISocketInterface.")
    resolver: object = Attribute("IHostResolver.")
    random: object = Attribute("random.Random.")
    extensions: object = Attribute("config.Extensions.")
    listener: object = Attribute("IListenerInfo of the listener being built, or None.")
    accessLogs: object = Attribute("access_log.AccessLogManager.")
    drain: object = Attribute("IDrainDecision.")
    nextID: Callable[[], int] = Attribute("Numbers connections, downstream and upstream alike.")
    runtime: object = Attribute("server.Runtime: the values of layered_runtime.")
    node: Node = Attribute("What the server is called.")
    validating: bool = Attribute("True when nothing will be started: open and bind nothing.")

    def singleton(key: str, make: Callable[[], object]) -> object:
        """The one object of that key in this server, made on first use."""

    def build(extension: View, category: str) -> object:
        """Build what a TypedExtensionConfig (or any `name` + `typed_config`) names."""

    def warn(problem: str, view: View | None = None) -> None:
        """Say something at start-up that is no error."""
