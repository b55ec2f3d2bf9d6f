"""What matcher trees see of connections."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from twisted_envoy.extensions.matching.common_inputs.network import factories
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.network.matching.inputs import HTTP, NETWORK
from twisted_envoy.state.stream_info import StreamInfo

PACKAGE = "envoy.extensions.matching.common_inputs.network.v3."
LOCAL, REMOTE = IPv4Address("TCP", "10.0.0.2", 80), IPv4Address("TCP", "10.0.0.1", 1234)


def see(name: str, info: StreamInfo) -> object:
    """What an input gives."""
    (factory,) = (one for one in factories if one.typeURL == PACKAGE + name)
    return factory.build(configOf(factory.typeURL), None)(info)


def infoOf(local: IAddress | None = LOCAL, remote: IAddress | None = REMOTE) -> StreamInfo:
    return StreamInfo(0.0, local, remote)


class ConnectionInputTests(SynchronousTestCase):
    def test_addresses(self) -> None:
        """Of IP addresses only; the direct source is the socket's."""
        info = infoOf()
        info.remoteAddress = IPv6Address("TCP", "2001:db8::1", 7)
        self.assertEqual(see("DestinationIPInput", info), "10.0.0.2")
        self.assertEqual(see("DestinationPortInput", info), "80")
        self.assertEqual(see("SourceIPInput", info), "2001:db8::1")
        self.assertEqual(see("SourcePortInput", info), "7")
        self.assertEqual(see("DirectSourceIPInput", info), "10.0.0.1")
        other = infoOf(InternalAddress("l", "1"), UNIXAddress("/s"))
        for name in (
            "DestinationIP",
            "DestinationPort",
            "SourceIP",
            "SourcePort",
            "DirectSourceIP",
        ):
            self.assertIsNone(see(f"{name}Input", other))

    def test_sourceType(self) -> None:
        """`local` or nothing."""
        self.assertIsNone(see("SourceTypeInput", infoOf()))
        self.assertEqual(see("SourceTypeInput", infoOf(LOCAL, LOCAL)), "local")
        loopback = IPv4Address("TCP", "127.0.0.1", 1)
        self.assertEqual(see("SourceTypeInput", infoOf(LOCAL, loopback)), "local")

    def test_protocols(self) -> None:
        """SNI, transport protocol, application protocols."""
        info = infoOf()
        for name in ("ServerName", "TransportProtocol", "ApplicationProtocol", "NetworkNamespace"):
            self.assertIsNone(see(f"{name}Input", info))
        info.requestedServerName = "a.test"
        info.transportProtocol = "tls"
        info.applicationProtocols = ("h2", "http/1.1")
        self.assertEqual(see("ServerNameInput", info), "a.test")
        self.assertEqual(see("TransportProtocolInput", info), "tls")
        self.assertEqual(see("ApplicationProtocolInput", info), "'h2','http/1.1'")

    def test_categories(self) -> None:
        """As real Envoy has them."""
        both = []
        for factory in factories:
            self.assertTrue(IExtensionFactory.providedBy(factory))
            self.assertEqual(unreadFields(configOf(PACKAGE + "SourceIPInput")), [])
            if HTTP in factory.category and NETWORK in factory.category:
                both.append(factory.typeURL.removeprefix(PACKAGE))
        self.assertEqual(
            both,
            [
                "DestinationIPInput",
                "DestinationPortInput",
                "SourceIPInput",
                "SourcePortInput",
                "DirectSourceIPInput",
                "SourceTypeInput",
                "ServerNameInput",
                "NetworkNamespaceInput",
                "FilterStateInput",
            ],
        )
