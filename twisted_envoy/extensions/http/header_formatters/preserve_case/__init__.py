"""
Header names of HTTP/1.1 as the other side spelt them.

Not supported: formatter_type_on_envoy_headers other than DEFAULT.
"""

from twisted_envoy.extensions.http.header_formatters.preserve_case.config import (
    PreserveCaseFactory,
)

factories = (PreserveCaseFactory(),)
