"""Tests for twisted_envoy.extensions.common.tls.stats."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.tls_errors import TLSProblem, TLSTruncated
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.stats.scope import Store


class Known:
    """A TLSInfo."""

    isResumed = True
    peer = None
    cipher, version, group = "C", "TLSv1.3", "X25519"
    signature = "ed25519"
    agreed = (1, 2)


class StatsTests(SynchronousTestCase):
    """What counts where."""

    def setUp(self):
        self.store = Store()
        self.stats = TLSStats(self.store.scope("ssl."))

    def counted(self):
        return {name: each.value for name, each in self.store.counters.items() if each.value}

    def test_opened(self):
        """A handshake, and what was agreed on."""
        self.stats.opened(Known())

        self.assertEqual(
            self.counted(),
            {
                "ssl.handshake": 1,
                "ssl.session_reused": 1,
                "ssl.no_certificate": 1,
                "ssl.ciphers.C": 1,
                "ssl.sigalgs.ed25519": 1,
                "ssl.versions.TLSv1.3": 1,
                "ssl.curves.X25519": 1,
            },
        )

    def test_openedAlike(self):
        """What agrees in all is counted together, anything else by itself."""
        other = Known()
        other.agreed, other.cipher = (3, 2), "D"
        for each in (Known(), other, Known()):
            self.stats.opened(each)

        counted = self.counted()
        self.assertEqual((counted["ssl.ciphers.C"], counted["ssl.ciphers.D"]), (2, 1))
        self.assertEqual(counted["ssl.curves.X25519"], 3)

    def test_neverExpires(self):
        """As Envoy says it."""
        self.stats.neverExpires()

        gauge = self.store.gauges["ssl.certificate.unnamed_ca_cert.expiration_unix_time_seconds"]
        self.assertEqual(gauge.value, 9223372036854775807)

    def test_failed(self):
        """As Envoy: a refused certificate is counted by who refused it, an end by nobody."""
        self.stats.failed(TLSTruncated())
        self.stats.failed(TLSProblem(("CERTIFICATE_VERIFY_FAILED",)))
        self.assertEqual(self.counted(), {})

        self.stats.failed(TLSProblem(("PEER_DID_NOT_RETURN_A_CERTIFICATE",)))
        self.stats.failed(TLSProblem(("HTTP_REQUEST",)))

        self.assertEqual(self.counted(), {"ssl.fail_verify_no_cert": 1, "ssl.connection_error": 1})

    def test_expires(self):
        """Of several without names the last one counts."""
        self.stats.expires("cert", "", 20)
        self.stats.expires("cert", "", 10)
        self.stats.expires("cert", "", 30)
        gauges = {name: each.value for name, each in self.store.gauges.items()}

        name = "ssl.certificate.unnamed_cert_e3b0c442.expiration_unix_time_seconds"
        self.assertEqual(gauges, {name: 30})

    def test_expiresOfSecrets(self):
        """A secret's is called by its name."""
        self.stats.expires("ca_cert", "trusted", 20)

        name = "ssl.certificate.trusted.expiration_unix_time_seconds"
        self.assertEqual(list(self.store.gauges), [name])
