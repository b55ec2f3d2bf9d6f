"""
Kernel sockets for the data path, living inside any Twisted reactor that watches file descriptors.

`endpoints.ReactorSockets` is the ISocketInterface; nothing else is meant to be used directly.
"""
