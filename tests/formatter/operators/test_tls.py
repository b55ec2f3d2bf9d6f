"""Tests for twisted_envoy.formatter.operators.tls."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import fullRecord
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import compileText


class TLSTests(SynchronousTestCase):
    def test_unsetWithoutTLS(self) -> None:
        """A plain connection has no certificate."""
        text = compileText(
            "%DOWNSTREAM_TLS_VERSION% %UPSTREAM_PEER_SUBJECT% %TLS_JA3_FINGERPRINT% "
            "%DOWNSTREAM_PEER_CERT_V_START(%Y)%"
        )(fullRecord())

        self.assertEqual(text, "- - - -")

    def test_timeFormatsAreChecked(self) -> None:
        """A newline is refused as in any time."""
        self.assertRaises(FormatError, compileText, "%UPSTREAM_PEER_CERT_V_END(%n)%")
