"""Tests for twisted_envoy.extensions.transport_sockets.tls.config."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
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

AUTHORITY = Authority()
SERVER = AUTHORITY.issue("server.test")
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
                "ocsp_staple_policy": "MUST_STAPLE",
            },
        )
        DownstreamTLSFactory().build(view, Context())

        self.assertEqual(sorted(unreadFields(view)), ["ocsp_staple_policy", "require_sni"])

    def test_upstream(self):
        """The same upstream."""
        view = configOf(
            UP,
            {
                "common_tls_context": {},
                "sni": "a",
                "auto_host_sni": True,
                "max_session_keys": 3,
                "auto_sni_san_validation": True,
                "allow_renegotiation": True,
            },
        )
        UpstreamTLSFactory().build(view, Context())

        self.assertEqual(
            sorted(unreadFields(view)), ["allow_renegotiation", "auto_sni_san_validation"]
        )

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
        ):
            problem = self.assertRaises(ConfigError, make, Context(), config)
            self.assertIn(words, problem.problem)
