"""Tests for twisted_envoy.extensions.common.tls.certificate."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from tests.extensions.support import configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.tls.certificate import pickCertificates, readCertificate

TYPE = "envoy.extensions.transport_sockets.tls.v3.TlsCertificate"
AUTHORITY = Authority()
ISSUED = AUTHORITY.issue("a.test", "*.b.test")
RSA = AUTHORITY.issue("a.test", "c.test", kind="rsa")
NAMELESS = AUTHORITY.issue(common="common.test")
WILD = AUTHORITY.issue("*.common.test", kind="rsa")


def read(config):
    """The Certificate of a TlsCertificate."""
    return readCertificate(configOf(TYPE, config))


class ReadTests(SynchronousTestCase):
    """From every source."""

    def write(self, text):
        path = self.mktemp()
        with open(path, "w") as file:
            file.write(text)
        return os.path.abspath(path)

    def problem(self, **config):
        return self.assertRaises(ConfigError, read, config).problem

    def test_inline(self):
        """A text in the config; all of it is read."""
        view = configOf(TYPE, ISSUED.config)
        certificate = readCertificate(view)

        self.assertEqual(certificate.leaf, ISSUED.certificate)
        self.assertEqual(certificate.names, {"a.test", "*.b.test"})
        self.assertEqual((certificate.path, certificate.keyType), ("<inline>", "ecdsa"))
        self.assertEqual(unreadFields(view), [])

    def test_files(self):
        """Files, with a chain behind the certificate."""
        path = self.write(RSA.pem + AUTHORITY.pem)
        certificate = read(
            {
                "certificate_chain": {"filename": path},
                "private_key": {"filename": self.write(RSA.keyPEM)},
            }
        )

        self.assertEqual(certificate.chain, (AUTHORITY.certificate,))
        self.assertEqual((certificate.path, certificate.keyType), (path, "rsa"))

    def test_commonName(self):
        """Counts where there is no other name."""
        self.assertEqual(read(NAMELESS.config).names, {"common.test"})

    def test_pkcs12(self):
        """One text with everything, behind a password."""
        data = serialize_key_and_certificates(
            b"x", ISSUED.key, ISSUED.certificate, None, BestAvailableEncryption(b"word")
        )
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(data)
        config = {"pkcs12": {"filename": path}, "password": {"inline_string": "word"}}

        self.assertEqual(read(config).leaf, ISSUED.certificate)
        self.assertIn("Failed to load pkcs12", self.problem(pkcs12={"filename": path}))
        self.assertIn("can't have both", self.problem(**config, **ISSUED.config))

    def test_mistakes(self):
        """In Envoy's words."""
        chain, key = ISSUED.config["certificate_chain"], ISSUED.config["private_key"]
        bad = {"inline_string": "garbage"}
        for config, words in (
            (
                {
                    "certificate_chain": {"filename": "/none/a.crt"},
                    "private_key": {"filename": "/none/a.key"},
                },
                "Failed to load incomplete private key from path: /none/a.key",
            ),
            ({"private_key": key}, "Failed to load incomplete certificate from "),
            (
                {"certificate_chain": bad, "private_key": key},
                "Failed to load certificate chain from <inline>",
            ),
            (
                {"certificate_chain": chain, "private_key": bad},
                "Failed to load private key from <inline>, Cause: ",
            ),
            (
                {"certificate_chain": chain, "private_key": RSA.config["private_key"]},
                "KEY_TYPE_MISMATCH",
            ),
            (
                {"certificate_chain": chain, "private_key": NAMELESS.config["private_key"]},
                "KEY_VALUES_MISMATCH",
            ),
            (
                {"certificate_chain": {"filename": "/"}, "private_key": key},
                "Failed to load incomplete certificate from /: certificate chain not set",
            ),
            (
                {"certificate_chain": chain, "private_key_provider": {"provider_name": "x"}},
                "Failed to load private key provider: x",
            ),
        ):
            self.assertIn(words, self.problem(**config))


class PickTests(SynchronousTestCase):
    """Which one a server name gets."""

    def setUp(self):
        self.rsa, self.own, self.other = (
            read(RSA.config),
            read(ISSUED.config),
            read(NAMELESS.config),
        )

    def pick(self, name, fullScan=False):
        return pickCertificates((self.rsa, self.own, self.other), name, fullScan)

    def test_names(self):
        """One of each type of key; RSA comes from elsewhere if it must."""
        self.assertEqual(self.pick("a.test"), (self.rsa, self.own))
        self.assertEqual(self.pick("x.b.test"), (self.own, self.rsa))
        self.assertEqual(self.pick("common.test"), (self.other, self.rsa))

    def test_onlyOneType(self):
        """A client without ECDSA gets RSA of the wildcard, of all, or of the first."""
        exact, wild, last = read(NAMELESS.config), read(WILD.config), self.rsa
        certificates = (exact, wild, last)
        self.assertEqual(pickCertificates(certificates, "x.common.test"), (wild,))
        self.assertEqual(pickCertificates(certificates, "common.test"), (exact,))
        self.assertEqual(pickCertificates(certificates, "common.test", True), (exact, wild))
        self.assertEqual(pickCertificates((self.own, last), "x.b.test"), (self.own,))

    def test_capitals(self):
        """Count, as in Envoy."""
        self.assertEqual(self.pick("A.test"), (self.rsa,))

    def test_unknown(self):
        """The first, unless all are to be looked at; no name gets one of each type."""
        self.assertEqual(self.pick("nobody.test"), (self.rsa,))
        self.assertEqual(self.pick("y.x.b.test"), (self.rsa,))
        self.assertEqual(self.pick("nobody.test", True), (self.rsa, self.own))
        self.assertEqual(self.pick(""), (self.rsa, self.own))
