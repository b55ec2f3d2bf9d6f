"""Tests for twisted_envoy.http.edge.host; the tables are what Envoy 1.40 did."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.edge.host import stripDot, stripPort

HOSTS = {
    # host: (without 8080, without any port, without its dot)
    b"h": (b"h", b"h", b"h"),
    b"h:80": (b"h:80", b"h", b"h:80"),
    b"h:8080": (b"h", b"h", b"h:8080"),
    b"h:08080": (b"h", b"h", b"h:08080"),
    b"h:080": (b"h:080", b"h", b"h:080"),
    b"h.": (b"h.", b"h.", b"h"),
    b"h.:80": (b"h.:80", b"h.", b"h:80"),
    b"h.:8080": (b"h.", b"h.", b"h:8080"),
    b"[::1]:80": (b"[::1]:80", b"[::1]", b"[::1]:80"),
    b"[::1]:8080": (b"[::1]", b"[::1]", b"[::1]:8080"),
    b"[::1]": (b"[::1]", b"[::1]", b"[::1]"),
    b"h:": (b"h:", b"h:", b"h:"),
    b"h:x": (b"h:x", b"h:x", b"h:x"),
    b"h:4294967296": (b"h:4294967296", b"h:4294967296", b"h:4294967296"),
    b"h:" + b"1" * 5000: (b"h:" + b"1" * 5000,) * 3,
    b"a.b.": (b"a.b.", b"a.b.", b"a.b"),
    b"..": (b"..", b"..", b"."),
    b".": (b".", b".", b""),
    b"h.x:80": (b"h.x:80", b"h.x", b"h.x:80"),
    b"": (b"", b"", b""),
}


class HostTests(SynchronousTestCase):
    """strip_matching_host_port, strip_any_host_port, strip_trailing_host_dot."""

    def test_table(self) -> None:
        """What Envoy did."""
        for host, expected in HOSTS.items():
            made = (stripPort(host, 8080), stripPort(host, None), stripDot(host))
            self.assertEqual(made, expected, host)
