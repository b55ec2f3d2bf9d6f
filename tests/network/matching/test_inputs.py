"""Inputs of matcher trees."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import Context, viewOfYAML
from tests.network.matching.support import connectionInput, header, named, requestOf
from twisted_envoy.errors import ConfigError, UnsupportedExtension
from twisted_envoy.network.matching.inputs import HTTP, NETWORK, buildInput

CONFIG = "xds.core.v3.TypedExtensionConfig"


class BuildTests(SynchronousTestCase):
    def test_byCategory(self) -> None:
        """An input for requests sees no connection; one for both does."""
        view = viewOfYAML(json.dumps(header("a")), CONFIG)
        self.assertEqual(buildInput(view, HTTP, Context())(requestOf(a="1")), "1")
        self.assertRaises(ConfigError, buildInput, view, NETWORK, Context())

        view = viewOfYAML(json.dumps(connectionInput("SourceIPInput")), CONFIG)
        for category in (HTTP, NETWORK):
            self.assertEqual(buildInput(view, category, Context())(requestOf()), "10.0.0.1")

    def test_unsupported(self) -> None:
        """What only twisted_envoy does not know is said as such."""
        for category, kind in (
            (HTTP, "xds.type.matcher.v3.HttpAttributesCelMatchInput"),
            (HTTP, "envoy.extensions.matching.common_inputs.ssl.v3.SubjectInput"),
            (NETWORK, "envoy.extensions.matching.common_inputs.ssl.v3.SubjectInput"),
        ):
            view = viewOfYAML(json.dumps(named("n", kind)), CONFIG)
            self.assertRaises(UnsupportedExtension, buildInput, view, category, Context())
