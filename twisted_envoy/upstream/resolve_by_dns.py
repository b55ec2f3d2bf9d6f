"""
Names to addresses by asking DNS servers that a config names; `/etc/hosts` goes before them.

twisted.names asks: in parallel to everything else, no thread waits.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, succeed
from twisted.names import dns
from twisted.names.client import Resolver
from twisted.names.error import DNSNameError, DomainError, ResolverError
from twisted.names.hosts import Resolver as HostsResolver
from twisted.names.resolve import ResolverChain
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.interfaces.upstream import IHostResolver, ResolveFailed
from twisted_envoy.upstream.resolve import literalKind

_HOSTS = "/etc/hosts"
_UNTYPED: tuple[Any, Any, Any] = (Resolver, HostsResolver, ResolverChain)

Server = tuple[str, int]
"""Address and port of a DNS server."""


@implementer(IHostResolver)
class DNSServers:
    """
    Asks servers.

    Args:
        servers: one after the other.
        reactor: IReactorUDP and IReactorTime; used when a name is looked up first.
        hosts: the path of a file of addresses and their names.
    """

    def __init__(self, servers: Sequence[Server], reactor: Any, hosts: str = _HOSTS) -> None:
        self.servers = tuple(servers)
        self._reactor = reactor
        self._hosts = hosts
        self._chain: Any = None

    def resolve(self, name: str, kind: type[IPv4Address | IPv6Address]) -> Deferred[Sequence[str]]:
        literal = literalKind(name)
        if literal is not None or not name:
            return succeed((name,) if literal is kind else ())
        if self._chain is None:
            ask, known, chained = _UNTYPED
            servers = ask(servers=list(self.servers), reactor=self._reactor)
            self._chain = chained([known(self._hosts), servers])
        chain = self._chain
        look = chain.lookupAddress if kind is IPv4Address else chain.lookupIPV6Address
        looking: Deferred[Any] = look(name)
        return looking.addCallbacks(_addresses, _failed, callbackArgs=(kind,))


def _addresses(found: tuple[Any, Any, Any], kind: type[IPv4Address | IPv6Address]) -> Sequence[str]:
    wanted, family = (dns.A, socket.AF_INET) if kind is IPv4Address else (dns.AAAA, socket.AF_INET6)
    return [socket.inet_ntop(family, one.payload.address) for one in found[0] if one.type == wanted]


def _failed(failure: Failure) -> Sequence[str]:
    """That there is no such name is an answer."""
    problem = failure.value
    if isinstance(problem, DNSNameError):
        return ()
    if isinstance(problem, (DomainError, ResolverError)):
        raise ResolveFailed(type(problem).__name__) from problem
    failure.raiseException()
