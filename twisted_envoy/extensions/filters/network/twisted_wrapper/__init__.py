"""
Twisted wrapper: any stock `WrappingFactory` of Twisted as a network filter.

    typed_config:
      "@type": type.googleapis.com/twisted_envoy.extensions.filters.network.twisted_wrapper.v3.TwistedWrapper
      factory: twisted.protocols.policies.TimeoutFactory
      arguments: {timeoutPeriod: 30}

One factory serves all connections of the filter; each connection gets a protocol of it. A factory
that takes a `reactor`, or that waits with a `callLater` of its own, gets the server's.
An argument such as `0.5` is a number, although Envoy's YAML would make it a text.
"""  # noqa: E501

from twisted_envoy.extensions.filters.network.twisted_wrapper.config import TwistedWrapperFactory

factories = (TwistedWrapperFactory(),)
