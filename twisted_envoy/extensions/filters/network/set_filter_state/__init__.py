"""
Set filter state (`envoy.filters.network.set_filter_state`): objects by name for later filters.

Not supported: `on_downstream_tls_handshake`.
"""

from twisted_envoy.extensions.filters.network.set_filter_state.config import (
    SetFilterStateFactory,
)

factories = (SetFilterStateFactory(),)
