"""
Header mutation (`envoy.filters.http.header_mutation`): edits of headers, trailers and the query.

Not supported: `formatters`.
"""

from twisted_envoy.extensions.filters.http.header_mutation.config import HeaderMutationFactory

factories = (HeaderMutationFactory(),)
"""The factory of header_mutation."""
