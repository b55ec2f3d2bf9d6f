"""Tests for twisted_envoy.extensions.transport_sockets.tls.config."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import MUST_STAPLE, Authority
from tests.extensions.support import configOf, unreadFields
from tests.extensions.transport_sockets.tls.support import (
    Context,
    client,
    server,
)
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.transport_sockets.tls.config import (
    DownstreamTLSFactory,
    UpstreamTLSFactory,
)
from twisted_envoy.interfaces.extensions import CERTIFICATES

AUTHORITY = Authority()
SERVER = AUTHORITY.issue("server.test")
MUST = AUTHORITY.issue("server.test", extensions=[MUST_STAPLE])
CLIENT = AUTHORITY.issue(common="client")
CA = {"trusted_ca": {"inline_string": AUTHORITY.pem}}
DOWN = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
UP = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"


class ConfigTests(SynchronousTestCase):
    """What is read and refused."""

    def test_downstream(self):
        """Each field is obeyed or stays unread."""
        view = configOf(
            DOWN,
            {
                "common_tls_context": {"tls_certificates": [SERVER.config]},
                "require_client_certificate": True,
                "session_timeout": "10s",
                "disable_stateful_session_resumption": True,
                "disable_stateless_session_resumption": True,
                "full_scan_certs_on_sni_mismatch": True,
                "prefer_client_ciphers": True,
                "require_sni": True,
                "ocsp_staple_policy": "STRICT_STAPLING",
            },
        )
        DownstreamTLSFactory().build(view, Context())

        self.assertEqual(unreadFields(view), [])

    def test_upstream(self):
        """The same upstream."""
        view = configOf(
            UP,
            {
                "common_tls_context": {"validation_context": CA},
                "enforce_rsa_key_usage": False,
                "sni": "a",
                "auto_host_sni": True,
                "max_session_keys": 3,
                "auto_sni_san_validation": True,
                "allow_renegotiation": True,
            },
        )
        UpstreamTLSFactory().build(view, Context())

        self.assertEqual(unreadFields(view), ["allow_renegotiation"])

    def test_silence(self):
        """Who would verify clients but does not ask for certificates is warned, as by Envoy."""
        common = {"tls_certificates": [SERVER.config], "validation_context": CA}
        for required, expected in (({}, 1), ({"require_client_certificate": False}, 0)):
            context = Context()
            server(context, {"common_tls_context": common, **required})
            self.assertEqual(len(context.warnings), expected)

    def test_nobodyAsked(self):
        """Certificates are required, but nobody says whom to trust."""
        for trusted, expected in (
            ({}, 1),
            ({"validation_context": {}}, 1),
            ({"validation_context": CA}, 0),
        ):
            context = Context()
            common = {"tls_certificates": [SERVER.config], **trusted}
            server(context, {"common_tls_context": common, "require_client_certificate": True})
            self.assertEqual(len(context.warnings), expected)

    def test_surprises(self):
        """Nobody is verified, which each context is warned of; and old versions, told once."""
        newest = {"tls_params": {"tls_maximum_protocol_version": "TLSv1_3"}}
        for configs, expected in (
            ([{}, {}], 3),
            ([newest, newest], 2),
            ([{"validation_context": CA}, {"validation_context": CA}], 1),
            ([{**newest, "validation_context": CA}], 0),
        ):
            context = Context()
            for common in configs:
                client(context, {"common_tls_context": common})
            self.assertEqual(len(context.warnings), expected)

    def test_shown(self):
        """What `/certs` tells of both sides."""
        context = Context()
        server(context, {"common_tls_context": {"tls_certificates": [SERVER.config]}})
        client(context, {"common_tls_context": {"validation_context": CA}})

        down, up = (each() for each in context.singleton(CERTIFICATES, list))

        self.assertEqual((len(down["cert_chain"]), down["ca_cert"]), (1, []))
        self.assertEqual((up["cert_chain"], up["ca_cert"][0]["path"]), ([], "<inline>"))

    def test_mistakes(self):
        """In Envoy's words."""
        two = [SERVER.config, CLIENT.config]
        parameters = {"tls_params": {"cipher_suites": ["no"]}}
        curves = {"tls_params": {"ecdh_curves": ["no"]}}
        for make, config, words in (
            (server, {"common_tls_context": {}}, "No TLS certificates found for server context"),
            (
                client,
                {"common_tls_context": {"tls_certificates": two}},
                "Multiple TLS certificates are not supported for client contexts",
            ),
            (client, {"common_tls_context": parameters}, "Failed to initialize cipher suites no"),
            (
                server,
                {"common_tls_context": {"tls_certificates": [SERVER.config], **parameters}},
                "Failed to initialize cipher suites no",
            ),
            (client, {"common_tls_context": curves}, "Failed to initialize ECDH curves no"),
            (
                server,
                {"common_tls_context": {"tls_certificates": [MUST.config]}},
                "OCSP response is required for must-staple certificate",
            ),
            (
                server,
                {
                    "common_tls_context": {"tls_certificates": [SERVER.config]},
                    "ocsp_staple_policy": "MUST_STAPLE",
                },
                "Required OCSP response is missing from TLS context",
            ),
            (client, {"sni": "a\0b"}, "SNI names containing NULL-byte are not allowed"),
            (
                client,
                {"auto_sni_san_validation": True},
                "'auto_sni_san_validation' was configured without a validation context",
            ),
            (
                client,
                {
                    "auto_sni_san_validation": True,
                    "common_tls_context": {"validation_context": {}},
                },
                "'auto_sni_san_validation' was configured without configuring a trusted CA",
            ),
        ):
            problem = self.assertRaises(ConfigError, make, Context(), config)
            self.assertIn(words, problem.problem)
