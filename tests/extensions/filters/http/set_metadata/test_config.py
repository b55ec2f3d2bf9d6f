"""The set_metadata filter's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.config.schema import envoySchema
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
        built = factory.buildRoute(config, Context())
        self.assertEqual(built.values, (Value("old", {"o": 1}, True), Value("a", {"k": 1}, False)))
        self.assertEqual(built.typed, ())
        self.assertEqual(unreadFields(config), [])

    def test_typedValues(self) -> None:
        """Kept as they are; beside a value they are nothing."""
        (factory,) = factories
        value = {
            "@type": f"type.googleapis.com/{factory.typeURL}",
            "metadata_namespace": "inner",
            "value": {"k": "v"},
        }
        config = configOf(
            factory.typeURL,
            {
                "metadata": [
                    {"metadata_namespace": "a", "typed_value": value, "allow_overwrite": True},
                    {"metadata_namespace": "b", "typed_value": value, "value": {"k": 1}},
                ]
            },
        )
        built = factory.buildRoute(config, Context())
        self.assertEqual(unreadFields(config), [])
        self.assertEqual(built.values, (Value("b", {"k": 1}, False),))
        (typed,) = built.typed
        self.assertEqual((typed.namespace, typed.overwrite), ("a", True))
        self.assertEqual(typed.value.type_url, f"type.googleapis.com/{factory.typeURL}")
        inner = envoySchema().messageClass(factory.typeURL).FromString(typed.value.value)
        self.assertEqual(inner.value["k"], "v")
