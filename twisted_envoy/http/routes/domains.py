"""
Which virtual host a host name belongs to.

An exact domain comes first, then the longest `*suffix`, then the longest `prefix*`, then `*`.

Envoy: RouteMatcher::findVirtualHost
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")
_MOST_KEPT = 1024


class DuplicateDomain(Exception):
    """The domain has a virtual host already; `domain` is "*" for the second of these."""

    def __init__(self, domain: str) -> None:
        super().__init__(domain)
        self.domain = domain


class Domains(Generic[T]):
    """
    An index of domains.

    Attributes:
        default: of `*`, None for none.
    """

    __slots__ = ("_exact", "_kept", "_prefixes", "_suffixes", "default")

    def __init__(self) -> None:
        self._exact: dict[bytes, T] = {}
        self._suffixes: dict[int, dict[bytes, T]] = {}
        self._prefixes: dict[int, dict[bytes, T]] = {}
        self.default: T | None = None
        self._kept: dict[bytes, T | None] = {}

    def add(self, domain: str, value: T) -> None:
        """
        Add a domain; not while look-ups are going on.

        Raises:
            DuplicateDomain: it has been added before.
        """
        name = domain.lower().encode()
        if name == b"*":
            if self.default is not None:
                raise DuplicateDomain(domain)
            self.default = value
            return
        found = self._exact
        if name.startswith(b"*"):
            name = name[1:]
            found = self._suffixes.setdefault(len(name), {})
        elif name.endswith(b"*"):
            name = name[:-1]
            found = self._prefixes.setdefault(len(name), {})
        if name in found:
            raise DuplicateDomain(domain.lower())
        found[name] = value

    def sort(self) -> None:
        """Call when all domains have been added."""
        self._suffixes = dict(sorted(self._suffixes.items(), reverse=True))
        self._prefixes = dict(sorted(self._prefixes.items(), reverse=True))

    @property
    def isDefaultOnly(self) -> bool:
        """Is there no domain but `*`?"""
        return not (self._exact or self._suffixes or self._prefixes)

    def find(self, host: bytes) -> T | None:
        """
        The value of the best domain.

        Args:
            host: as the request has it, with its port; case does not matter.
        """
        exact = self._exact.get(host.lower())
        if exact is not None:
            return exact
        kept = self._kept
        if host in kept:
            return kept[host]
        found = self._findWildcard(host.lower())
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        kept[host] = found
        return found

    def _findWildcard(self, host: bytes) -> T | None:
        for length, suffixes in self._suffixes.items():
            if length < len(host):
                value = suffixes.get(host[len(host) - length :])
                if value is not None:
                    return value
        for length, prefixes in self._prefixes.items():
            if length < len(host):
                value = prefixes.get(host[:length])
                if value is not None:
                    return value
        return self.default
