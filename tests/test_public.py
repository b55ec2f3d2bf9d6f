"""The public surface: what other programs may rely on."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

from twisted.application.service import IService, IServiceMaker
from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.task import Clock
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.interface import InterfaceClass

import twisted_envoy
from twisted_envoy import internal, testing
from twisted_envoy.config.installed import GROUP
from twisted_envoy.service import service

PACKAGE = Path(twisted_envoy.__file__).parent

INTERNAL = [
    "CLIENT_ADDRESS",
    "IHalfCloseTransport",
    "IInternalTransport",
    "InternalAddress",
    "InternalClientEndpoint",
    "InternalPort",
    "InternalServerEndpoint",
    "InternalTransport",
    "NotSettled",
    "Registry",
    "TurnQueue",
    "getRegistry",
]

INTERFACES = {
    "access_log": ["IAccessLogFile", "IAccessLogManager", "IAccessLogger"],
    "compression": ["CompressorLibrary", "DecompressorLibrary", "ICompressor", "IDecompressor"],
    "extensions": ["IExtensionFactory", "IFactoryContext", "Node"],
    "http": ["IHTTPCluster", "IHTTPFilterFactory", "IHTTPPool", "IPoolUser", "PoolConnection"],
    "network": [
        "IDrainDecision",
        "IListenerFilter",
        "IListenerInfo",
        "INetworkFilterFactory",
        "IReadFilter",
        "ITransportListenerFilter",
        "IWriteFilter",
        "Verdict",
    ],
    "sockets": ["ConnectOptions", "ISocketInterface", "ListenOptions"],
    "transport_sockets": [
        "IDownstreamTransportSocketFactory",
        "IUpstreamTransportSocketFactory",
        "TransportSocketOptions",
    ],
    "upstream": [
        "ICluster",
        "IClusterManager",
        "IClusterType",
        "IDiscovery",
        "IHost",
        "IHostResolver",
        "ILoadBalancer",
        "ILoadBalancerMaker",
        "IRetryPriority",
        "ITCPPool",
        "LoadBalancerContext",
        "PriorityLoads",
        "ResolveFailed",
    ],
}
"""Module of `interfaces` -> what is in it."""

TESTING = [
    "MemoryEnvoy",
    "MemoryResolver",
    "MemorySockets",
    "Origin",
    "Peer",
    "parseAddress",
]

BASES = {
    "twisted_envoy.network.link": "Link",
    "twisted_envoy.errors": "ConfigError",
}
"""What a filter of somebody else's needs besides interfaces."""


def defined(module: object) -> list[str]:
    """Public classes that a module defines or names in __all__."""
    named = getattr(module, "__all__", None)
    if named is not None:
        return sorted(named)
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and isinstance(value, (type, InterfaceClass))
        and value.__module__ == module.__name__  # type: ignore[attr-defined]
    )


class PublicTests(SynchronousTestCase):
    """Names may be added; a name that goes away breaks somebody."""

    def test_internal(self) -> None:
        """The names of twisted_envoy.internal."""
        self.assertEqual(sorted(internal.__all__), INTERNAL)
        for name in INTERNAL:
            self.assertTrue(hasattr(internal, name), name)

    def test_testing(self) -> None:
        """The names of twisted_envoy.testing."""
        self.assertEqual(sorted(testing.__all__), TESTING)
        for name in TESTING:
            self.assertTrue(hasattr(testing, name), name)

    def test_interfaces(self) -> None:
        """The names of twisted_envoy.interfaces."""
        modules = {path.stem for path in (PACKAGE / "interfaces").glob("*.py")} - {"__init__"}
        found = {
            name: defined(import_module(f"twisted_envoy.interfaces.{name}")) for name in modules
        }
        self.assertEqual(found, INTERFACES)

    def test_bases(self) -> None:
        """What filters are made of."""
        for module, name in BASES.items():
            self.assertTrue(hasattr(import_module(module), name))

    def test_command(self) -> None:
        """`twistd envoy`."""
        names = [plugin.tapname for plugin in getPlugins(IServiceMaker)]
        self.assertEqual(names.count("envoy"), 1)

    def test_strings(self) -> None:
        """`internal:` for servers and clients."""
        clock = Clock()
        server = serverFromString(clock, "internal:x")
        client = clientFromString(clock, "internal:x:endpoint_id=y")
        self.assertIsInstance(server, internal.InternalServerEndpoint)
        self.assertIsInstance(client, internal.InternalClientEndpoint)

    def test_service(self) -> None:
        """`twisted_envoy.service(bootstrap, reactor)`, by both names."""
        self.assertEqual(list(inspect.signature(service).parameters)[:2], ["bootstrap", "reactor"])
        for make in (twisted_envoy.service, service):
            made = make("{admin: {}}", Clock())
            self.assertTrue(IService.providedBy(made))

    def test_group(self) -> None:
        """The entry points of other people's extensions."""
        self.assertEqual(GROUP, "twisted_envoy.extensions")
