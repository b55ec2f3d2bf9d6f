"""Tests for `twisted_envoy.server.admin.listener`."""

from __future__ import annotations

import os
import tempfile
from types import SimpleNamespace
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, UNIXClientEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from tests.server.admin.support import PageTestCase
from tests.server.fakes import FakeServer
from twisted_envoy.access_log.file import AccessLogError
from twisted_envoy.access_log.manager import MemoryAccessLogManager
from twisted_envoy.config.unread import reportUnread
from twisted_envoy.errors import ConfigError
from twisted_envoy.internal import getRegistry
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.server.admin.listener import Admin, buildAdmin
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.sockets.endpoints import ReactorSockets
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

STRUCT = "{'@type': type.googleapis.com/google.protobuf.Struct, value: {}}"


class BuildTests(PageTestCase):
    """Reading the bootstrap's `admin`."""

    def build(self, text: str, logs: Any = None) -> Admin | None:
        """The admin interface of an `admin` block."""
        self.server = self.makeServer(f"admin: {text}")
        self.logs = MemoryAccessLogManager()
        context: Any = SimpleNamespace(reactor=self.clock, sockets=None, accessLogs=self.logs)
        return buildAdmin(self.server.bootstrap.admin, self.server, context, logs)

    def built(self, text: str, logs: Any = None) -> Any:
        """The same, with an address."""
        admin = self.build(text, logs)
        assert admin is not None
        return admin

    def test_noAddress(self) -> None:
        """Then there is no admin interface."""
        self.assertIsNone(self.build("{}"))

    def test_noAddressButLogs(self) -> None:
        """Nobody reads them, and nothing is reported as unsupported."""
        text = "{access_log: [{name: x}], access_log_path: /log, allow_paths: [{exact: /}]}"
        self.assertIsNone(self.build(text, lambda views, context: ("logger",)))
        self.assertEqual(self.logs.files, {})
        unread = [str(error) for error in reportUnread(self.server.bootstrap)]
        self.assertEqual([line for line in unread if "access_log" not in line], [])

    def test_addresses(self) -> None:
        """IPv4, IPv6 and a pipe."""
        for text, address in (
            (
                "socket_address: {address: 127.0.0.1, port_value: 1}",
                IPv4Address("TCP", "127.0.0.1", 1),
            ),
            ("socket_address: {address: '::1', port_value: 1}", IPv6Address("TCP", "::1", 1)),
            ("pipe: {path: /a/b, mode: 384}", UNIXAddress(b"/a/b")),
        ):
            self.assertEqual(self.built(f"{{address: {{{text}}}}}").address, address)
        self.assertEqual(
            self.built("{address: {pipe: {path: /a, mode: 384}}}")._options.pipeMode, 384
        )

    def test_wrongAddresses(self) -> None:
        """What is not of this kernel."""
        for text, problem in (
            ("envoy_internal_address: {server_listener_name: x}", "a socket_address or a pipe"),
            ("socket_address: {address: foo, port_value: 1}", "malformed IP address: foo"),
        ):
            error = self.assertRaises(ConfigError, self.build, f"{{address: {{{text}}}}}")
            self.assertIn(problem, str(error))
            self.assertIn("admin.address", str(error))

    def test_everythingIsRead(self) -> None:
        """No field of Admin that we obey, or that makes no difference, is reported."""
        text = """
  address: {socket_address: {address: 127.0.0.1, port_value: 1, ipv4_compat: true}}
  profile_path: /tmp/x
  ignore_global_conn_limit: true
  allow_paths: [{exact: /ready}]
  access_log: [{name: x}]
  socket_options: [{level: 1, name: 2, int_value: 1, state: STATE_PREBIND}]
"""
        self.built(text, lambda views, context: tuple(view.name for view in views))
        unread = [str(error) for error in reportUnread(self.server.bootstrap)]
        self.assertEqual([line for line in unread if "admin" in line], [])

    def test_accessLogs(self) -> None:
        """They are built by access_log's own builder, with the context."""
        seen: list[Any] = []

        def build(views: Any, context: Any) -> tuple[Any, ...]:
            seen.append(([view.name for view in views], context.reactor))
            return ("logger",)

        admin = self.built("{address: {pipe: {path: /a}}, access_log: [{name: x}]}", build)
        self.assertEqual(seen, [(["x"], self.clock)])
        self.assertEqual(admin.factory._accessLogs, ("logger",))

    def test_access_log_path(self) -> None:
        """A file in the default format, beside the others."""
        text = "{address: {pipe: {path: /a}}, access_log: [{name: x}], access_log_path: /log}"
        admin = self.built(text, lambda views, context: ("logger",))
        other, log = admin.factory._accessLogs
        self.assertEqual(other, "logger")
        log.log(FormatContext(StreamInfo(0.0)))
        (line,) = self.logs.lines("/log")
        self.assertTrue(line.startswith("[1970-01-01T00:00:00.000Z] "), line)

    def test_access_log_pathThatCannotBeOpened(self) -> None:
        """The field is named."""

        def cannot(path: str) -> None:
            raise AccessLogError("unable to open file '/log': no")

        self.patch(MemoryAccessLogManager, "open", lambda self, path: cannot(path))
        text = "{address: {pipe: {path: /a}}, access_log_path: /log}"
        error = self.assertRaises(ConfigError, self.build, text)
        self.assertIn("admin.access_log_path: unable to open file '/log': no", str(error))

    def allowed(self, matchers: str, path: str) -> int:
        """The status of a path under `allow_paths`."""
        admin = self.built(f"{{address: {{pipe: {{path: /a}}}}, allow_paths: {matchers}}}")
        status: int = admin.factory.router.answer("GET", path).code
        return status

    def test_allowPaths(self) -> None:
        """Each kind of matcher."""
        for matcher, path, status in (
            ("{exact: /ready}", "/ready", 200),
            ("{exact: /ready}", "/ready?x", 403),
            ("{prefix: /re}", "/ready", 200),
            ("{suffix: ady}", "/ready", 200),
            ("{contains: ead}", "/ready", 200),
            ("{exact: /READY, ignore_case: true}", "/ready", 200),
            ("{safe_regex: {regex: /r.*}}", "/ready", 200),
            ("{safe_regex: {regex: /r}}", "/ready", 403),
        ):
            self.assertEqual(self.allowed(f"[{{exact: /no}}, {matcher}]", path), status, matcher)

    def test_wrongMatchers(self) -> None:
        """A bad pattern, and a kind of matcher that is not there."""
        for matcher, text in (
            ("{safe_regex: {regex: (}}", "missing ): ("),
            (f"{{custom: {{name: x, typed_config: {STRUCT}}}}}", "not supported for admin paths"),
        ):
            error = self.assertRaises(ConfigError, self.allowed, f"[{matcher}]", "/ready")
            self.assertIn(text, str(error))


