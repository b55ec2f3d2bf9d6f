"""Tests for twisted_envoy.http.edge.client_cert."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from tests.extensions.support import configOf, unreadFields
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.tls_info import CertificateInfo
from twisted_envoy.http.edge.client_cert import XFCC, readClientCert

AUTHORITY = Authority()
MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


class Known:
    """A TLSInfo of a client with a certificate."""

    peer = CertificateInfo(
        AUTHORITY.issue("c.test", "d.test", common='say "hi"', uris=["spiffe://c"]).certificate
    )
    local = CertificateInfo(AUTHORITY.issue(uris=["spiffe://here"]).certificate)
    peerChain = (peer,)


class Anonymous(Known):
    """A client without."""

    peer = None


def become(mode, given=None, tls=Known, **details):
    """What the header of a request becomes."""
    config = configOf(
        MANAGER,
        {
            "stat_prefix": "x",
            "route_config": {"name": "r"},
            "forward_client_cert_details": mode,
            "set_current_client_cert_details": details,
        },
    )
    rules = readClientCert(config)
    if rules is None:
        return "removed"
    headers = HeaderMap()
    rules.apply(headers, given, tls)
    value = headers.get(XFCC)
    return None if value is None else value.decode()


class ModeTests(SynchronousTestCase):
    """What the modes do."""

    def test_sanitize(self):
        """The header is removed elsewhere."""
        self.assertEqual(become("SANITIZE", b"x"), "removed")

    def test_forwardOnly(self):
        """As it came, on a connection with a certificate."""
        self.assertEqual(become("FORWARD_ONLY", b"By=a"), "By=a")
        self.assertIsNone(become("FORWARD_ONLY", b"By=a", Anonymous))
        self.assertIsNone(become("FORWARD_ONLY", b"By=a", None))

    def test_alwaysForwardOnly(self):
        """As it came, always."""
        self.assertEqual(become("ALWAYS_FORWARD_ONLY", b"By=a", None), "By=a")
        self.assertIsNone(become("ALWAYS_FORWARD_ONLY"))

    def test_set(self):
        """Ours in place of what came."""
        expected = f"By=spiffe://here;Hash={Known.peer.sha256}"
        self.assertEqual(become("SANITIZE_SET", b"By=a"), expected)
        self.assertIsNone(become("SANITIZE_SET", b"By=a", Anonymous))

    def test_append(self):
        """Ours behind what came."""
        expected = f"By=spiffe://here;Hash={Known.peer.sha256}"
        self.assertEqual(become("APPEND_FORWARD", b"By=a"), "By=a," + expected)
        self.assertEqual(become("APPEND_FORWARD"), expected)

    def test_place(self):
        """It stays where it was, or goes."""
        for tls, expected in ((Known, [XFCC, b"b"]), (None, [b"b"])):
            config = configOf(
                MANAGER,
                {
                    "stat_prefix": "x",
                    "route_config": {"name": "r"},
                    "forward_client_cert_details": "SANITIZE_SET",
                },
            )
            headers = HeaderMap(((XFCC, b"By=a"), (b"b", b"1")))
            readClientCert(config).apply(headers, b"By=a", tls)
            self.assertEqual(list(headers), expected)

    def test_details(self):
        """Everything that may be told, in Envoy's order."""
        value = become("SANITIZE_SET", subject=True, uri=True, dns=True, issuer=True)

        self.assertIn(';Subject="CN=say \\"hi\\"";Issuer="CN=test authority"', value)
        self.assertTrue(value.endswith(";URI=spiffe://c;DNS=c.test;DNS=d.test"), value)

    def test_certificates(self):
        """The certificate and its chain, encoded."""
        value = become("SANITIZE_SET", cert=True, chain=True)

        self.assertIn(f'Cert="{Known.peer.encoded}"', value)
        self.assertIn(f'Chain="{Known.peer.encoded}"', value)


class ReadingTests(SynchronousTestCase):
    """What is read."""

    def test_jsonIsNotObeyed(self):
        """A format that is not implemented stays to be reported."""
        config = configOf(
            MANAGER,
            {
                "stat_prefix": "x",
                "route_config": {"name": "r"},
                "forward_client_cert_details": "SANITIZE_SET",
                "set_current_client_cert_details": {"format": "JSON", "uri": True},
            },
        )
        readClientCert(config)

        self.assertIn("set_current_client_cert_details.format", unreadFields(config))
