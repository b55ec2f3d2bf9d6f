"""
Echo (`envoy.filters.network.echo`): what comes from the client goes back to it.

Unlike Envoy 1.40 it loses no byte when the client ends its stream.
"""

from twisted_envoy.extensions.filters.network.echo.config import EchoFactory

factories = (EchoFactory(),)