class Collector(Protocol):
    """Asks /ready and keeps what comes until the end."""

    def __init__(self) -> None:
        self.data = b""
        self.ended: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(b"GET /ready HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.ended.callback(self.data)


class ServingTests(TestCase):
    """On real sockets of our own."""

    def admin(self, address: str, path: str = "") -> Admin:
        """An admin interface that does not yet listen."""
        server = FakeServer(
            f"admin: {{address: {{{address}}}}}", reactor, ServerOptions(adminAddressPath=path)
        )
        sockets = ReactorSockets(reactor, getRegistry(reactor).turn)
        context: Any = SimpleNamespace(reactor=reactor, sockets=sockets)
        admin = buildAdmin(server.bootstrap.admin, server, context, lambda views, context: ())
        assert admin is not None
        return admin

    @inlineCallbacks
    def exchange(self, endpoint: Any) -> Any:
        """One request, one answer."""
        collector = yield endpoint.connect(Factory.forProtocol(Collector))
        answer = yield collector.ended
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer)
        self.assertTrue(answer.endswith(b"5\r\nLIVE\n\r\n0\r\n\r\n"))

    @inlineCallbacks
    def test_serves(self) -> Any:
        """Port 0 becomes a real port, written to the address file."""
        path = self.mktemp()
        admin = self.admin("socket_address: {address: 127.0.0.1, port_value: 0}", path)
        yield admin.listen()
        address: Any = admin.address
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), f"127.0.0.1:{address.port}")
        yield self.exchange(TCP4ClientEndpoint(reactor, "127.0.0.1", address.port))
        yield admin.stop()
        yield admin.stop()

    @inlineCallbacks
    def test_pipe(self) -> Any:
        """On a Unix socket, which is gone afterwards."""
        folder = tempfile.mkdtemp()  # trial's own paths are too long for a socket
        self.addCleanup(os.rmdir, folder)
        path = os.path.join(folder, "admin.sock")
        admin = self.admin(f"pipe: {{path: {path}}}")
        yield admin.listen()
        yield self.exchange(UNIXClientEndpoint(reactor, path))
        yield admin.stop()
        self.assertFalse(os.path.exists(path))

    @inlineCallbacks
    def test_openConnectionsAreClosed(self) -> Any:
        """Stopping does not wait for idle clients."""
        admin = self.admin("socket_address: {address: 127.0.0.1, port_value: 0}")
        yield admin.listen()
        address: Any = admin.address
        quiet = Factory.forProtocol(Collector)
        collector = yield TCP4ClientEndpoint(reactor, "127.0.0.1", address.port).connect(quiet)
        yield collector.ended
        yield admin.stop()
        self.assertEqual(admin.factory._channels, set())

    @inlineCallbacks
    def test_portInUse(self) -> Any:
        """The second one fails."""
        first = self.admin("socket_address: {address: 127.0.0.1, port_value: 0}")
        yield first.listen()
        address: Any = first.address
        second = self.admin(f"socket_address: {{address: 127.0.0.1, port_value: {address.port}}}")
        yield self.assertFailure(second.listen(), CannotListenError)
        yield first.stop()

    @inlineCallbacks
    def test_addressFileThatCannotBeWritten(self) -> Any:
        """Only a line in the log, as in Envoy."""
        admin = self.admin("socket_address: {address: 127.0.0.1, port_value: 0}", "/nonexistent/x")
        yield admin.listen()
        self.assertNotIsInstance(admin.address, InternalAddress)
        yield admin.stop()
