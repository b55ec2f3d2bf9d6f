"""Tests for twisted_envoy.http.routes.redirect."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import match, request, requestInfo, routes, tableOf
from twisted_envoy.http.routes.redirect import REQUEST_URL


class RedirectTests(SynchronousTestCase):
    def location(self, yaml: str, path: str = "/p/x?q=1", host: str = "h.test", **more: str) -> str:
        table = tableOf(routes(f"{{match: {{prefix: /p}}, redirect: {{{yaml}}}}}"))
        headers = request(path, host, x_forwarded_proto="http", **more)
        entry = match(table, headers)
        assert entry is not None and entry.redirect is not None
        self.assertEqual(entry.kind, "redirect")
        info = requestInfo()
        info.requestHeaders = headers
        status, location = entry.redirect.newLocation(headers, info)
        return f"{status} {location.decode()}"

    def test_parts(self) -> None:
        """What is not set stays as the request has it."""
        for yaml, expected in {
            "": "301 http://h.test/p/x?q=1",
            "https_redirect: true": "301 https://h.test/p/x?q=1",
            "https_redirect: false": "301 http://h.test/p/x?q=1",
            "scheme_redirect: ftp": "301 ftp://h.test/p/x?q=1",
            "host_redirect: new": "301 http://new/p/x?q=1",
            "port_redirect: 81": "301 http://h.test:81/p/x?q=1",
            "path_redirect: /z": "301 http://h.test/z?q=1",
            "path_redirect: z": "301 http://h.test/z?q=1",
            "path_redirect: '/z?k', strip_query: true": "301 http://h.test/z?k",
            "path_redirect: /z, strip_query: true": "301 http://h.test/z",
            "strip_query: true": "301 http://h.test/p/x",
            "prefix_rewrite: /n": "301 http://h.test/n/x?q=1",
            "prefix_rewrite: ''": "301 http://h.test/p/x?q=1",
            "path_rewrite: '/r%REQ(x-a)%'": "301 http://h.test/rb?q=1",
            "path_rewrite: 'r?%REQ(x-a)%'": "301 http://h.test/r?b",
            "path_rewrite: '%REQ(nope)%'": "301 http://h.test/p/x?q=1",
            "regex_rewrite: {pattern: {regex: x}, substitution: yy}": "301 http://h.test/p/yy?q=1",
        }.items():
            self.assertEqual(self.location(yaml, x_a="b"), expected, yaml)

    def test_codes(self) -> None:
        """response_code."""
        for name, code in {
            "MOVED_PERMANENTLY": 301,
            "FOUND": 302,
            "SEE_OTHER": 303,
            "TEMPORARY_REDIRECT": 307,
            "PERMANENT_REDIRECT": 308,
        }.items():
            self.assertIn(f"{code} ", self.location(f"response_code: {name}"))

    def test_ports(self) -> None:
        """The old scheme's own port goes with the scheme, any port with a new one."""
        for yaml, host, expected in (
            ("https_redirect: true", "h:80", "https://h/"),
            ("https_redirect: true", "h:81", "https://h:81/"),
            ("", "h:80", "http://h:80/"),
            ("port_redirect: 8", "h:80", "http://h:8/"),
            ("https_redirect: true", "[::1]:80", "https://[::1]/"),
            ("https_redirect: true", "[::1]", "https://[::1]/"),
            ("https_redirect: true, port_redirect: 8", "[::1]:9", "https://[::1]:8/"),
        ):
            self.assertEqual(self.location(yaml, "/p", host), f"301 {expected}p", (yaml, host))

    def test_wholePaths(self) -> None:
        """prefix_rewrite replaces all of what a regular expression has matched."""
        yaml = "{match: {safe_regex: {regex: '/p.*'}}, redirect: {prefix_rewrite: /n}}"
        headers = request("/p/x?q")
        entry = match(tableOf(routes(yaml)), headers)
        assert entry is not None and entry.redirect is not None
        self.assertEqual(
            entry.redirect.newLocation(headers, requestInfo())[1], b"http://h.test/n?q"
        )

    def test_requestURL(self) -> None:
        """The location of a direct response is the request's URL."""
        self.assertEqual(
            REQUEST_URL.newLocation(request("/a?b", "h:80"), requestInfo())[1], b"http://h:80/a?b"
        )
