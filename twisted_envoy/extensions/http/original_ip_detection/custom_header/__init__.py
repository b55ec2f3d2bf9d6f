"""Original IP detection by a header of any name."""

from twisted_envoy.extensions.http.original_ip_detection.custom_header.config import (
    CustomHeaderFactory,
)

factories = (CustomHeaderFactory(),)
