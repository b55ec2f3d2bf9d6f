"""What is sent and waited for."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf
from twisted_envoy.errors import ConfigError
from twisted_envoy.upstream.health.payload import matches, readPayload

PAYLOAD = "envoy.config.core.v3.HealthCheck.Payload"


class PayloadTests(SynchronousTestCase):
    def test_matches(self) -> None:
        """All parts, in their order, and none of them twice."""
        for parts, data, wanted in (
            ((), b"", True),
            ((b"a",), b"xay", True),
            ((b"a", b"b"), b"a..b", True),
            ((b"a", b"b"), b"b..a", False),
            ((b"aa", b"a"), b"aa", False),
            ((b"a",), b"", False),
        ):
            self.assertEqual(matches(parts, data), wanted, (parts, data))

    def test_read(self) -> None:
        """Text is hexadecimal, bytes are themselves."""
        self.assertEqual(readPayload(configOf(PAYLOAD, {"text": "00ffAB"})), b"\x00\xff\xab")
        self.assertEqual(readPayload(configOf(PAYLOAD, {"binary": "YWI="})), b"ab")
        for text in ("zz", "abc", "a b c ", "0x10"):
            problem = self.assertRaises(ConfigError, readPayload, configOf(PAYLOAD, {"text": text}))
            self.assertEqual(problem.problem, f"invalid hex string '{text}'")
