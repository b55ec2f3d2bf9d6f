"""
An expression as an action of a rate limit: the value of one attribute of the request.

    request.method                request.headers['x-user']       source.address

Not supported: everything else that CEL can say, and `parsed`.
"""

from twisted_envoy.extensions.rate_limit_descriptors.expr.config import ExpressionFactory

factories = (ExpressionFactory(),)
"""The factory of expr."""
