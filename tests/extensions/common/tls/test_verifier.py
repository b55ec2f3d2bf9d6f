"""Tests for twisted_envoy.extensions.common.tls.verifier."""

from __future__ import annotations

import base64
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority, keyUsage
from tests.extensions.support import configOf
from twisted_envoy.codec.tls_record import TLSProblem, newRecord
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.extensions.common.tls.validation import buildVerifier
from twisted_envoy.extensions.common.tls.verifier import isNameOf
from twisted_envoy.stats.scope import Store

TYPE = "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext"
AUTHORITY = Authority()
OTHER = Authority("other")
GOOD = AUTHORITY.issue("a.test", "*.w.test", "10.0.0.1", uris=["spiffe://a/b"])
EXPIRED = AUTHORITY.issue("a.test", expired=True)
CA = {"trusted_ca": {"inline_string": AUTHORITY.pem}}


OTHER_NAME = x509.OtherName(x509.ObjectIdentifier("1.2.3.4"), b"\x0c\x05hello")
NAMED = AUTHORITY.issue("a.test", others=[OTHER_NAME])
ENCIPHERS = AUTHORITY.issue(kind="rsa", extensions=[keyUsage(key_encipherment=True)])
SIGNS = AUTHORITY.issue(kind="rsa", extensions=[keyUsage(digital_signature=True)])


