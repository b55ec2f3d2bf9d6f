"""What the HTTP inspector makes of first bytes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twisted_envoy.extensions.filters.listener.http_inspector.filter import (
    HTTPInspector,
    HTTPInspectorStats,
)
from twisted_envoy.interfaces.network import IListenerFilter, Verdict
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.scope import Store


class HTTPInspectorTests(SynchronousTestCase):
    """One connection each."""

    def feed(self, *parts: bytes, transportProtocol: str = "") -> Verdict:
        """The last verdict on bytes that come in parts."""
        self.store = Store()
        self.info = StreamInfo(0.0)
        self.info.transportProtocol = transportProtocol
        self.info.applicationProtocols = ("before",)
        inspector = HTTPInspector(HTTPInspectorStats(self.store.scope("http_inspector.")))
        verifyObject(IListenerFilter, inspector)
        data = b""
        verdict, _ = inspector.feed(data, self.info)
        for part in parts:
            data += part
            verdict, taken = inspector.feed(data, self.info)
            self.assertIn(taken, (0, "no line"))
        return verdict

    def stats(self) -> dict[str, int]:
        """The counters that are not 0."""
        return {one.name[15:]: one.value for one in self.store.numbers() if one.value}

    def test_found(self) -> None:
        """The application protocol is what was found, in place of any other."""
        for data, protocol, stat in (
            (b"GET / HTTP/1.0\r\n", "http/1.0", "http10_found"),
            (b"GET / HTTP/1.1\r\n", "http/1.1", "http11_found"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "h2c", "http2_found"),
        ):
            for known in ("", "raw_buffer"):
                self.assertIs(self.feed(data[:5], data[5:], transportProtocol=known), Verdict.DONE)
                self.assertEqual(self.info.applicationProtocols, (protocol,))
                self.assertEqual(self.stats(), {stat: 1})

    def test_notFound(self) -> None:
        """Anything else goes on as it was."""
        self.assertIs(self.feed(b"\x16\x03"), Verdict.DONE)
        self.assertEqual(self.info.applicationProtocols, ("before",))
        self.assertEqual(self.stats(), {"http_not_found": 1})

    def test_waits(self) -> None:
        """Part of a line is not enough."""
        self.assertIs(self.feed(b"GET / HT"), Verdict.NEED_MORE)
        self.assertEqual(self.stats(), {})

    def test_afterTLS(self) -> None:
        """A connection that is known to be TLS is not inspected."""
        self.assertIs(self.feed(transportProtocol="tls"), Verdict.DONE)
        self.assertEqual(self.info.applicationProtocols, ("before",))
        self.assertEqual(self.stats(), {})

    def test_endless(self) -> None:
        """64 KiB without the end of a line are refused."""
        self.assertIs(self.feed(b"GET /" + b"a" * 65530), Verdict.NEED_MORE)
        self.assertIs(self.feed(b"GET /" + b"a" * 65531), Verdict.REJECT)
        self.assertEqual(self.stats(), {"read_error": 1})
