"""What is asked for, and which configs are refused."""

from __future__ import annotations

from tests.bootstraps import proxied, typed
from tests.server.refusing import RefusalTestCase
from twisted_envoy.errors import UnsupportedField
from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel_kind import TunnelSwitches
from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel_request import (
    BadRequest,
    Header,
    TunnelRequest,
)
from twisted_envoy.server.runtime import Runtime
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.testing import MemoryEnvoy


def request(hostname, added=()):
    """What is asked for, of this host name's format."""
    return TunnelRequest(hostname, TunnelSwitches(Runtime()), lambda call: None, added)


def added(key, value, **fields):
    """One of headers_to_add."""
    return {"header": {"key": key, "value": value}, **fields}


class RequestTests(RefusalTestCase):
    """Requests of a running proxy."""

    def asked(self, **fields):
        """The lines of the request."""
        envoy = MemoryEnvoy(proxied(tunneling_config=fields))
        origin = envoy.listen("127.0.0.1:10000")
        envoy.connect("ingress", "127.0.0.7:77")
        return origin.connections[0].received.decode().split("\r\n")

    def test_headers(self):
        """In order, repeated names apart, in lower case; those without a value are left out."""
        lines = self.asked(
            hostname="host:1",
            headers_to_add=[
                added("X-A", "plain"),
                added("x-a", "second"),
                added("x-peer", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
                added("x-unset", "%REQUESTED_SERVER_NAME%"),
                added("x-none", ""),
                added("x-empty", "", keep_empty_value=True),
            ],
        )
        self.assertEqual(
            lines,
            [
                "CONNECT host:1 HTTP/1.1",
                "host: host:1",
                "x-a: plain",
                "x-a: second",
                "x-peer: 127.0.0.7",
                "x-empty: ",
                "",
                "",
            ],
        )

    def test_appendAction(self):
        """Those that overwrite come first, then the others; there is nothing else to replace."""
        lines = self.asked(
            hostname="host:1",
            headers_to_add=[
                added("b", "0", append=True, append_action="APPEND_IF_EXISTS_OR_ADD"),
                added("A", "1", append_action="OVERWRITE_IF_EXISTS_OR_ADD"),
                added("a", "2", append=False),
                added("a", "3", append_action="ADD_IF_ABSENT"),
                added("c", "4", append_action="OVERWRITE_IF_EXISTS"),
            ],
        )
        self.assertEqual(lines[2:-2], ["a: 2", "b: 0", "a: 3"])

    def test_hostname(self):
        """It is a format; what is unset is a dash."""
        lines = self.asked(hostname="%REQUESTED_SERVER_NAME%:%DOWNSTREAM_LOCAL_PORT%")
        self.assertEqual(lines, ["CONNECT -:9000 HTTP/1.1", "host: -:9000", "", ""])

    def test_unsendable(self):
        """What would break out of its line is no request."""
        for text in ("", "a b", "a\r\nb", "a\0", "a\t", "a\x7f"):
            with self.assertRaises(BadRequest):
                request(lambda context, text=text: text).headers(StreamInfo(0.0), 0.0)
        for text in ("a\r\nb: c", "a\n", "\0", "\x7f"):
            header = Header(b"a", lambda context, text=text: text, False, False)
            with self.assertRaises(BadRequest):
                request(lambda context: "host:1", (header,)).headers(StreamInfo(0.0), 0.0)


class RefusalTests(RefusalTestCase):
    """Configs that are not obeyed."""

    def test_mistakes(self):
        """In Envoy's words, with the place."""
        for config, problem, at in (
            (
                {"hostname": ""},
                "Hostname: value length must be at least 1 characters",
                '"hostname"',
            ),
            ({"hostname": "%NOPE%"}, "Not supported field in StreamInfo: NOPE", '"hostname"'),
            (
                {"hostname": "%NOPE%", "post_path": "/x"},
                "Can't set a post path when POST method isn't used",
                '"post_path"',
            ),
            (
                {"hostname": "x:1", "headers_to_add": [added(":path", "x")]},
                ":-prefixed or host headers may not be modified",
                '"key"',
            ),
            (
                {"hostname": "x:1", "headers_to_add": [added("Host", "x")]},
                ":-prefixed or host headers may not be modified",
                '"key"',
            ),
            (
                {"hostname": "x:1", "headers_to_add": [added("b", "%NO%")]},
                "Not supported field in StreamInfo: NO",
                '"value"',
            ),
            (
                {
                    "hostname": "x:1",
                    "headers_to_add": [added("b", "c", append=True, append_action="ADD_IF_ABSENT")],
                },
                "Both append and append_action are set and it's not allowed",
                "{",
            ),
        ):
            self.assertRefused(proxied(tunneling_config=config), problem, at)

    def test_unsupported(self):
        """A formatter that is not implemented is named."""
        formatters = [typed("a", "formatter.cel.v3.Cel")]
        problem = self.refused(
            proxied(tunneling_config={"hostname": "x:1", "formatters": formatters})
        )
        self.assertIsInstance(problem, UnsupportedField)
        self.assertIn("formatters", str(problem))
