"""
Run a bootstrap in memory: no ports, no waiting, every byte and every second in the test's hands.

    envoy = MemoryEnvoy("configs/internal_listener_proxy.yaml")
    origin = envoy.listen("127.0.0.1:10000")
    client = envoy.connect("ingress")

See docs/testing.md.
"""

from twisted_envoy.testing.envoy import MemoryEnvoy
from twisted_envoy.testing.names import MemoryResolver
from twisted_envoy.testing.peer import Origin, Peer
from twisted_envoy.testing.sockets import MemorySockets, parseAddress

__all__ = ["MemoryEnvoy", "MemoryResolver", "MemorySockets", "Origin", "Peer", "parseAddress"]
