"""The factory of the HTTP filter set_filter_state."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.filters.http.set_filter_state import factories
from twisted_envoy.extensions.filters.http.set_filter_state.filter import SetFilterState
from twisted_envoy.interfaces.http import IHTTPFilterFactory


def value(key: str = "k", text: str = "v", **more: Any) -> dict[str, Any]:
    """One object to set."""
    format = {"text_format_source": {"inline_string": text}}
    return {"object_key": key, "factory_key": "envoy.string", "format_string": format, **more}


class FactoryTests(SynchronousTestCase):
    def test_everyFieldIsRead(self) -> None:
        """Of the filter and of a route."""
        (factory,) = factories
        self.assertTrue(IHTTPFilterFactory.providedBy(factory))
        fields = {"on_request_headers": [value()], "clear_route_cache": True}
        config = configOf(factory.typeURL, fields)
        self.assertIsInstance(factory.build(config, Context())(), SetFilterState)
        self.assertEqual(unreadFields(config), [])
        config = configOf(factory.routeTypeURL, fields)
        self.assertEqual(len(factory.buildRoute(config, Context())), 1)
        self.assertEqual(unreadFields(config), [])
