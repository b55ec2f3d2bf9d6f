"""
Original destination (`envoy.filters.listener.original_dst`): restores the addresses that a
connection had before it was redirected.
"""

from twisted_envoy.extensions.filters.listener.original_dst.config import OriginalDstFactory

factories = (OriginalDstFactory(),)
