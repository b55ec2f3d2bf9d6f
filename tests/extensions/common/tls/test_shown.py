"""Tests for twisted_envoy.extensions.common.tls.shown."""

from __future__ import annotations

import datetime

from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority, inlineBytes
from tests.extensions.support import configOf
from twisted_envoy.extensions.common.tls.certificate import readCertificate
from twisted_envoy.extensions.common.tls.shown import shownCertificates
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.extensions.common.tls.validation import buildVerifier
from twisted_envoy.stats.scope import Store

PACKAGE = "envoy.extensions.transport_sockets.tls.v3."
AUTHORITY = Authority()
OWN = AUTHORITY.issue(
    "a.test", "10.0.0.1", "::1", uris=["spiffe://a"], others=[x509.RFC822Name("a@b.c")]
)


class ShownTests(SynchronousTestCase):
    """An admin.v3.Certificate."""

    def shown(self, *configs, validation=None, now=None):
        stats = TLSStats(Store().scope("ssl."))
        view = configOf(PACKAGE + "CertificateValidationContext", validation)
        verifier = buildVerifier(None if validation is None else view, stats)
        certificates = [readCertificate(configOf(PACKAGE + "TlsCertificate", c)) for c in configs]
        return shownCertificates(
            verifier, certificates, now or datetime.datetime.now(datetime.timezone.utc)
        )

    def test_nothing(self):
        """Both lists are there."""
        self.assertEqual(self.shown(), {"ca_cert": [], "cert_chain": []})

    def test_certificate(self):
        """The names that Envoy shows, kind by kind."""
        (details,) = self.shown(OWN.config)["cert_chain"]

        self.assertEqual(
            details["subject_alt_names"],
            [
                {"dns": "a.test"},
                {"uri": "spiffe://a"},
                {"ip_address": "10.0.0.1"},
                {"ip_address": "::1"},
            ],
        )
        self.assertEqual((details["path"], details["days_until_expiration"]), ("<inline>", "20"))
        self.assertEqual(int(details["serial_number"], 16), OWN.certificate.serial_number)
        ends = OWN.certificate.not_valid_after_utc
        self.assertEqual(details["expiration_time"], ends.isoformat()[:19] + "Z")
        self.assertNotIn("ocsp_details", details)

    def test_expired(self):
        """No days are left; on the last day neither."""
        ends = OWN.certificate.not_valid_after_utc
        for hours, days in ((30, "0"), (-23, "0"), (-25, "1"), (-24, "1")):
            now = ends + datetime.timedelta(hours=hours)
            (details,) = self.shown(OWN.config, now=now)["cert_chain"]
            self.assertEqual(details["days_until_expiration"], days)

    def test_authorities(self):
        """Each of a file, with its place and no names."""
        path = self.mktemp()
        with open(path, "w") as file:
            file.write(AUTHORITY.pem + Authority("other").pem)

        found = self.shown(validation={"trusted_ca": {"filename": path}})["ca_cert"]

        self.assertEqual([each["path"] for each in found], [path, path])
        self.assertEqual(found[0]["subject_alt_names"], [])

    def test_staple(self):
        """From when to when it counts; one without an end ends now, as in Envoy."""
        now = datetime.datetime(2030, 1, 2, 3, 4, 5, 678901, datetime.timezone.utc)
        for days, ends in ((5, "20"), (None, "2030-01-02T03:04:05.678Z")):
            staple = inlineBytes(AUTHORITY.respond(OWN, days))
            (details,) = self.shown({**OWN.config, "ocsp_staple": staple}, now=now)["cert_chain"]
            self.assertIn(ends, details["ocsp_details"]["expiration"])
