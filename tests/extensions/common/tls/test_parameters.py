"""Tests for twisted_envoy.extensions.common.tls.parameters."""

from __future__ import annotations

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.tls.parameters import readParameters

TYPE = "envoy.extensions.transport_sockets.tls.v3.TlsParameters"


class ParameterTests(SynchronousTestCase):
    """Versions, ciphers, curves."""

    def test_defaults(self):
        """A client speaks TLS 1.2 at most, as Envoy's."""
        client, server = readParameters(None, False), readParameters(None, True)

        self.assertEqual((client.oldest, client.newest), (SSL.TLS1_2_VERSION,) * 2)
        self.assertEqual((server.oldest, server.newest), (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION))
        self.assertEqual(client.groups, ("X25519", "P-256"))

    def test_everything(self):
        """All is read, and a context takes it."""
        view = configOf(
            TYPE,
            {
                "tls_minimum_protocol_version": "TLSv1_0",
                "tls_maximum_protocol_version": "TLSv1_3",
                "cipher_suites": [
                    "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]",
                    "AES128-SHA",
                ],
                "ecdh_curves": ["P-256", "P-384"],
                "signature_algorithms": ["rsa_pss_rsae_sha256"],
            },
        )
        parameters = readParameters(view, False, True)
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        parameters.install(context)

        self.assertEqual(unreadFields(view), [])
        self.assertEqual(parameters.oldest, SSL.TLS1_VERSION)
        names = SSL.Connection(context).get_cipher_list()
        self.assertIn("ECDHE-RSA-CHACHA20-POLY1305", names)
        self.assertIn("AES128-SHA", names)

    def test_unknown(self):
        """What the library does not know."""
        for config, problem in (
            ({"ecdh_curves": ["no"]}, ValueError),
            ({"signature_algorithms": ["no"]}, ValueError),
            ({"cipher_suites": ["no"]}, SSL.Error),
        ):
            parameters = readParameters(configOf(TYPE, config), True)
            context = SSL.Context(SSL.TLS_SERVER_METHOD)
            self.assertRaises(problem, parameters.install, context)

    def test_policies(self):
        """Are refused."""
        view = configOf(TYPE, {"compliance_policies": ["FIPS_202205"]})

        self.assertRaises(ConfigError, readParameters, view, True)
