"""Tests for twisted_envoy.extensions.common.tls.staple, down to the handshakes."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import MUST_STAPLE, Authority, inlineBytes
from tests.extensions.support import configOf
from tests.extensions.transport_sockets.tls.support import Context, server
from twisted_envoy.codec.tls_record import TLSProblem, newRecord
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.tls.certificate import readCertificate

TYPE = "envoy.extensions.transport_sockets.tls.v3.TlsCertificate"
AUTHORITY = Authority()
OWN = AUTHORITY.issue("server.test")
RSA = AUTHORITY.issue("server.test", kind="rsa")
MUST = AUTHORITY.issue("server.test", extensions=[MUST_STAPLE])
REFUSED = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)


def stapled(issued, days=5):
    """A TlsCertificate with its OCSP response."""
    return {**issued.config, "ocsp_staple": inlineBytes(AUTHORITY.respond(issued, days))}


class ReadTests(SynchronousTestCase):
    """What is refused at the start."""

    def test_mistakes(self):
        """In Envoy's words."""
        unsuccessful = REFUSED.public_bytes(Encoding.DER)
        for source, words in (
            ({"inline_string": "x"}, "OCSP staple cannot be provided via inline_string"),
            (inlineBytes(b"garbage"), "OCSP response is malformed"),
            (inlineBytes(unsuccessful), "OCSP response was unsuccessful"),
            (
                inlineBytes(AUTHORITY.respond(RSA)),
                "OCSP response does not match its TLS certificate",
            ),
            ({"filename": "/none/x"}, "Invalid path: /none/x"),
        ):
            view = configOf(TYPE, {**OWN.config, "ocsp_staple": source})
            problem = self.assertRaises(ConfigError, readCertificate, view)
            self.assertIn(words, problem.problem)

    def test_empty(self):
        """Nothing is no staple."""
        path = self.mktemp()
        open(path, "w").close()
        view = configOf(TYPE, {**OWN.config, "ocsp_staple": {"filename": path}})

        self.assertIsNone(readCertificate(view).staple)


class ShakeTests(SynchronousTestCase):
    """What a client gets; observed with Envoy 1.40."""

    def shake(self, *certificates, asks=True, policy="LENIENT_STAPLING", ciphers=None):
        """The size of the staple, the reason for a refusal, or None."""
        self.context = Context()
        config = {"common_tls_context": {"tls_certificates": list(certificates)}}
        tls = server(self.context, {**config, "ocsp_staple_policy": policy})
        client = SSL.Context(SSL.TLS_CLIENT_METHOD)
        client.set_max_proto_version(SSL.TLS1_2_VERSION)
        if ciphers is not None:
            client.set_cipher_list(ciphers)
        got = []
        client.set_ocsp_client_callback(lambda connection, data, _: got.append(data) or True)
        down, up = newRecord(tls.contexts.current()[0].default, True), newRecord(client, False)
        if asks:
            up.connection.request_ocsp()
        try:
            up.feed(b"")
            for _ in range(4):
                down.feed(up.pull())
                up.feed(down.pull())
        except TLSProblem as problem:
            return problem.reasons
        return got[0] if got else None

    def counted(self):
        counters = self.context.stats.counters
        names = ("requests", "responses", "omitted", "failed")
        return [counters[f"ssl.ocsp_staple_{name}"].value for name in names]

    def test_good(self):
        """It is stapled, to clients that ask."""
        staple = AUTHORITY.respond(OWN)
        config = {**OWN.config, "ocsp_staple": inlineBytes(staple)}

        self.assertEqual(self.shake(config), staple)
        self.assertEqual(self.counted(), [1, 1, 0, 0])
        self.assertIsNone(self.shake(config, asks=False))
        self.assertEqual(self.counted(), [0, 0, 0, 0])

    def test_expired(self):
        """It is left out, or the connection is refused."""
        for days in (-1, None):
            old = stapled(OWN, days)
            self.assertEqual(self.shake(old), b"")
            self.assertEqual(self.counted(), [1, 0, 1, 0])
            for policy in ("STRICT_STAPLING", "MUST_STAPLE"):
                self.assertEqual(self.shake(old, policy=policy), ("CONNECTION_REJECTED",))
                self.assertEqual(self.counted(), [1, 0, 0, 1])
                self.assertIsNone(self.shake(old, policy=policy, asks=False))

    def test_none(self):
        """Strict is content without one."""
        self.assertEqual(self.shake(OWN.config, policy="STRICT_STAPLING"), b"")
        self.assertEqual(self.counted(), [1, 0, 1, 0])

    def test_mustStaple(self):
        """The certificate itself says so, whatever the policy."""
        self.assertTrue(self.shake(stapled(MUST)))
        self.assertEqual(self.shake(stapled(MUST, -1)), ("CONNECTION_REJECTED",))

    def test_several(self):
        """That of the certificate that is shown."""
        pair = (stapled(OWN), RSA.config)

        self.assertTrue(self.shake(*pair, ciphers=b"ECDHE-ECDSA-AES128-GCM-SHA256"))
        self.assertEqual(self.shake(*pair, ciphers=b"ECDHE-RSA-AES128-GCM-SHA256"), b"")
