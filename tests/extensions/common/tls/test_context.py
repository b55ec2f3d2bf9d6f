"""Tests for twisted_envoy.extensions.common.tls.context."""

from __future__ import annotations

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from tests.extensions.support import configOf
from twisted_envoy.codec.tls_info import TLSInfo
from twisted_envoy.codec.tls_record import newRecord
from twisted_envoy.extensions.common.tls.certificate import readCertificate
from twisted_envoy.extensions.common.tls.context import (
    ContextSettings,
    ServerContexts,
    ServerSettings,
    clientContext,
)
from twisted_envoy.extensions.common.tls.parameters import Parameters
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.extensions.common.tls.verifier import Verifier
from twisted_envoy.stats.scope import Store

TYPE = "envoy.extensions.transport_sockets.tls.v3.TlsCertificate"
AUTHORITY = Authority()
RSA = AUTHORITY.issue("a.test", kind="rsa")
ECDSA = AUTHORITY.issue("a.test")
OTHER = AUTHORITY.issue("b.test")


def certificates(*issued):
    """Certificates of Issued."""
    return tuple(readCertificate(configOf(TYPE, each.config)) for each in issued)


def settings(protocols=(), parameters=None, keyLog=None):
    """ContextSettings that verify nobody."""
    verifier = Verifier(TLSStats(Store().scope("ssl.")))
    return ContextSettings(parameters or Parameters(), verifier, protocols, keyLog)


def shake(contexts, client, name=b"", session=None):
    """What the client knows after the handshake, and its connection."""
    down, up = newRecord(contexts.default, True), newRecord(client, False)
    if name:
        up.connection.set_tlsext_host_name(name)
    if session is not None:
        up.connection.set_session(session)
    up.feed(b"")
    for _ in range(4):
        down.feed(up.pull())
        up.feed(down.pull())
    up.feed(down.end())
    return TLSInfo(up.connection), up.connection


class ContextTests(SynchronousTestCase):
    """Servers and clients."""

    def test_serverNames(self):
        """Each name gets its certificate."""
        contexts = ServerContexts(settings(), certificates(RSA, OTHER), ServerSettings())
        client = clientContext(settings(), ())

        for name, issued in ((b"a.test", RSA), (b"b.test", OTHER), (b"c.test", RSA)):
            info, _connection = shake(contexts, client, name)
            self.assertEqual(info.peer.certificate, issued.certificate, name)

    def test_keyTypes(self):
        """A client gets the certificate that it can verify."""
        contexts = ServerContexts(settings(), certificates(RSA, ECDSA), ServerSettings())
        for cipher, issued in (
            ("ECDHE-RSA-AES128-GCM-SHA256", RSA),
            ("ECDHE-ECDSA-AES128-GCM-SHA256", ECDSA),
        ):
            parameters = Parameters(newest=SSL.TLS1_2_VERSION, ciphers=cipher)
            info, _connection = shake(
                contexts, clientContext(settings(parameters=parameters), ()), b"a.test"
            )
            self.assertEqual(info.peer.certificate, issued.certificate)

    def test_protocols(self):
        """The server's first that the client offers; none is no failure."""
        contexts = ServerContexts(
            settings((b"h2", b"http/1.1")), certificates(ECDSA), ServerSettings()
        )
        for offered, chosen in (
            ((b"http/1.1", b"h2"), "h2"),
            ((b"http/1.1",), "http/1.1"),
            ((b"other",), ""),
            ((), ""),
        ):
            info, _connection = shake(contexts, clientContext(settings(offered), ()))
            self.assertEqual(info.applicationProtocol, chosen)

    def resumes(self, server, newest):
        contexts = ServerContexts(settings(), certificates(ECDSA), server)
        client = clientContext(settings(parameters=Parameters(newest=newest)), ())
        _info, connection = shake(contexts, client)
        return shake(contexts, client, session=connection.get_session())[0].isResumed

    def test_sessions(self):
        """Go on by ticket or by cache, unless both are off."""
        for newest in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
            self.assertTrue(self.resumes(ServerSettings(), newest))
            self.assertTrue(self.resumes(ServerSettings(cache=False), newest))
            self.assertTrue(self.resumes(ServerSettings(tickets=False), newest))
        off = ServerSettings(tickets=False, cache=False)
        self.assertFalse(self.resumes(off, SSL.TLS1_2_VERSION))

    def test_sessionTimeout(self):
        """Is the library's to keep."""
        contexts = ServerContexts(settings(), certificates(ECDSA), ServerSettings(timeout=7))

        self.assertEqual(contexts.default.get_timeout(), 7)

    def test_keyLog(self):
        """Gets a line for each secret."""
        lines = []
        contexts = ServerContexts(
            settings(keyLog=lambda each, line: lines.append(line)),
            certificates(ECDSA),
            ServerSettings(),
        )
        shake(contexts, clientContext(settings(), ()))

        self.assertTrue(any(b"CLIENT" in line for line in lines))

    def test_noRenegotiation(self):
        """A client that begins anew is refused, and nothing else happens."""
        contexts = ServerContexts(settings(), certificates(ECDSA), ServerSettings())
        client = SSL.Context(SSL.TLS_CLIENT_METHOD)
        client.set_max_proto_version(SSL.TLS1_2_VERSION)
        down, up = newRecord(contexts.default, True), newRecord(client, False)
        up.feed(b"")
        for _ in range(3):
            down.feed(up.pull())
            up.feed(down.pull())

        up.connection.renegotiate()
        self.assertRaises(SSL.WantReadError, up.connection.do_handshake)
        self.assertEqual(down.feed(up.pull()), b"")
        self.assertIsNone(down.broken)
        self.assertEqual(down.connection.total_renegotiations(), 0)
