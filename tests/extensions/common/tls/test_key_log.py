"""Tests for twisted_envoy.extensions.common.tls.key_log."""

from __future__ import annotations

import os

from OpenSSL import SSL
from twisted.internet.address import IPv4Address
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from twisted_envoy.codec.tls_record import Verdict
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.tls.key_log import readKeyLog
from twisted_envoy.internal.address import InternalAddress

TYPE = "envoy.extensions.transport_sockets.tls.v3.TlsKeyLog"
HERE = IPv4Address("TCP", "127.0.0.1", 443)
THERE = IPv4Address("TCP", "10.0.0.1", 1)


class Wire:
    """Has two ends."""

    def __init__(self, host, peer):
        self.getHost = lambda: host
        self.getPeer = lambda: peer


def ranges(*prefixes):
    """CidrRanges of eight bits."""
    return [{"address_prefix": each, "prefix_len": 8} for each in prefixes]


class KeyLogTests(SynchronousTestCase):
    """Lines of connections in a file."""

    def setUp(self):
        self.folder = os.path.abspath(self.mktemp())
        os.mkdir(self.folder)
        self.path = os.path.join(self.folder, "keys")

    def read(self, **fields):
        view = configOf(TYPE, {"path": self.path, **fields})
        found = readKeyLog(view)
        self.assertEqual(unreadFields(view), [])
        return found

    def connection(self, host=HERE, peer=THERE):
        made = SSL.Connection(SSL.Context(SSL.TLS_METHOD))
        verdict = Verdict()
        verdict.wire = Wire(host, peer)
        made.set_app_data(verdict)
        return made

    def test_lines(self):
        """They go to the end of the file; one that goes away later is no more than told."""
        log, connection = self.read(), self.connection()
        log(connection, b"one")
        log(connection, b"two")
        with open(self.path, "rb") as file:
            self.assertEqual(file.read(), b"one\ntwo\n")

        os.unlink(self.path)
        os.rmdir(self.folder)
        log(connection, b"three")

    def test_ranges(self):
        """Both ends count where they are asked for; an internal connection is in no range."""
        hop = InternalAddress("a")
        for fields, host, isTold in (
            ({"local_address_range": ranges("127.0.0.0")}, HERE, True),
            ({"local_address_range": ranges("10.0.0.0")}, HERE, False),
            ({"remote_address_range": ranges("1.0.0.0", "10.0.0.0")}, HERE, True),
            ({"remote_address_range": ranges("127.0.0.0")}, HERE, False),
            (
                {
                    "local_address_range": ranges("127.0.0.0"),
                    "remote_address_range": ranges("127.0.0.0"),
                },
                HERE,
                False,
            ),
            ({"local_address_range": ranges("127.0.0.0")}, hop, False),
            ({}, hop, True),
        ):
            self.read(**fields)(self.connection(host), b"x")
            with open(self.path, "r+b") as file:
                self.assertEqual(bool(file.read()), isTold, fields)
                file.truncate(0)

    def test_none(self):
        """Nobody listens."""
        self.assertIsNone(readKeyLog(None))

    def test_mistakes(self):
        """In Envoy's words where it has some."""
        self.path = "/none/x"
        problem = self.assertRaises(ConfigError, self.read).problem
        self.assertIn("unable to open file '/none/x': No such file", problem)
        self.path = os.path.join(self.folder, "keys")
        for field in ("local_address_range", "remote_address_range"):
            problem = self.assertRaises(ConfigError, self.read, **{field: ranges("x")}).problem
            self.assertIn("invalid ip/mask combo 'x/8'", problem)
