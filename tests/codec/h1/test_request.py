"""Tests of twisted_envoy.codec.h1.request."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import ServerOwner
from twisted_envoy.codec.http import CodecError
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

HOST = b"Host: a\r\n"


def get(line: bytes, fields: bytes = HOST) -> bytes:
    return line + b"\r\n" + fields + b"\r\n"


class RequestTestCase(SynchronousTestCase):
    settings = HTTP1Settings()
    limits = HeaderLimits()

    def read(self, data: bytes) -> dict[bytes, bytes]:
        """The headers of the one request."""
        owner = ServerOwner(self.settings, self.limits)
        owner.feed(data)
        if owner.error is not None:
            raise owner.error
        [request] = owner.requests
        self.assertIsNotNone(request.headers)
        assert request.headers is not None
        return {name: b"|".join(request.headers.every(name)) for name in request.headers}

    def refused(self, data: bytes) -> tuple[str, int]:
        """The details and the status of the one answer."""
        owner = ServerOwner(self.settings, self.limits)
        owner.feed(data)
        error = owner.error
        assert isinstance(error, CodecError), (data, owner.requests[0].summary())
        self.assertIs(owner.requests[-1].failure, error)
        return error.details, error.status


class LineTests(RequestTestCase):
    def test_pseudoHeadersComeFirst(self) -> None:
        """A plain request has method, path and authority, then its fields in order."""
        headers = self.read(get(b"GET /up?x=1 HTTP/1.1", b"B: 1\r\nHost: a\r\nA: 2\r\n"))

        expected = [b":method", b":path", b":authority", b"b", b"a"]
        self.assertEqual(list(headers), expected)
        self.assertEqual(headers[b":path"], b"/up?x=1")
        self.assertEqual(headers[b":authority"], b"a")

    def test_odd(self) -> None:
        """What Envoy takes for a request line, though it is none by the book."""
        for line in (
            *(b"GET  /up HTTP/1.1", b"GET /up  HTTP/1.1", b"GET\t/up\tHTTP/1.1"),
            *(b"GET /up HTTP/1.1 ", b"GET /up HTTP/1.1\t \r"),
        ):
            headers = self.read(get(line))
            self.assertEqual((headers[b":method"], headers[b":path"]), (b"GET", b"/up"), line)

    def test_malformed(self) -> None:
        """What Envoy refuses as a request line."""
        for line in (
            *(b" GET /up HTTP/1.1", b"GET HTTP/1.1", b"GET /up a HTTP/1.1", b"get /up HTTP/1.1"),
            *(b"FROB /up HTTP/1.1", b"M-SEARCH * HTTP/1.1", b"QUERY / HTTP/1.1", b"GET"),
            *(b"GET /up http/1.1", b"GET /up HTTP/1.10", b"GET /up HTTP/1", b"GET /up HTTP/01.1"),
            *(b"GET /up ICY/1.1", b"GET /up\xff HTTP/1.1", b"GET /up\tx HTTP/1.1"),
            *(b"GET up HTTP/1.1", b"GET http:/b.com/up HTTP/1.1", b"GET http://b.com#f HTTP/1.1"),
            *(b"GET /up\rx HTTP/1.1", b"CONNECT \xe9:80 HTTP/1.1", b"CONNECT a b:1 HTTP/1.1"),
            *(b"GET 1http://b/ HTTP/1.1", b"GET x HTTP/1.1", b"GET http://a@@b/ HTTP/1.1"),
        ):
            self.assertEqual(self.refused(get(line)), ("http1.codec_error", 400), line)

    def test_controls(self) -> None:
        """Control characters have details of their own."""
        for line in (b"GET /up\0 HTTP/1.1", b"GET /up\x01 HTTP/1.1", b"GET /up\x7f HTTP/1.1"):
            self.assertEqual(self.refused(get(line)), ("http1.invalid_characters", 400), line)

    def test_path(self) -> None:
        """A path keeps every visible character."""
        path = b'//up"<>\\^`{|}#a?b'
        self.assertEqual(self.read(get(b"GET " + path + b" HTTP/1.1"))[b":path"], path)

    def test_methods(self) -> None:
        """With custom methods any token is one, and nothing else."""
        self.settings = replace(self.settings, customMethods=True)

        self.assertEqual(self.read(get(b"Fr-ob / HTTP/1.1"))[b":method"], b"Fr-ob")
        self.assertEqual(self.refused(get(b"F(b / HTTP/1.1"))[0], "http1.codec_error")


class VersionTests(RequestTestCase):
    def test_old(self) -> None:
        """Whatever is not 1.1 is asked to upgrade."""
        for version in (b" HTTP/1.0", b" HTTP/0.9", b" HTTP/1.2", b" HTTP/2.0", b" HTTP/3.7", b""):
            self.assertEqual(self.refused(get(b"GET /" + version)), ("low_version", 426), version)

    def test_accepted(self) -> None:
        """With accept_http_10 all of them are 1.0; the default host is for those without one."""
        self.settings = replace(self.settings, acceptHTTP10=True, defaultHost=b"dflt")
        for version in (b" HTTP/1.0", b" HTTP/0.9", b" HTTP/3.7", b""):
            owner = ServerOwner(self.settings)
            owner.feed(get(b"GET /" + version, b""))
            assert owner.requests[0].headers is not None
            self.assertEqual(owner.requests[0].headers[b":authority"], b"dflt")
            self.assertEqual(owner.codec.protocol, "HTTP/1.0")
        self.assertEqual(self.read(get(b"GET / HTTP/1.0"))[b":authority"], b"a")
        self.assertEqual(self.read(get(b"GET / HTTP/1.0", b"Host:\r\n"))[b":authority"], b"")
        self.assertNotIn(b":authority", self.read(get(b"GET / HTTP/1.1", b"")))


class AuthorityTests(RequestTestCase):
    def test_hosts(self) -> None:
        """Values of Host that Envoy takes."""
        for host in (b"a@b", b"a_b:80", b"[::1]:80", b"a%20b", b"a:xx", b"", b"A.b", b"a;b=c"):
            headers = self.read(get(b"GET / HTTP/1.1", b"Host: " + host + b"\r\n"))
            self.assertEqual(headers[b":authority"], host)
            self.assertNotIn(b"host", headers)

    def test_badHosts(self) -> None:
        """Values of Host that Envoy refuses."""
        for host in (b"a b", b"a/b", b"a\xe9", b'a"b', b"a#b", b"a?b", b"a\\b", b"a<b"):
            refused = self.refused(get(b"GET / HTTP/1.1", b"Host: " + host + b"\r\n"))
            self.assertEqual(refused, ("http.invalid_authority", 400), host)

    def test_twice(self) -> None:
        """Two hosts are one with a comma."""
        headers = self.read(get(b"GET / HTTP/1.1", b"Host: a\r\nX: 1\r\nHost: b\r\n"))
        self.assertEqual(headers[b":authority"], b"a,b")

    def test_absolute(self) -> None:
        """An absolute URL gives authority, path and scheme."""
        for url, authority, path, scheme in (
            (b"http://b.com/up?x", b"b.com", b"/up?x", b"http"),
            (b"https://b.com/up", b"b.com", b"/up", b"https"),
            (b"HTTP://B.com:81/up", b"B.com:81", b"/up", b"http"),
            (b"http://u:p@b.com/up", b"b.com", b"/up", b"http"),
            (b"http://@b.com/up", b"b.com", b"/up", b"http"),
            (b"http://b.com", b"b.com", b"/", b"http"),
            (b"http://b.com?x=1", b"b.com", b"?x=1", b"http"),
            (b"http://[::1]:8/", b"[::1]:8", b"/", b"http"),
            (b"http://b.com:08/a@b", b"b.com:08", b"/a@b", b"http"),
            (b"http://.../up", b"...", b"/up", b"http"),
        ):
            for fields in (HOST, b""):
                headers = self.read(get(b"GET " + url + b" HTTP/1.1", fields))
                self.assertEqual(
                    (headers[b":authority"], headers[b":path"], headers[b":scheme"]),
                    (authority, path, scheme),
                )
                self.assertEqual(list(headers)[2], b":authority")

    def test_badURLs(self) -> None:
        """Targets that are no URL, or not of HTTP."""
        for url in (
            *(b"http:///up", b"http://b.com:99999/up", b"http://b.com:/up", b"http://[::1/up"),
            *(b"http://b_c.com/", b"http://a@b@c.com/", b"http://b%20.com/", b"http://b.com:8a/"),
            *(b"http://b.com;x/", b"*", b"*x", b"http://", b"a://"),
        ):
            refused = self.refused(get(b"GET " + url + b" HTTP/1.1"))
            self.assertEqual(refused, ("http1.invalid_url", 400), url)
        for url in (b"ftp://b.com/", b"ws://b.com/up"):
            refused = self.refused(get(b"GET " + url + b" HTTP/1.1"))
            self.assertEqual(refused, ("http1.invalid_scheme", 400), url)

    def test_httpsAtTheEdge(self) -> None:
        """A client of plain text cannot ask for https where that is refused."""
        url = get(b"GET HTTPS://b.com/ HTTP/1.1")
        self.settings = replace(self.settings, refusesHTTPS=True)
        self.assertEqual(self.refused(url), ("http1.https_url_on_plaintext_connection", 403))

    def test_urlsNotAllowed(self) -> None:
        """Without allow_absolute_url a URL is a path like any other."""
        self.settings = replace(self.settings, allowAbsoluteURL=False)
        headers = self.read(get(b"GET http://b.com/up HTTP/1.1"))
        self.assertEqual(headers[b":path"], b"http://b.com/up")
        self.assertEqual(headers[b":authority"], b"a")

    def test_star(self) -> None:
        """`*` is for OPTIONS."""
        self.assertEqual(self.read(get(b"OPTIONS * HTTP/1.1"))[b":path"], b"*")


class ConnectTests(RequestTestCase):
    def test_targets(self) -> None:
        """The target is the authority, whatever Host says; there is no path."""
        for target in (b"a.com:443", b"[::1]:80", b"a.com:0", b"a:080", b"1.2.3.4:443", b"a..b:1"):
            for fields in (HOST, b""):
                headers = self.read(get(b"CONNECT " + target + b" HTTP/1.1", fields))
                self.assertEqual(list(headers), [b":authority", b":method"])
                self.assertEqual(headers[b":authority"], target)

    def test_badTargets(self) -> None:
        """What Envoy refuses as a target."""
        for target in (
            *(b"a.com", b"/up", b"http://a.com:80/", b"a.com:65536", b"a.com:80/up", b"a:", b":1"),
            *(b"[::1]", b"::1:80", b"a@b:1", b"a:80:90", b"*:80", b"a?x:80", b"a%20:80", b"_:1"),
            *(b"a:+1", b"*", b"a:99999999999999999999"),
        ):
            refused = self.refused(get(b"CONNECT " + target + b" HTTP/1.1"))
            self.assertEqual(refused, ("http1.invalid_url", 400), target)

    def test_bodies(self) -> None:
        """There is no body; a length of 0 says as much and is dropped."""
        line = b"CONNECT a:1 HTTP/1.1"
        headers = self.read(get(line, b"Content-Length: 0\r\n"))
        self.assertNotIn(b"content-length", headers)
        refused = self.refused(get(line, b"Content-Length: 5\r\n"))
        self.assertEqual(refused, ("http1.body_disallowed", 400))
        refused = self.refused(get(line, b"Transfer-Encoding: chunked\r\n"))
        self.assertEqual(refused, ("http1.invalid_transfer_encoding", 501))


class UpgradeTests(RequestTestCase):
    def asks(self, value: bytes, connection: bytes = b"Upgrade", more: bytes = b"") -> bytes:
        fields = b"Connection: %b\r\nUpgrade: %b\r\n%b" % (connection, value, more)
        return get(b"GET / HTTP/1.1", HOST + fields)

    def test_http2(self) -> None:
        """An upgrade to HTTP/2 is forgotten, with all that belongs to it."""
        more = b"HTTP2-Settings: x\r\n"
        headers = self.read(self.asks(b"h2c", b"Upgrade, HTTP2-Settings, foo", more))
        self.assertEqual(headers[b"connection"], b"foo")
        self.assertNotIn(b"upgrade", headers)
        self.assertNotIn(b"http2-settings", headers)
        self.assertNotIn(b"connection", self.read(self.asks(b"H2C")))

    def test_ignored(self) -> None:
        """The same for those that are configured to be ignored."""
        self.settings = replace(self.settings, ignoresUpgrade=lambda value: value == "TLS/1.0")
        self.assertNotIn(b"upgrade", self.read(self.asks(b"TLS/1.0")))
        self.assertEqual(self.read(self.asks(b"websocket"))[b"upgrade"], b"websocket")

    def test_bodyIsPayload(self) -> None:
        """Whatever the headers say: behind an upgrade everything is payload."""
        for more in (b"", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"):
            owner = ServerOwner()
            owner.feed(self.asks(b"websocket", b"keep-alive, upgrade", more) + b"3\r\nraw")
            self.assertEqual(owner.requests[0].body, b"3\r\nraw")
            self.assertFalse(owner.requests[0].ended)

    def test_needsConnection(self) -> None:
        """Without `connection: upgrade` it is none."""
        owner = ServerOwner()
        owner.feed(self.asks(b"websocket", b"close"))
        self.assertTrue(owner.requests[0].ended)


class LimitTests(RequestTestCase):
    def head(self, size: int, line: bytes = b"GET / HTTP/1.1\r\nHost: a\r\nX: ") -> bytes:
        return line + b"v" * (size - len(line) - 4) + b"\r\n\r\n"

    def test_bytes(self) -> None:
        """A head may be as large as the limit, its line and its end included."""
        most = self.limits.maxBytes
        self.read(self.head(most))
        refused = self.refused(self.head(most + 1))
        self.assertEqual(refused, ("http1.headers_too_large", 431))

    def test_incomplete(self) -> None:
        """One that is not complete is refused when it has come to the limit."""
        most = self.limits.maxBytes
        owner = ServerOwner()
        owner.feed(self.head(most + 10)[: most - 1])
        self.assertIsNone(owner.error)
        owner.feed(b"v")
        assert owner.error is not None
        self.assertEqual(owner.error.details, "http1.headers_too_large")

    def test_noVersion(self) -> None:
        """A line without a version is a whole request of HTTP/0.9, and refused at once."""
        for line in (b"GET /x\r\n", b"GET /x\n", b"GET  /x \r\n"):
            owner = ServerOwner()
            for byte in line:
                self.assertIsNone(owner.error)
                owner.feed(bytes((byte,)))
            assert owner.error is not None
            self.assertEqual((owner.error.details, owner.error.status), ("low_version", 426))

    def test_onlyALine(self) -> None:
        """Where such requests are served, it waits for nothing."""
        settings = HTTP1Settings(acceptHTTP10=True, defaultHost=b"dflt")
        for line in (b"GET /x\r\n", b"GET /x\n", b"GET  /x \r\n"):
            owner = ServerOwner(settings)
            for byte in line:
                self.assertEqual([one.headers for one in owner.requests if one.headers], [])
                owner.feed(bytes((byte,)))
            [request] = owner.requests
            self.assertEqual(request.headers[b":path"], b"/x")
            self.assertEqual(request.headers[b":authority"], b"dflt")

    def test_count(self) -> None:
        """There may be so many fields, Host included."""
        fields = HOST + b"x: y\r\n" * (self.limits.maxCount - 1)
        self.read(get(b"GET / HTTP/1.1", fields + b" folded\r\n"))
        refused = self.refused(get(b"GET / HTTP/1.1", fields + b"x: y\r\n"))
        self.assertEqual(refused, ("http1.too_many_headers", 431))

    def test_underscores(self) -> None:
        """Names with underscores pass, are dropped or refused, and counted."""
        data = get(b"GET / HTTP/1.1", HOST + b"a_b: 1\r\nc: 2\r\nA_B: 3\r\n")
        self.assertEqual(self.read(data)[b"a_b"], b"1|3")

        owner = ServerOwner(limits=HeaderLimits(underscores="DROP_HEADER"))
        owner.feed(data)
        assert owner.requests[0].headers is not None
        self.assertNotIn(b"a_b", owner.requests[0].headers)
        self.assertEqual(owner.stats.dropped_headers_with_underscores.value, 2)

        owner = ServerOwner(limits=HeaderLimits(underscores="REJECT_REQUEST"))
        owner.feed(data)
        assert owner.error is not None
        self.assertEqual(owner.error.details, "http1.unexpected_underscore")
        self.assertEqual(owner.stats.requests_rejected_with_underscores_in_headers.value, 1)
        owner = ServerOwner(limits=HeaderLimits(underscores="REJECT_REQUEST"))
        owner.feed(get(b"GET / HTTP/1.1"))
        self.assertIsNone(owner.error)


class EarlyTests(RequestTestCase):
    def test_firstByte(self) -> None:
        """A byte that begins no line is refused at once; so is TLS."""
        for byte in range(256):
            data = bytes([byte])
            if data in b"\r\n":
                continue
            owner = ServerOwner()
            owner.feed(data)
            self.assertEqual(owner.error is not None, byte <= 0x20, data)
        self.assertEqual(self.refused(b"\x16\x03\x01\x02\x00")[0], "http1.codec_error")

    def test_firstLine(self) -> None:
        """A bad first line is refused without the rest of the head, however it comes."""
        for line in (b"FROB /x HTTP/1.1\r\n", b"GET / HTTP/9\r\n", b"GET x HTTP/1.1\n"):
            self.assertEqual(self.refused(line)[0], "http1.codec_error")
            owner = ServerOwner()
            owner.feed(*(bytes([byte]) for byte in line))
            self.assertIsNotNone(owner.error)
        owner = ServerOwner()
        owner.feed(b"FROB /x HTTP/1.1")
        self.assertIsNone(owner.error)


class CaseTests(RequestTestCase):
    def test_preserve(self) -> None:
        """With preserve_case the spellings are kept beside the names."""
        owner = ServerOwner(HTTP1Settings(headerCase="preserve"))
        owner.feed(get(b"GET / HTTP/1.1", b"hOst: a\r\nX-Ab: 1\r\n folded\r\n"))
        headers = owner.requests[0].headers
        assert headers is not None
        self.assertEqual(headers.cases, {b"host": b"hOst", b"x-ab": b"X-Ab"})
        self.assertEqual(headers[b"x-ab"], b"1 folded")
