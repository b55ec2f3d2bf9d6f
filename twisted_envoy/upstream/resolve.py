"""
Names to addresses, by what the reactor has for it.

Twisted's own resolver (getaddrinfo in a thread) hides whether a name has no addresses or nobody
could be asked; clusters must know, so getaddrinfo is asked here. A resolver that was installed
with `reactor.installNameResolver` is used as it is.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet._resolver import GAIResolver
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IAddress, IHostResolution, IResolutionReceiver
from twisted.internet.threads import deferToThreadPool
from zope.interface import implementer

from twisted_envoy.interfaces.upstream import IHostResolver, ResolveFailed
from twisted_envoy.upstream.resolver_threads import ResolverThreads

Kind = type[IPv4Address | IPv6Address]

_FOUR_NUMBERS = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20}){3}")

_FAMILIES: dict[Kind, int] = {IPv4Address: socket.AF_INET, IPv6Address: socket.AF_INET6}
_NO_ADDRESS = frozenset(
    code
    for code in (getattr(socket, name, None) for name in ("EAI_NONAME", "EAI_NODATA"))
    if code is not None
)
"""Answers of getaddrinfo: the name does not exist, or has no such address."""


@implementer(IHostResolver)
class HostResolver:
    """
    Asks the reactor's name resolver.

    Args:
        reactor: IReactorPluggableNameResolver and IReactorThreads.
        getaddrinfo: the system's.
        threads: where it is called, IThreadPool's part of that.
    """

    def __init__(
        self,
        reactor: Any,
        getaddrinfo: Callable[..., list[Any]] | None = None,
        threads: Any = None,
    ) -> None:
        self._reactor = reactor
        self._threads: Any = ResolverThreads() if threads is None else threads
        self._getaddrinfo: Callable[..., list[Any]] = getaddrinfo or socket.getaddrinfo

    def resolve(self, name: str, kind: Kind) -> Deferred[Sequence[str]]:
        try:
            name = nameToAsk(name)
        except ResolveFailed as problem:
            return fail(problem)
        literal = literalKind(name)
        if literal is not None or not name:
            return succeed((name,) if literal is kind else ())
        installed = getattr(self._reactor, "nameResolver", None)
        if installed is None:
            return fail(ResolveFailed("this reactor cannot resolve names"))
        if not isinstance(installed, GAIResolver):
            answer = _Answer()
            installed.resolveHostName(answer, name, 0, [kind], "TCP")
            return answer.done
        asking: Deferred[Sequence[str]] = deferToThreadPool(
            self._reactor, self._threads, self._ask, name, _FAMILIES[kind]
        )
        return asking

    def _ask(self, name: str, family: int) -> Sequence[str]:
        """In a thread."""
        try:
            found = self._getaddrinfo(name, None, family, socket.SOCK_STREAM)
        except socket.gaierror as problem:
            if problem.errno in _NO_ADDRESS:
                return ()
            raise ResolveFailed(problem.strerror) from problem
        except (OSError, UnicodeError) as problem:
            raise ResolveFailed(str(problem)) from problem
        return [where[0] for *_, where in found]


def nameToAsk(name: str) -> str:
    """
    A name as c-ares reads it.

    Four numbers are decimal, whatever zeros they begin with; other ways to write an address
    (`127.1`, `0x7f.0.0.1`), which system resolvers know, are names that nobody has.

    Returns:
        An address, a name, or "" for one that cannot be there.
    Raises:
        ResolveFailed: it is no domain name.
    """
    if _FOUR_NUMBERS.fullmatch(name):
        numbers = [int(number) for number in name.split(".")]
        return ".".join(map(str, numbers)) if max(numbers) < 256 else ""
    if ":" in name:
        return name
    try:
        socket.inet_aton(name)
    except (OSError, UnicodeError):
        pass
    else:
        return ""
    if name in ("", "."):
        return ""
    labels = name.removesuffix(".").split(".")
    if len(name) > 255 or not all(0 < len(label) < 64 for label in labels):
        raise ResolveFailed("Misformatted domain name")
    return name


def literalKind(name: str) -> Kind | None:
    """The kind of an IP address; None for every other text."""
    if isIPAddress(name):
        return IPv4Address
    return IPv6Address if isIPv6Address(name) else None


@implementer(IResolutionReceiver)
class _Answer:
    """Collects what an IHostnameResolver says."""

    def __init__(self) -> None:
        self._resolution: IHostResolution | None = None
        self._found: list[str] = []
        self.done: Deferred[Sequence[str]] = Deferred(self._cancel)

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        self._resolution = resolutionInProgress

    def addressResolved(self, address: IAddress) -> None:
        if isinstance(address, (IPv4Address, IPv6Address)):
            self._found.append(address.host)

    def resolutionComplete(self) -> None:
        if not self.done.called:
            self.done.callback(self._found)

    def _cancel(self, done: Deferred[Sequence[str]]) -> None:
        if self._resolution is not None:
            try:
                self._resolution.cancel()
            except NotImplementedError:  # Twisted's own resolutions cannot be cancelled
                return
