"""Tests for twisted_envoy.extensions.transport_sockets.tls.downstream."""

from __future__ import annotations

from functools import partial

from cryptography.hazmat.primitives.hashes import SHA256
from twisted.internet.error import ConnectionDone
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from tests.extensions.transport_sockets.tls.support import (
    Context,
    End,
    Pair,
    client,
    server,
)

AUTHORITY = Authority()
SERVER = AUTHORITY.issue("server.test")
CLIENT = AUTHORITY.issue(common="client")
CA = {"trusted_ca": {"inline_string": AUTHORITY.pem}}
DOWN = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
UP = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"


class DownstreamTests(SynchronousTestCase):
    """A server and its clients, good and bad."""

    def meet(self, down=None, up=None, downMore=None, upMore=None, **kwargs):
        context = Context()
        common = {"tls_certificates": [SERVER.config], **(down or {})}
        tlsServer = server(context, {"common_tls_context": common, **(downMore or {})})
        tlsClient = client(context, {"common_tls_context": up or {}, **(upMore or {})})
        self.store = context.stats
        return Pair(context, tlsServer, tlsClient, **kwargs).pump()

    def counted(self, name):
        return self.store.counters[f"ssl.{name}"].value

    def test_done(self):
        """Both know of the other."""
        pair = self.meet(up={"validation_context": CA})

        self.assertEqual(pair.streamInfo.tls.version, "TLSv1.2")
        self.assertEqual(pair.streamInfo.tls.serverName, "server.test")
        self.assertEqual(pair.up.transport.tls.peer.names("DNS"), ["server.test"])
        self.assertTrue(pair.up.transport.tls.isTrusted)
        self.assertEqual(self.counted("handshake"), 2)

    def test_whoWaits(self):
        """They hear of the handshake, or of nothing."""
        for certificates, called in (([CLIENT.config], [1]), ([], [])):
            calls = []
            pair = self.meet(
                {"validation_context": CA},
                {"tls_certificates": certificates},
                {"require_client_certificate": True},
            )
            pair.streamInfo.tls.whenOpen(partial(calls.append, 1))
            self.assertEqual(calls, called)

    def test_clientCertificate(self):
        """It is required, shown and trusted."""
        pair = self.meet(
            {"validation_context": CA},
            {"tls_certificates": [CLIENT.config]},
            {"require_client_certificate": True},
        )

        self.assertEqual(pair.streamInfo.tls.peer.subject, "CN=client")
        issuer = pair.streamInfo.tls.issuer  # whom the client has not sent
        self.assertEqual(issuer.certificate, AUTHORITY.certificate)

    def test_pinned(self):
        """What is compared with a hash counts as verified; who issued it is not known."""
        hashes = [CLIENT.certificate.fingerprint(SHA256()).hex()]
        pair = self.meet(
            {"validation_context": {"verify_certificate_hash": hashes}},
            {"tls_certificates": [CLIENT.config]},
        )

        self.assertTrue(pair.streamInfo.tls.peerCertificateValidated)
        self.assertIsNone(pair.streamInfo.tls.issuer)

    def test_clientRefusedLate(self):
        """In TLS 1.3 it has a connection by then, which ends as after a close."""
        newest = {"tls_params": {"tls_maximum_protocol_version": "TLSv1_3"}}
        pair = self.meet({"validation_context": CA}, newest, {"require_client_certificate": True})

        self.assertIsInstance(pair.up.lost.value, ConnectionDone)
        self.assertEqual(pair.up.events, ["end", "lost"])

    def test_clientWithout(self):
        """It is required and not there: neither end has a connection."""
        pair = self.meet({"validation_context": CA}, downMore={"require_client_certificate": True})

        self.assertIn("PEER_DID_NOT", pair.streamInfo.downstreamTransportFailureReason)
        self.assertIsInstance(pair.down.lost.value, ConnectionDone)
        self.assertIn("ALERT_HANDSHAKE_FAILURE", pair.problem.value.transportFailureReason)
        self.assertEqual(self.counted("fail_verify_no_cert"), 1)

    def test_plainClient(self):
        """Plaintext where TLS is expected."""
        context = Context()
        tlsServer = server(context, {"common_tls_context": {"tls_certificates": [SERVER.config]}})
        pair = Pair(context, tlsServer, None).pump()
        pair.up.transport.write(b"GET / HTTP/1.1\r\n\r\n")
        pair.pump()

        self.assertIn("HTTP_REQUEST", pair.streamInfo.downstreamTransportFailureReason)
        self.assertIsInstance(pair.down.lost.value, ConnectionDone)
        self.assertEqual(pair.up.events, ["end"])

    def test_resetDuringTheHandshake(self):
        """A failure reason tells of it; the connection just ends, as in Envoy."""
        context = Context()
        tlsServer = server(context, {"common_tls_context": {"tls_certificates": [SERVER.config]}})
        end = End(lambda each: each.transport.write(b"\x16\x03\x01"))
        pair = Pair(context, tlsServer, None, up=end).pump()
        end.transport.abortConnection()
        pair.pump()

        self.assertIn("reset_by_peer", pair.streamInfo.downstreamTransportFailureReason)
        self.assertIsInstance(pair.down.lost.value, ConnectionDone)

    def test_handshakeIsGivenUp(self):
        """Somebody waits no longer: the wire is closed."""
        context = Context()
        tlsServer = server(context, {"common_tls_context": {"tls_certificates": [SERVER.config]}})
        pair = Pair(context, tlsServer, None).pump()
        transport = pair.down.transport

        self.assertTrue(transport.giveUpHandshake())
        self.assertFalse(transport.giveUpHandshake())
        pair.pump()
        self.assertIsInstance(pair.down.lost.value, ConnectionDone)
        self.assertFalse(self.meet().down.transport.giveUpHandshake())
