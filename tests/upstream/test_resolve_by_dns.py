"""Names are asked of a DNS server of the tests' own, on loopback."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.names.common import ResolverBase
from twisted.names.dns import (
    AAAA,
    CNAME,
    A,
    DNSDatagramProtocol,
    Record_A,
    Record_AAAA,
    Record_CNAME,
    RRHeader,
)
from twisted.names.error import DNSNameError
from twisted.names.server import DNSServerFactory
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from twisted_envoy.interfaces.upstream import IHostResolver, ResolveFailed
from twisted_envoy.upstream.resolve_by_dns import DNSServers


class Zone(ResolverBase):
    """`a.test` has both kinds of addresses, `alias.test` is its alias; `bad.test` fails."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bytes] = []

    def _lookup(self, name: bytes, cls: int, type: int, timeout: Any) -> Deferred[Any]:
        self.asked.append(name)
        answers = []
        if name == b"bad.test":
            return fail(ValueError("broken"))
        if name == b"alias.test":
            answers.append(RRHeader(name, CNAME, payload=Record_CNAME(b"a.test")))
        elif name != b"a.test":
            return fail(DNSNameError())
        if type == A:
            answers += [
                RRHeader(b"a.test", A, payload=Record_A(host)) for host in ("10.0.0.1", "10.0.0.2")
            ]
        if type == AAAA:
            answers.append(RRHeader(b"a.test", AAAA, payload=Record_AAAA("2001:db8::1")))
        return succeed((answers, [], []))


class DNSServersTests(TestCase):
    """Over UDP."""

    def setUp(self) -> None:
        self.zone = Zone()
        protocol = DNSDatagramProtocol(DNSServerFactory(clients=[self.zone]))
        listen: Callable[..., Any] = reactor.listenUDP  # type: ignore[attr-defined]
        port = listen(0, protocol, interface="127.0.0.1")
        self.addCleanup(lambda: maybeDeferred(port.stopListening))
        hosts = Path(self.mktemp())
        hosts.write_text("10.9.9.9 known.test\n", "utf-8")
        self.servers = DNSServers([("127.0.0.1", port.getHost().port)], reactor, str(hosts))
        verifyObject(IHostResolver, self.servers)

    async def found(self, name: str, kind: Any = IPv4Address) -> Sequence[str]:
        """What is said of a name."""
        return await self.servers.resolve(name, kind)

    async def test_addresses(self) -> None:
        """Of either kind, behind an alias too."""
        for name in ("a.test", "alias.test"):
            self.assertEqual(await self.found(name), ["10.0.0.1", "10.0.0.2"])
            self.assertEqual(await self.found(name, IPv6Address), ["2001:db8::1"])

    async def test_none(self) -> None:
        """That there is no such name is an answer."""
        self.assertEqual(list(await self.found("none.test")), [])

    async def test_failure(self) -> None:
        """A server that cannot tell is none."""
        with self.assertRaises(ResolveFailed):
            await self.found("bad.test")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    async def test_notAsked(self) -> None:
        """Addresses, and names in the file of hosts."""
        self.assertEqual(await self.found("10.0.0.7"), ("10.0.0.7",))
        self.assertEqual(await self.found("10.0.0.7", IPv6Address), ())
        self.assertEqual(await self.found("known.test"), ["10.9.9.9"])
        self.assertEqual(self.zone.asked, [])
