"""The factory of the listener filter set_filter_state."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.set_filter_state.test_config import value
from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.filters.listener.set_filter_state import factories
from twisted_envoy.interfaces.network import IListenerFilter


class FactoryTests(SynchronousTestCase):
    def test_everyFieldIsRead(self) -> None:
        """There is one."""
        (factory,) = factories
        config = configOf(factory.typeURL, {"on_accept": [value()]})
        made = factory.build(config, Context())()
        self.assertTrue(IListenerFilter.providedBy(made))
        self.assertEqual(unreadFields(config), [])
