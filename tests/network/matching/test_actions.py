"""Actions of matcher trees."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import viewOfYAML
from tests.network.matching.support import STRING, named
from twisted_envoy.config.unread import unread
from twisted_envoy.errors import ConfigError
from twisted_envoy.network.matching.actions import openAction

CONFIG = "xds.core.v3.TypedExtensionConfig"


class OpenTests(SynchronousTestCase):
    def test_known(self) -> None:
        """The content; its name is obeyed with it."""
        view = viewOfYAML(json.dumps(named("n", STRING, value="v")), CONFIG)
        self.assertEqual(openAction(view, "other", STRING).value, "v")
        self.assertEqual(list(unread(view)), [])

    def test_unknown(self) -> None:
        """Another type."""
        view = viewOfYAML(json.dumps(named("n", STRING, value="v")), CONFIG)
        with self.assertRaises(ConfigError) as caught:
            openAction(view, "other")
        self.assertEqual(
            caught.exception.problem,
            f"Didn't find a registered implementation for 'n' with type URL: '{STRING}'",
        )
