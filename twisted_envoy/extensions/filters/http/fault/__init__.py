"""Fault injection (`envoy.filters.http.fault`): delays, aborts and slow responses on purpose."""

from twisted_envoy.extensions.filters.http.fault.config import FaultFactory

factories = (FaultFactory(),)
"""The factory of fault."""
