"""Tests for twisted_envoy.extensions.common.tls.common."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from tests.extensions.support import configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.tls.common import readCommon
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.stats.scope import Store

TYPE = "envoy.extensions.transport_sockets.tls.v3.CommonTlsContext"
AUTHORITY = Authority()


class CommonTests(SynchronousTestCase):
    """What both sides read."""

    def test_nothing(self):
        """A context may be missing."""
        common = readCommon(None, TLSStats(Store().scope("ssl.")), False)
        settings, certificates = common.resolve()

        self.assertEqual((settings.protocols, certificates), ((), ()))

    def test_everything(self):
        """Certificates with the time of their end; ALPN; what is trusted."""
        store = Store()
        view = configOf(
            TYPE,
            {
                "tls_certificates": [AUTHORITY.issue("a.test").config],
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_params": {},
                "validation_context": {"trusted_ca": {"inline_string": AUTHORITY.pem}},
                "custom_handshaker": {
                    "name": "x",
                    "typed_config": {"@type": "type.googleapis.com/google.protobuf.Empty"},
                },
            },
        )
        common = readCommon(view, TLSStats(store.scope("ssl.")), True, True)
        settings, certificates = common.resolve()

        self.assertEqual(settings.protocols, (b"h2", b"http/1.1"))
        self.assertTrue(settings.verifier.required)
        self.assertEqual(len(certificates), 1)
        self.assertEqual(len([name for name in store.gauges if "expiration" in name]), 2)
        self.assertEqual(unreadFields(view), ["custom_handshaker"])

    def test_mistakes(self):
        """In Envoy's words."""
        own = {"tls_certificates": [AUTHORITY.issue("a").config]}
        for config, words in (
            ({"alpn_protocols": ["x" * 256]}, "Invalid ALPN protocol string"),
            (
                {**own, "tls_certificate_sds_secret_configs": [{"name": "x"}]},
                "SDS and non-SDS TLS certificates may not be mixed in server contexts",
            ),
        ):
            view = configOf(TYPE, config)
            stats = TLSStats(Store().scope("ssl."))
            problem = self.assertRaises(ConfigError, readCommon, view, stats, True)
            self.assertIn(words, problem.problem)

    def test_protocols(self):
        """One text may have several, with commas."""
        view = configOf(TYPE, {"alpn_protocols": ["h2,http/1.1", "", "x"]})
        common = readCommon(view, TLSStats(Store().scope("ssl.")), True)

        self.assertEqual(common.protocols, (b"h2", b"http/1.1", b"x"))

    def test_onlySecretsChange(self):
        """A folder to watch is nothing to a certificate of the config itself."""
        certificate = {**AUTHORITY.issue("a").config, "watched_directory": {"path": "/x"}}
        view = configOf(
            TYPE,
            {
                "tls_certificates": [certificate],
                "validation_context": {"watched_directory": {"path": "/x"}},
            },
        )
        readCommon(view, TLSStats(Store().scope("ssl.")), True)

        self.assertEqual(unreadFields(view), [])
