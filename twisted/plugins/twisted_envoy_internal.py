"""
The `internal:` endpoint strings, for Twisted's plugin system.
"""

from twisted_envoy.internal.parsers import InternalClientParser, InternalServerParser

internalServer = InternalServerParser()
internalClient = InternalClientParser()
