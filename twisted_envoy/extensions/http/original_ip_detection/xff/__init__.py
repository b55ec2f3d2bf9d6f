"""Original IP detection by `x-forwarded-for`; without an extension the same is done."""

from twisted_envoy.extensions.http.original_ip_detection.xff.config import XFFFactory

factories = (XFFFactory(),)
