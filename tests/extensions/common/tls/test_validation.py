"""Tests for twisted_envoy.extensions.common.tls.validation."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from tests.extensions.support import configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.extensions.common.tls.validation import buildVerifier
from twisted_envoy.stats.scope import Store

TYPE = "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext"
AUTHORITY = Authority()
CA = {"inline_string": AUTHORITY.pem}


def build(config):
    """The Verifier of a CertificateValidationContext."""
    return buildVerifier(configOf(TYPE, config), TLSStats(Store().scope("ssl.")))


class ValidationTests(SynchronousTestCase):
    """What is read."""

    def test_none(self):
        """Nobody is asked for anything."""
        verifier = buildVerifier(None, TLSStats(Store().scope("ssl.")))

        self.assertFalse(verifier.asks)

    def test_everything(self):
        """Each field is obeyed or stays unread."""
        view = configOf(
            TYPE,
            {
                "trusted_ca": CA,
                "crl": {"inline_string": AUTHORITY.revoke() + AUTHORITY.revoke()},
                "only_verify_leaf_cert_crl": True,
                "allow_expired_certificate": True,
                "verify_certificate_hash": [":".join(["AB"] * 32)],
                "verify_certificate_spki": ["A" * 43 + "="],
                "max_verify_depth": 3,
                "suppress_client_ca_list": True,
                "match_typed_subject_alt_names": [
                    {"san_type": "DNS", "matcher": {"exact": "a.test"}},
                    {"san_type": "URI", "matcher": {"prefix": "spiffe://"}},
                ],
                "trust_chain_verification": "ACCEPT_UNTRUSTED",
                "custom_validator_config": {
                    "name": "x",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
                        "SPIFFECertValidatorConfig",
                        "trust_domains": [{"name": "x"}],
                    },
                },
            },
        )
        verifier = buildVerifier(view, TLSStats(Store().scope("ssl.")), True, True)

        self.assertEqual(verifier.authorities, (AUTHORITY.certificate,))
        self.assertEqual(verifier.hashes, {"ab" * 32})
        self.assertEqual((len(verifier.names), len(verifier.revoked)), (2, 2))
        self.assertEqual((verifier.deepest, verifier.untrusted), (3, True))
        self.assertEqual(unreadFields(view), ["custom_validator_config"])

    def test_oldNames(self):
        """match_subject_alt_names means names of any kind."""
        verifier = build({"trusted_ca": CA, "match_subject_alt_names": [{"exact": "a.test"}]})

        self.assertEqual(
            {name.kind for name in verifier.names}, {"DNS", "URI", "EMAIL", "IP_ADDRESS"}
        )

    def test_mistakes(self):
        """In Envoy's words."""
        names = [{"san_type": "DNS", "matcher": {"exact": "a"}}]
        for config, words in (
            (
                {"trusted_ca": {"inline_string": "no"}},
                "Failed to load trusted CA certificates from",
            ),
            ({"trusted_ca": {"filename": "/none/ca"}}, "Invalid path: /none/ca"),
            ({"trusted_ca": {"filename": "/dev/null"}}, "Invalid path: /dev/null"),
            ({"trusted_ca": {"inline_string": ""}}, "DataSource cannot be empty"),
            (
                {"crl": {"inline_string": AUTHORITY.revoke()}},
                "Failed to load CRL from <inline> without trusted CA",
            ),
            ({"verify_certificate_hash": ["z" * 64]}, "Invalid hex-encoded SHA-256 zzz"),
            ({"verify_certificate_hash": ["ab" * 32 + ":"]}, "Invalid hex-encoded SHA-256 abab"),
            ({"verify_certificate_spki": ["!" * 44]}, "Invalid base64-encoded SHA-256 !!!"),
            (
                {
                    "trusted_ca": CA,
                    "match_typed_subject_alt_names": [
                        {"san_type": "OTHER_NAME", "oid": "x.y", "matcher": {"exact": "a"}}
                    ],
                },
                "Failed to create SAN matcher for OTHER_NAME with OID: x.y",
            ),
            (
                {"trusted_ca": CA, "crl": {"inline_string": "no"}},
                "Failed to load CRL from <inline>",
            ),
            (
                {
                    "trusted_ca": CA,
                    "crl": {"inline_string": "-----BEGIN X509 CRL-----\nno\n"},
                },
                "Failed to load CRL from <inline>",
            ),
            ({"match_typed_subject_alt_names": names}, "without trusted CA is insecure"),
            ({"allow_expired_certificate": True}, "Certificate validity period is always ignored"),
        ):
            self.assertIn(words, self.assertRaises(ConfigError, build, config).problem)
