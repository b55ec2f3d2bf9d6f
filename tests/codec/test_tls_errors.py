"""Tests for twisted_envoy.codec.tls_errors."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.tls_errors import TLSProblem, TLSTruncated, problemOf

BEGIN = "TLS_error:|"
WORDS = ":SSL_routines:OPENSSL_internal:"


class ProblemTests(SynchronousTestCase):
    """What Envoy would say."""

    def test_texts(self):
        """OpenSSL's reasons have BoringSSL's names and numbers."""
        for reason, number, name in (
            ("certificate verify failed", 268435581, "CERTIFICATE_VERIFY_FAILED"),
            ("http request", 268435612, "HTTP_REQUEST"),
            ("wrong version number", 268435703, "WRONG_VERSION_NUMBER"),
            ("version too low", 268435696, "UNSUPPORTED_PROTOCOL"),
            ("no shared cipher", 268435640, "NO_SHARED_CIPHER"),
            ("ssl/tls alert handshake failure", 268436496, "SSLV3_ALERT_HANDSHAKE_FAILURE"),
            ("sslv3 alert bad certificate", 268436498, "SSLV3_ALERT_BAD_CERTIFICATE"),
            ("tlsv1 alert unknown ca", 268436504, "TLSV1_ALERT_UNKNOWN_CA"),
            ("tls alert certificate expired", 268436501, "SSLV3_ALERT_CERTIFICATE_EXPIRED"),
            ("something new", 268435456, "SOMETHING_NEW"),
        ):
            problem = problemOf([("SSL routines", "", reason)])
            self.assertEqual(str(problem), f"{BEGIN}{number}{WORDS}{name}:TLS_error_end")

    def test_details(self):
        """What a certificate was refused for comes behind; blanks are not shown."""
        problem = TLSProblem(("CERTIFICATE_VERIFY_FAILED",), "verify cert failed: no")

        self.assertTrue(str(problem).endswith(":verify_cert_failed:_no:TLS_error_end"))

    def test_noCertificate(self):
        """Envoy says this in words, too."""
        problem = problemOf([("SSL routines", "", "peer did not return a certificate")])

        self.assertIn("peer_did_not_provide_required_client_certificate", str(problem))

    def test_several(self):
        """All errors are told, in order; none is one of its own."""
        text = str(problemOf([("", "", "bad decrypt"), ("", "", "unexpected message")]))

        self.assertIn(f"{WORDS}BAD_DECRYPT|268435679{WORDS}UNEXPECTED_MESSAGE", text)
        self.assertEqual(problemOf([]).reasons, ("INTERNAL_ERROR",))

    def test_truncated(self):
        """Who just goes away has said nothing; a reset is told."""
        self.assertEqual(str(TLSTruncated()), "")
        self.assertIn("Connection_reset_by_peer", str(TLSTruncated(True)))
