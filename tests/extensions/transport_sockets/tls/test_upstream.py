"""Tests for twisted_envoy.extensions.transport_sockets.tls.upstream."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from tests.extensions.transport_sockets.tls.support import (
    Context,
    End,
    Pair,
    client,
    server,
)
from twisted_envoy.extensions.transport_sockets.tls.upstream import Wanted
from twisted_envoy.interfaces.sockets import ConnectOptions
from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
from twisted_envoy.internal.address import InternalAddress

AUTHORITY = Authority()
SERVER = AUTHORITY.issue("server.test")
CLIENT = AUTHORITY.issue(common="client")
CA = {"trusted_ca": {"inline_string": AUTHORITY.pem}}
DOWN = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
UP = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"


class UpstreamTests(SynchronousTestCase):
    """A client whose server is configured, or no TLS at all."""

    def meet(self, down=None, up=None, downMore=None, upMore=None, **kwargs):
        context = Context()
        common = {"tls_certificates": [SERVER.config], **(down or {})}
        tlsServer = server(context, {"common_tls_context": common, **(downMore or {})})
        tlsClient = client(context, {"common_tls_context": up or {}, **(upMore or {})})
        self.store = context.stats
        return Pair(context, tlsServer, tlsClient, **kwargs).pump()

    def test_cancelled(self):
        """Who waits no more gets no connection; the wire is reset."""
        context = Context()
        pair = Pair(context, None, client(context, {"common_tls_context": {}})).pump()
        pair.connecting.cancel()
        pair.pump()

        self.assertIsNotNone(pair.down.lost)
        self.assertIsNone(pair.up)

    def test_cancelledBeforeTheWire(self):
        """The same before there is any."""
        context = Context()
        pair = Pair(context, None, client(context, {"common_tls_context": {}}))
        pair.connecting.cancel()
        pair.pump()

        self.assertIsNone(pair.up)

    def test_raisingProtocol(self):
        """A protocol that raises when it is connected is told that it is gone."""

        def fail(end):
            raise ValueError("no")

        end = End(fail)
        pair = self.meet(up={}, **{"upMore": {}})
        context = pair.context
        pair.close()
        tlsServer = server(context, {"common_tls_context": {"tls_certificates": [SERVER.config]}})
        again = Pair(context, tlsServer, client(context, {"common_tls_context": {}}), up=end).pump()

        self.assertIsInstance(again.problem.value, ValueError)
        self.assertIsNotNone(end.lost)

    def test_sessions(self):
        """The next connection goes on where the last one was."""
        context = Context()
        tlsServer = server(context, {"common_tls_context": {"tls_certificates": [SERVER.config]}})
        for parameters, most, expected in (
            ({}, None, True),
            ({"tls_maximum_protocol_version": "TLSv1_3"}, 2, True),
            ({}, 0, False),
        ):
            config = {"common_tls_context": {"tls_params": parameters}}
            if most is not None:
                config["max_session_keys"] = most
            tlsClient = client(context, config)
            for _ in range(2):
                pair = Pair(context, tlsServer, tlsClient).pump()
                pair.down.transport.write(b"x")
                pair.pump()
                resumed = pair.up.transport.tls.isResumed
                pair.up.transport.abortConnection()
                pair.pump().close()
            self.assertEqual(resumed, expected, (parameters, most))

    def test_sessionsForOne(self):
        """A session of TLS 1.3 goes on once; what goes on at the same time begins anew."""
        context = Context()
        tlsServer = server(context, {"common_tls_context": {"tls_certificates": [SERVER.config]}})
        for newest, expected in (("TLSv1_2", [True, True]), ("TLSv1_3", [True, False])):
            parameters = {"tls_maximum_protocol_version": newest}
            tlsClient = client(context, {"common_tls_context": {"tls_params": parameters}})
            first = Pair(context, tlsServer, tlsClient).pump()
            first.down.transport.write(b"x")
            first.pump()
            first.up.transport.abortConnection()
            first.pump().close()
            resumed = []
            for _ in range(2):
                pair = Pair(context, tlsServer, tlsClient).pump()
                resumed.append(pair.up.transport.tls.isResumed)
                pair.close()
            self.assertEqual(resumed, expected)

    def test_plainServer(self):
        """TLS where plaintext is expected."""
        context = Context()
        end = End(lambda each: each.transport.write(b"220 hello\r\n"))
        pair = Pair(context, None, client(context, {"common_tls_context": {}}), end).pump()

        self.assertIn("WRONG_VERSION_NUMBER", pair.problem.value.transportFailureReason)

    def test_peerEndsDuringTheHandshake(self):
        """The server goes away: there is no reason to tell but that."""
        context = Context()
        end = End(lambda each: each.transport.loseWriteConnection())
        pair = Pair(context, None, client(context, {"common_tls_context": {}}), end).pump()

        self.assertEqual(pair.problem.value.transportFailureReason, "")

    def test_peerResetsDuringTheHandshake(self):
        """A reset is told."""
        context = Context()
        pair = Pair(context, None, client(context, {"common_tls_context": {}})).pump()
        pair.down.transport.abortConnection()
        pair.pump()

        self.assertIn("Connection_reset_by_peer", pair.problem.value.transportFailureReason)

    def test_refusedServer(self):
        """The client does not trust the server."""
        other = {"trusted_ca": {"inline_string": Authority("x").pem}}
        pair = self.meet(up={"validation_context": other})

        self.assertIn("CERTIFICATE_VERIFY_FAILED", pair.problem.value.transportFailureReason)
        self.assertIn("UNKNOWN_CA", pair.streamInfo.downstreamTransportFailureReason)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_protocols(self):
        """ALPN agrees on one."""
        pair = self.meet({"alpn_protocols": ["h2"]}, {"alpn_protocols": ["http/1.1", "h2"]})

        self.assertEqual(pair.streamInfo.tls.applicationProtocol, "h2")

    def test_serverNameIsChecked(self):
        """auto_sni_san_validation: the certificate must have the name that was asked for."""
        for name, good in (("server.test", True), ("other.test", False)):
            pair = self.meet(
                up={"validation_context": CA},
                upMore={"auto_sni_san_validation": True},
                name=name,
            )
            self.assertEqual(pair.up is not None, good)
        self.assertIn("SAN_matcher", pair.problem.value.transportFailureReason)

    def test_subjectNames(self):
        """Names that the request asks for, which are in vain where nobody says whom to trust."""
        for names, good in ((("x.test", "server.test"), True), (("x.test",), False)):
            pair = self.meet(up={"validation_context": CA}, names=names)
            self.assertEqual(pair.up is not None, good)
        self.assertIn("expected_SANs:_[x.test]", pair.problem.value.transportFailureReason)
        self.assertIsNone(self.meet(names=("server.test",)).up)

    def test_requestsNames(self):
        """What options ask for goes before the config, and separates pools."""
        socket = client(Context(), {"common_tls_context": {}, "sni": "own.test"})
        address = InternalAddress("nobody")
        cluster = SimpleNamespace(connectOptions=ConnectOptions())
        host = SimpleNamespace(hostname="", serverName="", address=address, cluster=cluster)
        plain = TransportSocketOptions()
        asking = (
            TransportSocketOptions(serverName="asked.test"),
            TransportSocketOptions(subjectNames=("a.test",)),
            TransportSocketOptions(onlyProtocols=(b"x",)),
        )
        self.assertEqual(len({socket.hashKey(one) for one in (plain, *asking)}), 4)

        for options, name in ((plain, b"own.test"), (asking[0], b"asked.test")):
            endpoint = socket.connectorFor(host, options)
            record = socket.newRecord(endpoint.wanted)
            record.feed(b"")
            self.assertIn(name, record.pull())

    def test_hostsNames(self):
        """A host's own name is asked for and checked; an address is only checked."""
        socket = client(Context(), {"common_tls_context": {}, "sni": "own.test"})
        address = InternalAddress("nobody")
        cluster = SimpleNamespace(connectOptions=ConnectOptions())
        for name, asked in (("host.test", "host.test"), ("10.0.0.1", "own.test")):
            host = SimpleNamespace(hostname="", serverName=name, address=address, cluster=cluster)
            wanted = socket.connectorFor(host, TransportSocketOptions()).wanted
            self.assertEqual((wanted.name, wanted.subjectNames), (asked, (name,)))

            options = TransportSocketOptions(subjectNames=("x.test",))
            wanted = socket.connectorFor(host, options).wanted
            self.assertEqual((wanted.name, wanted.subjectNames), ("own.test", ("x.test",)))

    def test_sessionsOfNames(self):
        """A session goes on only where the same names were verified."""
        context = Context()
        tlsServer = server(context, {"common_tls_context": {"tls_certificates": [SERVER.config]}})
        tlsClient = client(context, {"common_tls_context": {"validation_context": CA}})
        resumed = []
        for names in ((), ("server.test",), ("server.test",), ()):
            pair = Pair(context, tlsServer, tlsClient, names=names).pump()
            resumed.append(pair.up.transport.tls.isResumed)
            pair.up.transport.abortConnection()
            pair.pump().close()
        self.assertEqual(resumed, [False, False, True, False])
        self.assertIsNone(Pair(context, tlsServer, tlsClient, names=("x.test",)).pump().up)

    def test_socket(self):
        """It offers what its config or its pool says, and keys pools as the wire does."""
        socket = client(Context(), {"common_tls_context": {}})

        self.assertTrue(socket.isTLS and socket.supportsALPN)
        self.assertEqual(socket.hashKey(TransportSocketOptions()), ())
        record = socket.newRecord(Wanted("", (b"h2",)))
        record.feed(b"")
        self.assertIn(b"\x02h2", record.pull())
