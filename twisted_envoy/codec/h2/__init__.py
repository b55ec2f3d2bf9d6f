"""HTTP/2: both sides of a connection behind codec/http.py's interfaces."""

from twisted_envoy.codec.h2.client import H2ClientCodec
from twisted_envoy.codec.h2.server import H2ServerCodec

__all__ = ("H2ClientCodec", "H2ServerCodec")
