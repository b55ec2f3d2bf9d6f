"""Tests for `twisted_envoy.server.workers.hello`."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config.load import Text
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.server.workers.hello import Hello


class HelloTests(SynchronousTestCase):
    """To JSON and back."""

    def test_back(self) -> None:
        """It is the same."""
        for text in (None, Text("f.json", "{}", True)):
            hello = Hello(
                1,
                "twisted.internet.selectreactor",
                "/",
                ServerOptions(concurrency=3, drainTime=1.5),
                text,
                "log",
                (4, -1),
                (("POST", "/x", ""),),
            )
            self.assertEqual(Hello.of(json.loads(json.dumps(hello.words()))), hello)
