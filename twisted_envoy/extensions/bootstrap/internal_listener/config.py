"""The factory of the bootstrap extension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_DEFAULT_KB = 1024


@implementer(IExtensionFactory)
class InternalListenerFactory:
    """
    Sets how much each direction of an internal connection may buffer, for the whole process.

    Envoy: extensions.bootstrap.internal_listener.v3.InternalListener.buffer_size_kb, 1 to 8192
    """

    typeURL = "envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
    category = "bootstrap"

    def build(self, config: View, context: Any) -> str:
        """
        Returns:
            The type URL: that the extension is there is what internal listeners ask for.
        """
        size = config.buffer_size_kb
        if not context.validating:
            context.registry.bufferSize = (_DEFAULT_KB if size is None else size) * 1024
        return self.typeURL
