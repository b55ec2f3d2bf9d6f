"""What the TLS inspector makes of first bytes, as observed on Envoy 1.40."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.codec.test_tls_hello import extension, hello, protocols, record, serverName
from twisted_envoy.extensions.filters.listener.tls_inspector.filter import (
    METADATA,
    TLSInspector,
    TLSInspectorSettings,
    TLSInspectorStats,
)
from twisted_envoy.interfaces.network import IListenerFilter, Verdict
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.scope import Store

NAMED = record(hello(serverName(b"A.test") + protocols(b"h2")))
PADDED = record(hello(extension(21, b"\0" * 400)))


class TLSInspectorTests(SynchronousTestCase):
    """One connection each."""

    def feed(self, *parts: bytes, most: int = 16384, strict: bool = False) -> Verdict:
        """The last verdict on bytes that come in parts."""
        self.store = Store()
        self.info = StreamInfo(0.0)
        stats = TLSInspectorStats(self.store.scope("tls_inspector."))
        inspector = TLSInspector(TLSInspectorSettings(stats, most, strict))
        verifyObject(IListenerFilter, inspector)
        data = b""
        verdict, _ = inspector.feed(data, self.info)
        for part in parts:
            data += part
            verdict, consumed = inspector.feed(data, self.info)
            if verdict is Verdict.DONE:
                self.assertEqual(consumed, 0)
        return verdict

    def stats(self) -> dict[str, int]:
        """The counters that are not 0, and how often bytes_processed was recorded."""
        found = {one.name[14:]: one.value for one in self.store.numbers() if one.value}
        return found

    @property
    def reason(self) -> Any:
        """The failure_reason that was noted."""
        return self.info.dynamicMetadata.get(METADATA, {}).get("failure_reason")

    def test_found(self) -> None:
        """Transport protocol, name and protocols are set; no byte is taken away."""
        self.assertIs(self.feed(NAMED), Verdict.DONE)
        info = self.info
        self.assertEqual(
            (info.transportProtocol, info.requestedServerName, info.applicationProtocols),
            ("tls", "a.test", ("h2",)),
        )
        self.assertEqual(self.stats(), {"tls_found": 1, "sni_found": 1, "alpn_found": 1})
        self.assertEqual((self.reason, info.downstreamTransportFailureReason), (None, ""))

    def test_bare(self) -> None:
        """A ClientHello without a name or protocols."""
        self.assertIs(self.feed(record(hello())), Verdict.DONE)
        self.assertEqual(self.info.transportProtocol, "tls")
        self.assertEqual(self.stats(), {"tls_found": 1, "sni_not_found": 1, "alpn_not_found": 1})

    def test_waits(self) -> None:
        """Nothing, and parts of it, are not enough."""
        self.assertIs(self.feed(), Verdict.NEED_MORE)
        self.assertIs(self.feed(b"abc"), Verdict.NEED_MORE)
        self.assertIs(self.feed(*[NAMED[at : at + 1] for at in range(len(NAMED))]), Verdict.DONE)
        self.assertEqual(self.stats()["tls_found"], 1)

    def test_plaintext(self) -> None:
        """What is no TLS goes on, with the reason noted."""
        self.assertIs(self.feed(b"GET / HTTP/1.1\r\n\r\n"), Verdict.DONE)
        self.assertEqual(self.info.transportProtocol, "")
        self.assertEqual(self.reason, "ClientHelloNotDetected")
        self.assertEqual(
            self.info.inspectionFailureReason,
            "TLS_error|error:1000009c:SSL_routines:OPENSSL_internal:HTTP_REQUEST:TLS_error_end",
        )
        self.assertEqual(self.stats(), {"tls_not_found": 1})

    def test_longPlaintext(self) -> None:
        """More bytes than are looked at do not matter."""
        self.assertIs(self.feed(b"x" * 40000), Verdict.DONE)
        self.assertEqual(self.stats(), {"tls_not_found": 1})

    def test_strict(self) -> None:
        """Closed when configured so; very much plaintext counts as too large a hello."""
        self.assertIs(self.feed(b"GET / HTTP", strict=True), Verdict.REJECT)
        self.assertEqual(self.reason, "ClientHelloNotDetected")
        self.assertEqual(self.stats(), {"tls_not_found": 1})
        self.assertIs(self.feed(b"x" * 40000, strict=True), Verdict.REJECT)
        self.assertEqual(self.reason, "ClientHelloTooLarge")
        self.assertEqual(self.stats(), {"client_hello_too_large": 1})

    def test_tooLarge(self) -> None:
        """A hello that is not whole within the limit closes, however it comes."""
        for parts in ((PADDED,), (PADDED[:299], PADDED[299:300])):
            self.assertIs(self.feed(*parts, most=300), Verdict.REJECT)
            self.assertEqual(self.reason, "ClientHelloTooLarge")
            self.assertEqual(self.stats(), {"client_hello_too_large": 1})
        self.assertIs(self.feed(PADDED, most=len(PADDED)), Verdict.DONE)

    def test_unknownVersion(self) -> None:
        """A version that no TLS has closes."""
        for version in (b"\3\0", b"\3\5", b"\2\0", b"\xfe\xff"):
            made = record(hello(serverName(b"a.test"), version=version))
            self.assertIs(self.feed(made), Verdict.REJECT)
            self.assertEqual(self.reason, "ClientHelloInvalidTlsVersion")
            self.assertIn("10000085", self.info.inspectionFailureReason)
            self.assertEqual(self.stats(), {"sni_found": 1, "tls_not_found": 1})

    def test_goodBye(self) -> None:
        """A client that says good-bye at once is closed, and that is all."""
        self.assertIs(self.feed(record(b"\1\0", 21)), Verdict.REJECT)
        self.assertEqual(self.stats(), {})
        self.assertEqual((self.reason, self.info.inspectionFailureReason), (None, ""))
