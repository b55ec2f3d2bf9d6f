"""Socket options of a config."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from twisted_envoy.server.build_options import BOUND, keepaliveOptions, socketOptions


def option(**fields):
    """A config.core.v3.SocketOption as a View."""
    return configOf("envoy.config.core.v3.SocketOption", {"level": 1, "name": 2, **fields})


class SocketOptionTests(SynchronousTestCase):
    """What setsockopt takes."""

    def test_values(self):
        """A number or bytes, in the config's order; a description is a remark."""
        given = (option(int_value=7, description="x"), option(buf_value="aGk="))
        self.assertEqual(socketOptions(given), [(1, 2, 7), (1, 2, b"hi")])
        for one in given:
            self.assertEqual(unreadFields(one), [])

    def test_states(self):
        """Each for its own state only."""
        given = (option(int_value=1), option(int_value=2, state="STATE_BOUND"))
        self.assertEqual(socketOptions(given), [(1, 2, 1)])
        self.assertEqual(socketOptions(given, BOUND), [(1, 2, 2)])

    def test_kinds(self):
        """One for datagram sockets is for none of ours."""
        given = (
            option(int_value=1, type={"datagram": {}}),
            option(int_value=2, type={"stream": {}}),
            option(int_value=3, type={}),
        )
        self.assertEqual(socketOptions(given), [(1, 2, 2), (1, 2, 3)])


class KeepaliveTests(SynchronousTestCase):
    """TcpKeepalive."""

    def options(self, **fields):
        return keepaliveOptions(configOf("envoy.config.core.v3.TcpKeepalive", fields))

    def test_all(self):
        """Every field is an option."""
        self.assertEqual(
            self.options(keepalive_probes=3, keepalive_time=60, keepalive_interval=5),
            [
                (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
                (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
                (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
                (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
            ],
        )

    def test_none(self):
        """Without any it is switched on."""
        self.assertEqual(self.options(), [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)])
