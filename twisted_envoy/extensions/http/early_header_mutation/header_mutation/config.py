"""The factory of early header mutations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.rules import EarlyMutation
from twisted_envoy.http.routes.mutations import buildMutations
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.state.request_info import RequestInfo

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class EarlyHeaderMutationFactory:
    """Builds early mutations; those after them in the list are made too."""

    typeURL = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    category = "http.early_header_mutation"
    descriptors = b""

    def build(self, config: View, context: Any) -> EarlyMutation:
        edit = buildMutations(config.mutations, context)

        def mutate(headers: HeaderMap, info: RequestInfo) -> bool:
            edit(headers, info)
            return True

        return mutate
