"""Tests for twisted_envoy.codec.tls_info."""

from __future__ import annotations

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.test_tls_record import CLIENT, CLIENT_12, SERVER, SERVER_12, shaken
from tests.extensions.common.tls.pki import Authority
from twisted_envoy.codec.tls_info import CertificateInfo, TLSInfo
from twisted_envoy.codec.tls_record import newRecord

AUTHORITY = Authority("root")


class TLSInfoTests(SynchronousTestCase):
    """Of a connection."""

    def test_whenOpen(self):
        """Calls wait for the handshake, in order; behind it they are made at once."""
        info, calls = TLSInfo(None), []
        info.whenOpen(lambda: calls.append(1))
        info.whenOpen(lambda: calls.append(2))
        self.assertEqual(calls, [])

        info.opened()
        info.whenOpen(lambda: calls.append(3))

        self.assertEqual(calls, [1, 2, 3])

    def test_neverOpen(self):
        """Nothing is called."""
        info, calls = TLSInfo(None), []
        info.whenOpen(lambda: calls.append(1))
        info.failed()
        info.opened()
        self.assertEqual(calls, [])

    def test_done(self):
        """What was agreed on, and who is there."""
        down, up = shaken(SERVER, CLIENT)
        server, client = TLSInfo(down.connection), TLSInfo(up.connection, True)

        self.assertEqual((server.version, client.version), ("TLSv1.3", "TLSv1.3"))
        self.assertTrue(server.cipher.startswith("TLS_"))
        self.assertEqual(server.cipher, client.cipher)
        self.assertIsNone(server.peer)
        self.assertIsNone(TLSInfo(down.connection, isAsked=False).peer)
        self.assertEqual(server.peerChain, ())
        self.assertEqual(client.peer.names("DNS"), ["server.test"])
        self.assertEqual(server.local.sha256, client.peer.sha256)
        self.assertEqual([each.sha1 for each in client.peerChain], [client.peer.sha1])
        self.assertIsNone(client.local)
        self.assertEqual((server.serverName, server.applicationProtocol), ("", ""))
        self.assertTrue(client.isTrusted)
        self.assertFalse(client.isResumed)
        self.assertTrue(client.peerCertificatePresented and client.peerCertificateValidated)
        self.assertFalse(server.peerCertificatePresented or server.peerCertificateValidated)
        up.verdict.isTolerated = True
        self.assertFalse(client.peerCertificateValidated)

    def test_agreed(self):
        """The same for two of a kind, another one for another version."""
        one, two, old = (
            TLSInfo(shaken(*contexts)[0].connection)
            for contexts in ((SERVER, CLIENT), (SERVER, CLIENT), (SERVER_12, CLIENT_12))
        )
        self.assertEqual((one.agreed, hash(one.agreed)), (two.agreed, hash(two.agreed)))
        self.assertNotEqual(one.agreed, old.agreed)

    def test_signature(self):
        """Of the peer's key; nothing is signed where the key encrypts."""
        issued = AUTHORITY.issue("server.test", kind="rsa")
        server = SSL.Context(SSL.TLS_SERVER_METHOD)
        server.use_certificate(issued.certificate)
        server.use_privatekey(issued.key)
        for ciphers, expected in (("ECDHE", "rsa_pss_rsae_sha256"), ("AES128-SHA", "")):
            client = SSL.Context(SSL.TLS_CLIENT_METHOD)
            client.set_max_proto_version(SSL.TLS1_2_VERSION)
            client.set_cipher_list(ciphers.encode())
            _, up = shaken(server, client)
            self.assertEqual(TLSInfo(up.connection).signature, expected)

    def test_sessionID(self):
        """Of TLS 1.2 both ends have the same when a session goes on; of 1.3 there is none."""
        down, up = shaken(SERVER_12, CLIENT_12)
        own = TLSInfo(up.connection).sessionID
        self.assertEqual(TLSInfo(down.connection).sessionID, "")
        self.assertRegex(own, "^[0-9a-f]{64}$")

        again = newRecord(SERVER_12, True), newRecord(CLIENT_12, False)
        again[1].connection.set_session(up.connection.get_session())
        again[1].feed(b"")
        for _ in range(3):
            again[0].feed(again[1].pull())
            again[1].feed(again[0].pull())
        self.assertEqual([TLSInfo(each.connection).sessionID for each in again], [own, own])

        newest = shaken(SERVER, CLIENT)
        self.assertEqual([TLSInfo(each.connection).sessionID for each in newest], ["", ""])
        self.assertEqual(TLSInfo(newRecord(SERVER, True).connection).sessionID, "")

    def test_group(self):
        """As BoringSSL names it."""
        down, _up = shaken(SERVER_12, CLIENT_12)

        self.assertIn(TLSInfo(down.connection).group, ("X25519", "P-256", "X25519MLKEM768"))

    def test_before(self):
        """Before anything is agreed on it is as Envoy says."""
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        info = TLSInfo(newRecord(context, True).connection)

        self.assertEqual((info.version, info.cipher, info.group), ("TLSv1.2", "", ""))
        self.assertEqual(info.sessionID, "")


class CertificateInfoTests(SynchronousTestCase):
    """Of a certificate."""

    def test_texts(self):
        """Names, numbers, times."""
        issued = AUTHORITY.issue("a.test", "10.1.2.3", common="me", uris=["spiffe://a"], serial=10)
        info = CertificateInfo(issued.certificate)

        self.assertEqual((info.subject, info.issuer, info.serial), ("CN=me", "CN=root", "0a"))
        self.assertEqual(info.names(), ["a.test", "10.1.2.3", "spiffe://a"])
        self.assertEqual(info.names("IP_ADDRESS"), ["10.1.2.3"])
        self.assertEqual(info.names("EMAIL"), [])
        self.assertLess(info.begins, info.ends)
        self.assertEqual((len(info.sha256), len(info.sha1)), (64, 40))
        self.assertIn("BEGIN%20CERTIFICATE", info.encoded)

    def test_noNames(self):
        """A certificate without alternative names."""
        self.assertEqual(CertificateInfo(AUTHORITY.certificate).names("DNS"), [])
