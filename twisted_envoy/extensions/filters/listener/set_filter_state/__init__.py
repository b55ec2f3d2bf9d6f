"""Set filter state (`envoy.filters.listener.set_filter_state`): objects by name, at accept."""

from twisted_envoy.extensions.filters.listener.set_filter_state.config import (
    SetFilterStateFactory,
)

factories = (SetFilterStateFactory(),)
"""The factory of set_filter_state."""
