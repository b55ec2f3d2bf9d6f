"""The seam of kernel sockets; it is written down beside its implementation, on floor 0."""

from twisted_envoy.sockets.interfaces import ConnectOptions, ISocketInterface, ListenOptions

__all__ = ["ConnectOptions", "ISocketInterface", "ListenOptions"]
