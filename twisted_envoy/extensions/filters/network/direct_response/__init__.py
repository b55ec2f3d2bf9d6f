"""
Direct response (`envoy.filters.network.direct_response`): one fixed answer, then the end.

Unlike Envoy 1.40 the answer also arrives over an internal hop. Not supported: `watched_directory`.
"""

from twisted_envoy.extensions.filters.network.direct_response.config import DirectResponseFactory

factories = (DirectResponseFactory(),)
