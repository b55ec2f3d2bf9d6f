"""
The `sockets:` endpoint strings, for Twisted's plugin system.
"""

from twisted_envoy.endpoints import SocketClientParser, SocketServerParser

socketServer = SocketServerParser()
socketClient = SocketClientParser()
