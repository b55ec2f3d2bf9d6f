"""
Original destination clusters (`envoy.clusters.original_dst`, `type: ORIGINAL_DST`): connections go
where their client wanted to go before it was redirected, or where metadata or a header says.
"""

from twisted_envoy.extensions.clusters.original_dst.config import OriginalDstClusterFactory

factories = (OriginalDstClusterFactory(),)
