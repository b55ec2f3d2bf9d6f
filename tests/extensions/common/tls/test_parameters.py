"""Tests for twisted_envoy.extensions.common.tls.parameters."""

from __future__ import annotations

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from twisted_envoy.extensions.common.tls.parameters import Parameters, readParameters

TYPE = "envoy.extensions.transport_sockets.tls.v3.TlsParameters"


class OldLibrary:
    """OpenSSL as it was before there was a group of two kinds."""

    def __init__(self, library):
        for name in dir(library):
            if not name.startswith("__"):
                setattr(self, name, getattr(library, name))
        self.library = library
        self.asked = []
        self.SSL_CTX_set1_curves_list = self.setGroups

    def setGroups(self, context, names):
        self.asked.append(names)
        if b"MLKEM" in names:
            return 0
        return self.library.SSL_CTX_set1_curves_list(context, names)


class ParameterTests(SynchronousTestCase):
    """Versions, ciphers, curves."""

    def test_defaults(self):
        """A client speaks TLS 1.2 at most, as Envoy's."""
        client, server = readParameters(None, False), readParameters(None, True)

        self.assertEqual((client.oldest, client.newest), (SSL.TLS1_2_VERSION,) * 2)
        self.assertEqual((server.oldest, server.newest), (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION))
        self.assertEqual(client.groups, ("X25519MLKEM768", "X25519", "P-256"))

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
            ({"cipher_suites": ["no"]}, ValueError),
            ({"cipher_suites": ["ECDHE-RSA-AES128-GCM-SHA256", "no"]}, ValueError),
        ):
            parameters = readParameters(configOf(TYPE, config), True)
            context = SSL.Context(SSL.TLS_SERVER_METHOD)
            self.assertRaises(problem, parameters.install, context)

    def test_policies(self):
        """Take the place of everything else."""
        for name, oldest, cipher in (
            ("FIPS_202205", SSL.TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256"),
            ("CNSA1_202603", SSL.TLS1_2_VERSION, "AES256-GCM-SHA384"),
            ("CNSA2_202603", SSL.TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"),
        ):
            view = configOf(
                TYPE,
                {
                    "compliance_policies": [name],
                    "tls_minimum_protocol_version": "TLSv1_0",
                    "cipher_suites": ["AES128-SHA"],
                    "ecdh_curves": ["X25519"],
                },
            )
            parameters = readParameters(view, False)
            self.assertEqual(unreadFields(view), [])
            self.assertEqual((parameters.oldest, parameters.newest), (oldest, SSL.TLS1_3_VERSION))
            self.assertNotIn("X25519", parameters.groups)

            context = SSL.Context(SSL.TLS_CLIENT_METHOD)
            parameters.install(context)
            offered = SSL.Connection(context).get_cipher_list()
            self.assertIn(cipher, offered)
            self.assertNotIn("AES128-SHA", offered)

    def test_oldLibrary(self):
        """A library without the newest of the usual groups has the rest of them."""
        library = SSL._lib
        self.patch(SSL, "_lib", OldLibrary(library))
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        Parameters().install(context)

        self.assertEqual(SSL._lib.asked[-1], b"X25519:P-256")
