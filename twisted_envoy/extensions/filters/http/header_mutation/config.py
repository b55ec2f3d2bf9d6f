"""The header_mutation filter's factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.http.header_mutation.filter import HeaderMutation, Mutations
from twisted_envoy.extensions.filters.http.header_mutation.query import buildQueryEdit
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.routes.header_edits import Edit
from twisted_envoy.http.routes.mutations import buildMutations
from twisted_envoy.interfaces.http import IHTTPFilterFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IHTTPFilterFactory)
class HeaderMutationFactory:
    """Builds the maker of HeaderMutation filters."""

    typeURL = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"
    routeTypeURL = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute"
    category = "filters.http"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        specificLast: bool = config.most_specific_header_mutations_wins
        return partial(HeaderMutation, _mutations(config.mutations, context), specificLast)

    def buildRoute(self, config: View, context: Any) -> Mutations:
        """Made after the filter's own."""
        return _mutations(config.mutations, context)


def _mutations(view: View | None, context: Any) -> Mutations:
    if view is None:
        return Mutations()
    query = buildQueryEdit(view.query_parameter_mutations, context)
    return Mutations(
        (
            *_edits(view.request_mutations, context),
            *(() if query is None else (query,)),
        ),
        _edits(view.request_trailers_mutations, context),
        _edits(view.response_mutations, context),
        _edits(view.response_trailers_mutations, context),
    )


def _edits(views: tuple[View, ...], context: Any) -> tuple[Edit, ...]:
    return (buildMutations(views, context),) if views else ()
