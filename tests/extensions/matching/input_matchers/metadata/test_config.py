"""Values of metadata."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from twisted_envoy.extensions.common.matching.metadata import NOWHERE, MetadataValue
from twisted_envoy.extensions.matching.input_matchers.metadata import factories


class MetadataTests(SynchronousTestCase):
    def test_values(self) -> None:
        """Only what comes from metadata matches, inverted or not."""
        (factory,) = factories
        for invert in (False, True):
            fields = {"value": {"string_match": {"exact": "x"}}, "invert": invert}
            config = configOf(factory.typeURL, fields)
            matches = factory.build(config, None)
            self.assertEqual(unreadFields(config), [])
            self.assertIs(matches(MetadataValue("x")), not invert)
            self.assertIs(matches(MetadataValue("y")), invert)
            self.assertIs(matches(MetadataValue(None)), invert)
            self.assertIs(matches(NOWHERE), invert)
            self.assertFalse(matches("x"))
