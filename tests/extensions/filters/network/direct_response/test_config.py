"""Direct response's factory: where the answer comes from."""

from __future__ import annotations

import base64
import os

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Connections, Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.filters.network.direct_response import factories
from twisted_envoy.interfaces.network import INetworkFilterFactory


class FactoryTests(SynchronousTestCase):
    def build(self, **response):
        (factory,) = factories
        self.config = configOf(factory.typeURL, {"response": response} if response else {})
        return factory.build(self.config, Context())

    def answer(self, **response):
        return Connections([self.build(**response)]).connect().received

    def refusal(self, **response):
        with self.assertRaises(ConfigError) as caught:
            self.build(**response)
        self.assertEqual(caught.exception.position.file, "test.yaml")
        return caught.exception.problem

    def test_isTerminal(self):
        """It must be the last filter."""
        (factory,) = factories
        self.assertTrue(factory.terminal)
        self.assertTrue(INetworkFilterFactory.providedBy(factory))

    def test_inline(self):
        """Text and bytes."""
        self.assertEqual(self.answer(inline_string="hé"), "hé".encode())
        coded = base64.b64encode(b"\0\xff").decode()
        self.assertEqual(self.answer(inline_bytes=coded), b"\0\xff")
        self.assertEqual(unreadFields(self.config), [])

    def test_file(self):
        """Read at start-up; later changes are not seen."""
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(b"from a file\n")
        make = self.build(filename=path)
        os.unlink(path)

        self.assertEqual(Connections([make]).connect().received, b"from a file\n")

    def test_environmentVariable(self):
        """Its bytes."""
        self.patch(os, "environ", {"TWISTED_ENVOY_TEST": "from the environment"})
        self.assertEqual(
            self.answer(environment_variable="TWISTED_ENVOY_TEST"), b"from the environment"
        )

    def test_notThere(self):
        """Envoy's words."""
        self.assertEqual(self.refusal(filename="/nope/x"), "Invalid path: /nope/x")
        self.assertEqual(
            self.refusal(environment_variable="TWISTED_ENVOY_NOPE"),
            "Environment variable doesn't exist: TWISTED_ENVOY_NOPE",
        )

    def test_noResponse(self):
        """Accepted: an empty answer."""
        self.assertTrue(callable(self.build()))

    def test_watchingIsNotSupported(self):
        """It is left to be reported."""
        path = self.mktemp()
        open(path, "w").close()
        self.build(filename=path, watched_directory={"path": "/"})
        self.assertEqual(unreadFields(self.config), ["response.watched_directory"])
