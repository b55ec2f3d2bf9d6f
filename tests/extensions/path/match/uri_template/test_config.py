"""Tests for twisted_envoy.extensions.path.match.uri_template.config."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.path.match.uri_template import factories


class FactoryTests(SynchronousTestCase):
    def test_template(self) -> None:
        """path_template decides."""
        (factory,) = factories
        config = configOf(factory.typeURL, {"path_template": "/u/{id}"})
        template = factory.build(config, Context())
        self.assertTrue(template.matches(b"/u/1"))
        self.assertFalse(template.matches(b"/u"))

    def test_errors(self) -> None:
        """A text that is no template."""
        (factory,) = factories
        config = configOf(factory.typeURL, {"path_template": "/{a"})
        error = self.assertRaises(ConfigError, factory.build, config, Context())
        self.assertEqual(
            error.problem,
            "path_match_policy.path_template /{a is invalid: Unmatched variable bracket in mixed "
            'pattern: "{a"',
        )
