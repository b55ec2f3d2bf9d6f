"""The factory of the preserve_case formatter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from twisted_envoy.http.protocol_options import FORMATTERS, HeaderFormat
from twisted_envoy.interfaces.extensions import IExtensionFactory, IFactoryContext

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class PreserveCaseFactory:
    """Builds a HeaderFormat."""

    typeURL = "envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig"
    category = FORMATTERS
    descriptors = b""

    def build(self, config: View, context: IFactoryContext) -> HeaderFormat:
        if not config.message.formatter_type_on_envoy_headers:  # type: ignore[attr-defined]
            config.moot("formatter_type_on_envoy_headers", "the default")
        return HeaderFormat("preserve", config.forward_reason_phrase)
