"""The header_mutation filter's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.filters.http.header_mutation import factories
from twisted_envoy.extensions.filters.http.header_mutation.filter import HeaderMutation, Mutations
from twisted_envoy.interfaces.http import IHTTPFilterFactory

METADATA = "type.googleapis.com/envoy.extensions.formatter.metadata.v3.Metadata"


class FactoryTests(SynchronousTestCase):
    def test_empty(self) -> None:
        """Nothing is edited."""
        (factory,) = factories
        self.assertTrue(IHTTPFilterFactory.providedBy(factory))
        self.assertIsInstance(factory.build(configOf(factory.typeURL), Context())(), HeaderMutation)
        built = factory.buildRoute(configOf(factory.routeTypeURL), Context())
        self.assertEqual(built, Mutations())

    def test_everyFieldIsRead(self) -> None:
        """But formatters, which are reported."""
        (factory,) = factories
        edits = [{"append": {"header": {"key": "a", "value": "b"}}}]
        fields = {
            "request_mutations": edits,
            "response_mutations": edits,
            "request_trailers_mutations": edits,
            "response_trailers_mutations": edits,
            "query_parameter_mutations": [{"remove": "a"}],
            "formatters": [{"name": "x", "typed_config": {"@type": METADATA}}],
        }
        config = configOf(
            factory.typeURL, {"mutations": fields, "most_specific_header_mutations_wins": True}
        )
        factory.build(config, Context())
        self.assertEqual(unreadFields(config), ["mutations.formatters"])
