"""Tests for twisted_envoy.extensions.path.rewrite.uri_template.config."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.uri_template import Template
from twisted_envoy.extensions.path.rewrite.uri_template import factories


def build(text: str) -> Any:
    (factory,) = factories
    return factory.build(configOf(factory.typeURL, {"path_template_rewrite": text}), Context())


class FactoryTests(SynchronousTestCase):
    def test_rewrite(self) -> None:
        """path_template_rewrite is filled with what the template has found."""
        policy = build("/x/{b}/{a}")
        template = Template("/{a}/{b=**}")
        self.assertEqual(policy.incompatible(template), "")
        self.assertEqual(policy.rewrite(b"/1/2/3", template), b"/x/2/3/1")
        self.assertEqual(policy.rewrite(b"/1", template), b"/1")

    def test_incompatible(self) -> None:
        """It needs a template, and one with its variables."""
        policy = build("/{b}")
        self.assertIn("unable to use envoy.path.rewrite", policy.incompatible(None))
        self.assertEqual(
            policy.incompatible(Template("/{a}")),
            "mismatch between variables in path_match_policy /{a} and path_rewrite_policy /{b}",
        )

    def test_errors(self) -> None:
        """A text that is no rewrite."""
        error = self.assertRaises(ConfigError, build, "/{a")
        self.assertEqual(error.problem, "path_rewrite_policy.path_template_rewrite /{a is invalid")
