"""The environment as an input."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from twisted_envoy.extensions.matching.common_inputs.environment_variable import factories
from twisted_envoy.state.stream_info import StreamInfo


class EnvironmentVariableTests(SynchronousTestCase):
    def test_value(self) -> None:
        """As it was when the input was built; nothing when it is not there."""
        (factory,) = factories
        self.patch(__import__("os"), "environ", {"A": "1"})
        for name, value in (("A", "1"), ("B", None)):
            config = configOf(factory.typeURL, {"name": name})
            self.assertEqual(factory.build(config, None)(StreamInfo(0.0)), value)
            self.assertEqual(unreadFields(config), [])
