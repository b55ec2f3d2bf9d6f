"""The filter's config."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.csrf.test_filter import policy
from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.filters.http.csrf import factories


class CSRFFactoryTests(SynchronousTestCase):
    """Everything is read."""

    def test_fields(self) -> None:
        """Shares by runtime keys, origins."""
        (factory,) = factories
        content = policy(50, 10, additional_origins=[{"exact": "a"}])
        del content["@type"]
        config = configOf(factory.typeURL, content)
        made = factory.buildRoute(config, Context())
        self.assertEqual((made.isEnabled(49), made.isEnabled(50)), (True, False))
        self.assertEqual((made.isShadowed(9), made.isShadowed(10)), (True, False))
        self.assertEqual(unreadFields(config), [])
