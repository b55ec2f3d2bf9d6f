"""Set filter state (`envoy.filters.network.set_filter_state`): objects for later filters."""

from twisted_envoy.extensions.filters.network.set_filter_state.config import (
    SetFilterStateFactory,
)

factories = (SetFilterStateFactory(),)
