"""
Connection limit (`envoy.filters.network.connection_limit`): so many connections and no more.

A connection over the limit is closed, at once or after `delay`; until then nothing of it is
passed on. Unlike Envoy 1.40 `active_connections` is right when the filter is switched off.
"""

from twisted_envoy.extensions.filters.network.connection_limit.config import (
    ConnectionLimitFactory,
)

factories = (ConnectionLimitFactory(),)
