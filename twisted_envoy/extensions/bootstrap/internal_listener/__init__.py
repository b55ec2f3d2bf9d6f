"""
Lets a bootstrap have internal listeners (`envoy.bootstrap.internal_listener`).

Nothing of it is unsupported.
"""

from twisted_envoy.extensions.bootstrap.internal_listener.config import InternalListenerFactory

factories = (InternalListenerFactory(),)
