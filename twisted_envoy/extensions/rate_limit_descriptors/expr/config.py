"""The factory of expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.rate_limit_descriptors.expr.attributes import buildAttribute
from twisted_envoy.http.routes.rate_actions import DESCRIPTORS, NO_ENTRY, Action, Entry
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.state.request_info import RequestInfo

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class ExpressionFactory:
    """Builds an action: an entry of what the attribute is, without it none or no descriptor."""

    typeURL = "envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor"
    category = DESCRIPTORS
    descriptors = b""

    def build(self, config: View, context: Any) -> Action:
        kind = config.which("expr_specifier")
        if kind is None:
            raise config.error(
                "Rate limit descriptor extension failed: expression specifier is not set"
            )
        if kind != "text":
            raise config.error(f"{kind} is not implemented by twisted_envoy", kind)
        attribute = buildAttribute(config.text, context)
        if attribute is None:
            raise config.error(
                "only an attribute of requests is implemented by twisted_envoy here, as in "
                "request.method or request.headers['name']",
                "text",
            )
        key: str = config.descriptor_key
        otherwise = NO_ENTRY if config.skip_if_error else None

        def action(headers: HeaderMap, info: RequestInfo) -> Entry | None:
            value = attribute(headers, info)
            return otherwise if value is None else (key, value)

        return action
