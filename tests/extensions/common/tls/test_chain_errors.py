"""Tests for twisted_envoy.extensions.common.tls.chain_errors."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.common.tls.chain_errors import wordsOf

LISTS = "certificate revocation check against provided CRLs failed: "


class WordsTests(SynchronousTestCase):
    """Envoy's words."""

    def test_words(self):
        """Those of OpenSSL where they are the same."""
        for code, text in (
            (9, "certificate is not yet valid"),
            (10, "certificate has expired"),
            (18, "self signed certificate"),
            (20, "unable to get local issuer certificate"),
            (22, "unable to get local issuer certificate"),
            (26, "unsupported certificate purpose"),
            (3, LISTS + "unable to get certificate CRL"),
            (12, LISTS + "CRL has expired"),
            (23, LISTS + "certificate revoked"),
        ):
            self.assertEqual(wordsOf(code), text)
