"""The factory of expressions."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from tests.http.routes.support import request, requestInfo
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.rate_limit_descriptors.expr import factories
from twisted_envoy.http.routes.rate_actions import NO_ENTRY, Entry
from twisted_envoy.interfaces.extensions import IExtensionFactory


class FactoryTests(SynchronousTestCase):
    def entry(self, text: str, **fields: object) -> Entry | None:
        """Of a request; every field is read."""
        (factory,) = factories
        config = configOf(factory.typeURL, {"descriptor_key": "k", "text": text, **fields})
        made = factory.build(config, Context())
        self.assertEqual(unreadFields(config), [])
        return made(request(), requestInfo())

    def test_entry(self) -> None:
        """Of an attribute; without it no descriptor, or no entry."""
        self.assertTrue(IExtensionFactory.providedBy(factories[0]))
        self.assertEqual(self.entry("request.method"), ("k", b"GET"))
        self.assertEqual(self.entry("request.query"), ("k", b""))
        self.assertIsNone(self.entry("request.referer"))
        self.assertEqual(self.entry("request.referer", skip_if_error=True), NO_ENTRY)

    def test_errors(self) -> None:
        """What is not there says so; nothing at all in Envoy's words."""
        (factory,) = factories
        for fields, said in (
            ({}, "Rate limit descriptor extension failed: expression specifier is not set"),
            ({"text": "size(request.path)"}, "only an attribute of requests is implemented"),
            ({"parsed": {"id": 1}}, "parsed is not implemented by twisted_envoy"),
        ):
            config = configOf(factory.typeURL, {"descriptor_key": "k", **fields})
            error = self.assertRaises(ConfigError, factory.build, config, Context())
            self.assertTrue(error.problem.startswith(said), error.problem)
