"""
Filter state objects that configs make, and the `set_filter_state` filters' way of making them.

Envoy: extensions.filters.common.set_filter_state.v3, "Well Known Filter State Objects"
"""
