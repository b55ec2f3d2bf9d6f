"""auto_sni, auto_san_validation and the header that goes before the host."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.router.server_names import nameServer, optionsFor
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.state.upstream_tls import SERVER_NAME, SUBJECT_NAMES, ServerName
from twisted_envoy.upstream.http.settings import ServerNames

BOTH = ServerNames(True, True, b"x-name")


def headers(host: bytes, *names: bytes) -> HeaderMap:
    """Of a request."""
    return HeaderMap(((b":authority", host), *((b"x-name", one) for one in names)))


class NameTests(SynchronousTestCase):
    """What is asked for and what is checked."""

    def test_hosts(self) -> None:
        """The host without its port; an address is not asked for."""
        for host, asked, checked in (
            (b"a.test", "a.test", ("a.test",)),
            (b"a.test:8443", "a.test", ("a.test",)),
            (b"a.test:x", "a.test:x", ("a.test:x",)),
            (b"10.0.0.1:80", "", ("10.0.0.1",)),
            (b"[::1]:80", "", ("::1",)),
            (b"a,b", "a,b", ("a,b",)),
        ):
            options = optionsFor(BOTH, headers(host))
            self.assertEqual((options.serverName, options.subjectNames), (asked, checked))

    def test_header(self) -> None:
        """The first value, unless it is empty."""
        for values, name in (((b"b.test", b"c.test"), "b.test"), ((b"",), "a.test")):
            self.assertEqual(optionsFor(BOTH, headers(b"a.test", *values)).serverName, name)

    def test_oneOfBoth(self) -> None:
        """Only what the config says."""
        only = optionsFor(ServerNames(True, False), headers(b"a.test"))
        self.assertEqual((only.serverName, only.subjectNames), ("a.test", ()))
        only = optionsFor(ServerNames(False, True), headers(b"a.test"))
        self.assertEqual((only.serverName, only.subjectNames), ("", ("a.test",)))

    def test_stored(self) -> None:
        """In the request's filter state; what a filter has put there stays."""
        info = RequestInfo(StreamInfo(0.0), 0.0)
        info.filterState.set(SERVER_NAME, ServerName("own.test"))
        nameServer(BOTH, headers(b"a.test"), info)
        found = [info.stateOf(key).plainText() for key in (SERVER_NAME, SUBJECT_NAMES)]
        self.assertEqual(found, ["own.test", "a.test"])
