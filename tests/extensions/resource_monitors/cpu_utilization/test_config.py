"""The monitor's config."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.resource_monitors.cpu_utilization import factories


class CPUUtilizationFactoryTests(SynchronousTestCase):
    """Its one field."""

    def test_mode(self) -> None:
        """The host; a container's is left unread."""
        (factory,) = factories
        for content, unread in (
            ({}, []),
            ({"mode": "HOST"}, []),
            ({"mode": "CONTAINER"}, ["mode"]),
        ):
            config = configOf(factory.typeURL, content)
            factory.build(config, Context())
            self.assertEqual(unreadFields(config), unread)
