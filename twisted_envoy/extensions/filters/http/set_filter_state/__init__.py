"""Set filter state (`envoy.filters.http.set_filter_state`): objects by name, for each request."""

from twisted_envoy.extensions.filters.http.set_filter_state.config import SetFilterStateFactory

factories = (SetFilterStateFactory(),)
"""The factory of set_filter_state."""
