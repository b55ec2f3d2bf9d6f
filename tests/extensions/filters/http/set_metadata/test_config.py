"""The set_metadata filter's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.filters.http.set_metadata import factories
from twisted_envoy.extensions.filters.http.set_metadata.filter import Value
from twisted_envoy.interfaces.http import IHTTPFilterFactory


class FactoryTests(SynchronousTestCase):
    def test_values(self) -> None:
        """In order; one without a value is nothing."""
        (factory,) = factories
        self.assertTrue(IHTTPFilterFactory.providedBy(factory))
        config = configOf(
            factory.typeURL,
            {
                "metadata_namespace": "old",
                "value": {"o": 1},
                "metadata": [
                    {"metadata_namespace": "a", "value": {"k": 1}},
                    {"metadata_namespace": "none"},
                ],
            },
        )
        self.assertEqual(
            factory.buildRoute(config, Context()),
            (Value("old", {"o": 1}, True), Value("a", {"k": 1}, False)),
        )
        self.assertEqual(unreadFields(config), [])

    def test_typedValues(self) -> None:
        """They are reported."""
        (factory,) = factories
        value = {"@type": "type.googleapis.com/google.protobuf.Struct", "value": {}}
        config = configOf(
            factory.typeURL, {"metadata": [{"metadata_namespace": "a", "typed_value": value}]}
        )
        factory.build(config, Context())
        self.assertIn("metadata[0].typed_value", unreadFields(config))