class VerifyTests(SynchronousTestCase):
    """A client looks at a server's certificate."""

    def verify(self, config, issued=GOOD):
        """What the handshake comes to: "" or the reason."""
        store = Store()
        self.counters = store.counters
        verifier = buildVerifier(configOf(TYPE, config), TLSStats(store.scope("ssl.")))
        server = SSL.Context(SSL.TLS_SERVER_METHOD)
        server.use_certificate(issued.certificate)
        server.use_privatekey(issued.key)
        client = SSL.Context(SSL.TLS_CLIENT_METHOD)
        verifier.install(client)
        down, up = newRecord(server, True), newRecord(client, False)
        try:
            up.feed(b"")
            for _ in range(4):
                down.feed(up.pull())
                up.feed(down.pull())
        except TLSProblem as problem:
            return str(problem)
        return ""

    def test_otherName(self):
        """One of the type that is asked for."""
        for identifier, text, isGood in (
            ("1.2.3.4", "hello", True),
            ("1.2.3.4", "other", False),
            ("1.2.3.5", "hello", False),
        ):
            wanted = {"san_type": "OTHER_NAME", "oid": identifier, "matcher": {"exact": text}}
            config = {**CA, "match_typed_subject_alt_names": [wanted]}
            self.assertEqual(self.verify(config, NAMED) == "", isGood)

    def test_keyUsage(self):
        """A server's RSA key that is not for signing, whether anybody is trusted or not."""
        for config in (CA, {}):
            self.assertIn("KEY_USAGE_BIT_INCORRECT", self.verify(config, ENCIPHERS))
            self.assertEqual(self.counters["ssl.fail_verify_error"].value, 0)
            self.assertEqual(self.verify(config, SIGNS), "")

    def counted(self, name):
        return self.counters[f"ssl.{name}"].value

    def test_trusted(self):
        """A chain to who is trusted."""
        self.assertEqual(self.verify(CA), "")

    def test_nobodyAsks(self):
        """Without trusted_ca any certificate will do, as in Envoy."""
        self.assertEqual(self.verify({}, EXPIRED), "")

    def test_wrongAuthority(self):
        """A chain to somebody else."""
        text = self.verify({"trusted_ca": {"inline_string": OTHER.pem}})

        self.assertIn("CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_X509_verify_cert:", text)
        self.assertIn("error_at_depth_0:_unable_to_get_local_issuer_certificate", text)
        self.assertEqual(self.counted("fail_verify_error"), 1)

    def test_untrusted(self):
        """The same, and accepted, which is counted."""
        config = {
            "trusted_ca": {"inline_string": OTHER.pem},
            "trust_chain_verification": "ACCEPT_UNTRUSTED",
        }

        self.assertEqual(self.verify(config), "")
        self.assertEqual(self.counted("fail_verify_error"), 1)

    def test_expired(self):
        """Refused, unless that is allowed."""
        self.assertIn("certificate_has_expired", self.verify(CA, EXPIRED))
        self.assertEqual(self.verify({**CA, "allow_expired_certificate": True}, EXPIRED), "")

    def test_names(self):
        """Any of them may match, each kind its own way."""
        for kind, matcher, good in (
            ("DNS", {"exact": "a.test"}, True),
            ("DNS", {"exact": "x.w.test"}, True),
            ("DNS", {"exact": "y.x.w.test"}, False),
            ("DNS", {"suffix": ".test"}, True),
            ("DNS", {"exact": "b.test"}, False),
            ("URI", {"prefix": "spiffe://a/"}, True),
            ("IP_ADDRESS", {"exact": "10.0.0.1"}, True),
            ("EMAIL", {"exact": "a.test"}, False),
        ):
            names = [{"san_type": kind, "matcher": matcher}]
            text = self.verify({**CA, "match_typed_subject_alt_names": names})
            self.assertEqual(not text, good, (kind, matcher))
        self.assertIn(
            "verify_cert_failed:_SAN_matcher,_certificate_SANs_are_"
            "[a.test,_*.w.test,_10.0.0.1,_spiffe://a/b]",
            text,
        )
        self.assertEqual(self.counted("fail_verify_san"), 1)

    def test_pins(self):
        """One of the hashes of certificates or of keys."""
        der = GOOD.certificate.public_bytes(Encoding.DER)
        key = GOOD.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        own = hashlib.sha256(der).hexdigest()
        spki = base64.b64encode(hashlib.sha256(key).digest()).decode()
        wrong = ["00" * 32]

        self.assertEqual(self.verify({"verify_certificate_hash": [own]}), "")
        self.assertEqual(self.verify({"verify_certificate_spki": [spki]}), "")
        both = {"verify_certificate_hash": wrong, "verify_certificate_spki": [spki]}
        self.assertEqual(self.verify(both), "")
        self.assertIn("cert_hash_and_spki", self.verify({"verify_certificate_hash": wrong}))
        self.assertEqual(self.counted("fail_verify_cert_hash"), 1)

    def test_revoked(self):
        """A certificate on the list of its authority."""
        clean = {"inline_string": AUTHORITY.revoke(EXPIRED)}
        revoked = {"inline_string": AUTHORITY.revoke(GOOD)}

        self.assertEqual(self.verify({**CA, "crl": clean}), "")
        self.assertIn(
            "error_at_depth_0:_certificate_revocation_check_against_provided_CRLs_failed:_"
            "certificate_revoked",
            self.verify({**CA, "crl": revoked}),
        )

    def test_systemRoots(self):
        """Those of the machine do not know ours."""
        self.assertNotEqual(self.verify({"system_root_certs": {}}), "")

    def test_tolerated(self):
        """What else is wrong is accepted, too, and counted."""
        config = {
            **CA,
            "trust_chain_verification": "ACCEPT_UNTRUSTED",
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "no"}}],
        }
        self.assertEqual(self.verify(config), "")
        self.assertEqual(self.counted("fail_verify_san"), 1)

        config = {"trusted_ca": {"inline_string": OTHER.pem}, **config, **CA}
        del config["match_typed_subject_alt_names"]
        self.assertEqual(self.verify({**config, "verify_certificate_hash": ["00" * 32]}), "")
        self.assertEqual(self.counted("fail_verify_cert_hash"), 1)

    def test_depth(self):
        """One less than it says, of servers; of clients it does not count."""
        for isServer, most, expected in (
            (True, 3, 2),
            (True, 1, 0),
            (True, 0, 0),
            (False, 3, None),
        ):
            config = configOf(TYPE, {**CA, "max_verify_depth": most})
            context = SSL.Context(SSL.TLS_METHOD)
            before = context.get_verify_depth()
            buildVerifier(config, TLSStats(Store().scope("ssl.")), isServer).install(context)

            self.assertEqual(context.get_verify_depth(), before if expected is None else expected)

    def test_nobodyToTrust(self):
        """A server that trusts nobody asks for no certificate, even if one is required."""
        for config, isAsked in (({}, False), (CA, True)):
            context = SSL.Context(SSL.TLS_METHOD)
            stats = TLSStats(Store().scope("ssl."))
            buildVerifier(configOf(TYPE, config), stats, True, True).install(context)

            self.assertEqual(bool(context.get_verify_mode()), isAsked)

    def test_isNameOf(self):
        """A wildcard stands for one whole label."""
        self.assertTrue(isNameOf("A.b.c", "*.B.c"))
        self.assertFalse(isNameOf("b.c", "*.b.c"))
        self.assertFalse(isNameOf(".b.c", "*.b.c"))
