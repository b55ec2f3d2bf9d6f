"""Tests for twisted_envoy.extensions.common.tls.peer_chain."""

from __future__ import annotations

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from twisted_envoy.codec.tls_record import TLSProblem, newRecord
from twisted_envoy.extensions.common.tls.peer_chain import verifyWith

AUTHORITY = Authority()
OWN = AUTHORITY.issue("server.test")


class VerifyWithTests(SynchronousTestCase):
    """A client looks at a server's certificates, of which there are two."""

    def verify(self, verify, trusted=()):
        """The client's record, and what went wrong at both ends."""
        server = SSL.Context(SSL.TLS_SERVER_METHOD)
        server.use_certificate(OWN.certificate)
        server.use_privatekey(OWN.key)
        server.add_extra_chain_cert(AUTHORITY.certificate)
        client = SSL.Context(SSL.TLS_CLIENT_METHOD)
        client.set_max_proto_version(SSL.TLS1_2_VERSION)
        verifyWith(client, SSL.VERIFY_PEER, verify, trusted)
        down, up = newRecord(server, True), newRecord(client, False)
        problems = []
        up.feed(b"")
        for _ in range(4):
            for source, target in ((up, down), (down, up)):
                try:
                    target.feed(source.pull())
                except TLSProblem as problem:
                    problems.append(problem)
        return up, problems

    def test_accepted(self):
        """Nothing is kept."""
        up, problems = self.verify(lambda *given: True)
        self.assertEqual((problems, up.isOpen, up.verdict.shown), ([], True, ()))

    def test_refused(self):
        """All that was shown is, but who is trusted."""
        for trusted, more in (((), [AUTHORITY.certificate]), ([AUTHORITY.certificate], [])):
            up, _ = self.verify(lambda *given: False, trusted)
            self.assertEqual(list(up.verdict.shown), [OWN.certificate, *more])

    def test_alert(self):
        """A chain that is right, of somebody who is not wanted: the peer is told no more."""
        _, problems = self.verify(lambda connection, each, code, depth, good: not good)
        self.assertEqual(problems[0].reasons, ("CERTIFICATE_VERIFY_FAILED",))

        refused = lambda connection, each, code, depth, good: not good or depth > 0  # noqa: E731
        _, problems = self.verify(refused)
        self.assertEqual(problems[1].reasons, ("SSLV3_ALERT_CERTIFICATE_UNKNOWN",))

    def test_raising(self):
        """What the function raises is raised by the handshake."""
        self.assertRaises(ZeroDivisionError, self.verify, lambda *given: 1 / 0)
