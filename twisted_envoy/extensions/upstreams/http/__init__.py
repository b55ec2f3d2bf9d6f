"""
HttpProtocolOptions: the HTTP that a cluster speaks to its hosts.

Not supported: HTTP/3, upstream HTTP filters but the codec, header validators, outlier detection by
headers, mirror, hash and retry policies of a cluster, SNI from the request.
"""

from twisted_envoy.extensions.upstreams.http.config import HTTPProtocolOptionsFactory

factories = (HTTPProtocolOptionsFactory(),)
