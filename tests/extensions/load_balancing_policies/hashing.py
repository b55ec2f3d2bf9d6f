"""Hosts that are hashed, and what sixty hashes choose."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address

from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.network.xxhash import xxHash64


class HashedHost:
    """One of the hosts that real Envoy was asked with: 127.0.0.1:19820 and up."""

    def __init__(self, index: int, weight: int, keyed: bool) -> None:
        self.name = "abcd"[index]
        self.address = IPv4Address("TCP", "127.0.0.1", 19820 + index)
        self.hostname = f"h{index * 7}"
        self.weight = weight
        self.priority = 0
        self.metadata = {"envoy.lb": {"hash_key": f"key{index}"}} if keyed else {}


def hashedHosts(weights: tuple[int, ...], keyed: int | None = None) -> list[Any]:
    """Hosts a, b, c, d of these weights; one of them may have a hash_key."""
    return [HashedHost(index, weight, index == keyed) for index, weight in enumerate(weights)]


def choices(balancer: Any, attempt: int = 0) -> str:
    """The names of the hosts for the hashes of k0 to k59."""
    names = []
    for number in range(60):
        context = LoadBalancerContext(xxHash64(b"k%d" % number))
        context.attempt = attempt
        names.append(balancer.choose(context).name)
    return "".join(names)
