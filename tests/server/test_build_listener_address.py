"""Where a listener listens, and how its sockets are made."""

from __future__ import annotations

import socket

from tests.bootstraps import addressOf, bootstrap, echo, listener
from tests.server.refusing import RefusalTestCase
from twisted_envoy.testing import MemoryEnvoy

KEEPALIVE = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def one(address="127.0.0.1:1", **fields):
    """A bootstrap with listener A."""
    return bootstrap([listener("A", address, echo(), **fields)])


class RefusalTests(RefusalTestCase):
    """What Envoy refuses."""

    def test_udp(self):
        """A UDP listener with filter chains; without any it is not implemented."""
        address = {"socket_address": {"address": "127.0.0.1", "port_value": 1, "protocol": "UDP"}}
        made = listener("A", "127.0.0.1:1", echo())
        made["address"] = address
        self.assertRefused(
            bootstrap([made]),
            "error adding listener '127.0.0.1:1': 1 filter chain(s) specified for "
            "connection-less UDP listener.",
        )
        del made["filter_chains"]
        self.assertRefused(bootstrap([made]), "UDP is not implemented by twisted_envoy")
        made["filter_chains"] = [{}]
        made["udp_listener_config"] = {"quic_options": {}}
        self.assertRefused(bootstrap([made]), "QUIC is not implemented by twisted_envoy")

    def test_mixed(self):
        """TCP and UDP in one listener."""
        udp = {"socket_address": {"address": "127.0.0.1", "port_value": 1, "protocol": "UDP"}}
        text = one(additional_addresses=[{"address": udp}])
        self.assertRefused(text, "listener A: has different socket type.", '"address"')

    def test_additional(self):
        """An additional address that is none, or internal."""
        self.assertRefused(one(additional_addresses=[{}]), "address is necessary")
        text = one(additional_addresses=[{"address": addressOf("internal:x")}])
        self.assertRefused(text, "use internal_listener field instead of address")

    def test_compatible(self):
        """ipv4_compat is for `::` and mapped addresses."""
        made = listener("A", "127.0.0.1:1", echo())
        made["address"]["socket_address"]["ipv4_compat"] = True
        problem = "Only IPv6 address '::' or valid IPv4-mapped IPv6 address can set ipv4_compat"
        self.assertRefused(bootstrap([made]), problem, '"ipv4_compat"')

    def test_mptcp(self):
        """MPTCP on a pipe."""
        problem = "listener A: enable_mptcp can only be used with IP addresses"
        self.assertRefused(one("/tmp/x", enable_mptcp=True), problem, '"enable_mptcp"')
        MemoryEnvoy(one("/tmp/x", enable_mptcp=False))

    def test_balance(self):
        """A balance extension; exact_balance is what one worker does anyway."""
        MemoryEnvoy(one(connection_balance_config={"exact_balance": {}}))
        kind = "envoy.extensions.filters.network.echo.v3.Echo"
        extension = {"name": "x", "typed_config": {"@type": f"type.googleapis.com/{kind}"}}
        text = one(connection_balance_config={"extend_balance": extension})
        self.assertRefused(text, f"Didn't find a registered implementation for type: '{kind}'")


class OptionTests(RefusalTestCase):
    """What the sockets are told; a memory version hears it in the place of the kernel."""

    def options(self, text):
        heard = []
        envoy = MemoryEnvoy(bootstrap([]))
        plain = type(envoy.sockets).serverEndpoint

        def hear(sockets, address, options):
            heard.append(options)
            return plain(sockets, address, options)

        self.patch(type(envoy.sockets), "serverEndpoint", hear)
        MemoryEnvoy(text)
        return heard

    def test_defaults(self):
        """reuse_port, and as many in the backlog as the system allows."""
        (options,) = self.options(one())
        self.assertTrue(options.reusePort)
        self.assertGreaterEqual(options.backlog, 128)
        self.assertFalse(options.freebind or options.transparent or options.ipv4Compat)
        self.assertEqual(options.options, ())

    def test_given(self):
        """Every field has its option."""
        (options,) = self.options(
            one(
                tcp_backlog_size=7,
                enable_reuse_port=False,
                freebind=True,
                transparent=True,
                tcp_fast_open_queue_length=5,
                max_connections_to_accept_per_socket_event=3,
                tcp_keepalive={},
                socket_options=[{"level": 9, "name": 8, "int_value": 7}],
            )
        )
        self.assertEqual((options.backlog, options.reusePort, options.acceptBatch), (7, False, 3))
        self.assertTrue(options.freebind and options.transparent)
        self.assertIn((9, 8, 7), options.options)
        self.assertIn((socket.IPPROTO_TCP, 23, 5), options.options)
        self.assertIn(KEEPALIVE, options.options)

    def test_pipeMode(self):
        """A pipe's mode."""
        made = listener("A", "/tmp/x", echo())
        made["address"]["pipe"]["mode"] = 0o600
        (options,) = self.options(bootstrap([made]))
        self.assertEqual(options.pipeMode, 0o600)

    def test_compatible(self):
        """ipv4_compat."""
        made = listener("A", ":::1", echo())
        made["address"]["socket_address"]["ipv4_compat"] = True
        (options,) = self.options(bootstrap([made]))
        self.assertTrue(options.ipv4Compat)

    def test_additional(self):
        """An additional address has its own options, or the listener's."""
        own = {"socket_options": {"socket_options": [{"level": 1, "name": 1, "int_value": 1}]}}
        listened = self.options(
            one(
                socket_options=[{"level": 9, "name": 8, "int_value": 7}],
                additional_addresses=[
                    {"address": addressOf("127.0.0.1:2"), **own},
                    {"address": addressOf("127.0.0.1:3"), "tcp_keepalive": {}},
                ],
            )
        )
        self.assertEqual(
            [options.options for options in listened],
            [((9, 8, 7),), ((1, 1, 1),), ((9, 8, 7), KEEPALIVE)],
        )

    def test_noSystemBacklog(self):
        """Where the system does not say how many may wait, as many as the constant."""
        plain = open

        def refuse(name, *arguments, **keywords):
            if name == "/proc/sys/net/core/somaxconn":
                raise OSError
            return plain(name, *arguments, **keywords)

        self.patch(__import__("builtins"), "open", refuse)
        (options,) = self.options(one())
        self.assertEqual(options.backlog, socket.SOMAXCONN)
