"""
What the balancers that choose by hash have in common: what of a host is hashed, and its share.

Envoy: source/extensions/load_balancing_policies/common/thread_aware_lb_impl.cc
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from twisted_envoy.interfaces.upstream import IHost, LoadBalancerContext
from twisted_envoy.state.addresses import addressText

if TYPE_CHECKING:
    from random import Random

    from twisted_envoy.config.view import View

Settings = TypeVar("Settings")
Stats = TypeVar("Stats")


def hostKey(host: IHost, byHostname: bool) -> bytes:
    """What is hashed of a host: metadata `envoy.lb` `hash_key`, else its hostname or address."""
    key = host.metadata.get("envoy.lb", {}).get("hash_key")
    if not (isinstance(key, str) and key):
        key = host.hostname if byHostname else addressText(host.address)
    return key.encode()


def shares(hosts: Sequence[IHost]) -> list[float]:
    """The hosts' weights as parts of one."""
    total = sum(host.weight for host in hosts)
    return [host.weight / total for host in hosts]


def hashOf(context: LoadBalancerContext, source: Random) -> int:
    """The hash to choose by, 64 bits; a random one where there is nothing to hash."""
    return source.getrandbits(64) if context.hashKey is None else context.hashKey


class HashBalancer(Generic[Settings, Stats]):
    """
    What chooses by hash; a subclass has `choose` and `hostsChanged` of ILoadBalancer.

    Args:
        hosts: to choose from. settings: the config's.
        source: of random numbers, for who has no hash.
    """

    __slots__ = ("_hosts", "_settings", "_source", "_stats")

    def __init__(
        self, hosts: Sequence[IHost], settings: Settings, source: Random, stats: Stats
    ) -> None:
        self._settings = settings
        self._source = source
        self._stats = stats
        self._hosts: list[IHost] = []
        self.hostsChanged(hosts)

    def hostsChanged(self, hosts: Sequence[IHost]) -> None:
        """Choose from these from now on."""
        raise NotImplementedError


def byHostname(config: View | None) -> bool:
    """
    Read `consistent_hashing_lb_config`.

    Its `hash_balance_factor` is left to be reported.
    """
    message: Any = None if config is None else config.consistent_hashing_lb_config
    return message is not None and message.use_hostname_for_hashing
