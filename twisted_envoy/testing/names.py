"""Names without DNS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.internet.abstract import isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from zope.interface import implementer

from twisted_envoy.interfaces.upstream import IHostResolver, ResolveFailed
from twisted_envoy.upstream.resolve import literalKind

_Kind = type[IPv4Address | IPv6Address]


@implementer(IHostResolver)
class MemoryResolver:
    """
    Knows the names that it is told.

    Args:
        addresses: name -> IP addresses of both kinds; a name that is not there has none.

    Attributes:
        addresses: the same, to be changed at will.
        failing: names that nobody can say anything about.
        silent: names whose questions are not answered until `speak`.
        asked: every question, (name, "v4" or "v6").
    """

    def __init__(self, addresses: Mapping[str, Sequence[str]] | None = None) -> None:
        self.addresses: dict[str, Sequence[str]] = dict(addresses or {})
        self.failing: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self._open: list[tuple[str, _Kind, Deferred[Sequence[str]]]] = []

    def resolve(self, name: str, kind: _Kind) -> Deferred[Sequence[str]]:
        self.asked.append((name, "v6" if kind is IPv6Address else "v4"))
        answer: Deferred[Sequence[str]] = Deferred()
        if name in self.silent:
            self._open.append((name, kind, answer))
        else:
            self._answer(name, kind, answer)
        return answer

    def speak(self, name: str) -> None:
        """Answer the open questions about a silent name, and its later ones at once."""
        self.silent.discard(name)
        waiting, self._open = self._open, []
        for question in waiting:
            if question[0] == name:
                self._answer(*question)
            else:
                self._open.append(question)

    def _answer(self, name: str, kind: _Kind, answer: Deferred[Sequence[str]]) -> None:
        if answer.called:
            return
        if name in self.failing:
            answer.errback(ResolveFailed(f"{name}: no answer"))
            return
        known = (name,) if literalKind(name) is not None else self.addresses.get(name, ())
        answer.callback([one for one in known if isIPv6Address(one) == (kind is IPv6Address)])
