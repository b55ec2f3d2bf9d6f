"""
Looks at a connection's first bytes and tells what TLS client sent them, if any did.

    ClientHello                     transportProtocol tls, requestedServerName, applicationProtocols
    one of an unknown version       the connection is closed
    one that is too large           the connection is closed
    anything else                   goes on as raw_buffer, or is closed when configured so

Envoy: extensions.filters.listener.tls_inspector.v3.TlsInspector
"""

from __future__ import annotations

from zope.interface import implementer

from twisted_envoy.codec.tls_fingerprints import ja3, ja4
from twisted_envoy.codec.tls_hello import ClientHello, ClientHelloReader, NotClientHello
from twisted_envoy.interfaces.network import IListenerFilter, Verdict
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.histogram import Histogram
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope
from twisted_envoy.values import dataclass

METADATA = "envoy.filters.listener.tls_inspector"
_VERSIONS = range(0x0301, 0x0305)
_REJECTED = 133
_NEED_MORE = (Verdict.NEED_MORE, 0)
_DONE = (Verdict.DONE, 0)


class TLSInspectorStats:
    """`tls_inspector.*`, of all listeners together."""

    alpn_found: Counter
    alpn_not_found: Counter
    bytes_processed: Histogram
    client_hello_too_large: Counter
    sni_found: Counter
    sni_not_found: Counter
    tls_found: Counter
    tls_not_found: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


@dataclass(frozen=True, slots=True)
class TLSInspectorSettings:
    """
    What the config says.

    Attributes:
        most: bytes that are looked at.
        strict: close connections that are no TLS.
        ja3, ja4: whether these fingerprints are taken.
    """

    stats: TLSInspectorStats
    most: int
    strict: bool
    ja3: bool = False
    ja4: bool = False


@implementer(IListenerFilter)
class TLSInspector:
    """One connection's inspection."""

    __slots__ = ("_reader", "_settings", "maxReadBytes")

    def __init__(self, settings: TLSInspectorSettings) -> None:
        self._settings = settings
        self._reader = ClientHelloReader()
        self.maxReadBytes = settings.most

    def feed(self, data: bytes, streamInfo: StreamInfo) -> tuple[Verdict, int | str]:
        seen = data[: self.maxReadBytes]
        try:
            hello = self._reader.feed(seen)
        except NotClientHello as problem:
            self._settings.stats.bytes_processed.record(self._reader.consumed)
            return self._refused(problem, len(seen), streamInfo)
        if hello is not None:
            self._settings.stats.bytes_processed.record(self._reader.consumed)
            return self._found(hello, streamInfo)
        if len(seen) < self.maxReadBytes:
            return _NEED_MORE
        self._settings.stats.bytes_processed.record(len(seen))
        return self._tooLarge(streamInfo)

    def _found(self, hello: ClientHello, streamInfo: StreamInfo) -> tuple[Verdict, int | str]:
        stats = self._settings.stats
        if hello.serverName:
            stats.sni_found.value += 1
            streamInfo.requestedServerName = hello.serverName
        else:
            stats.sni_not_found.value += 1
        if hello.applicationProtocols:
            streamInfo.applicationProtocols = hello.applicationProtocols
        if hello.version not in _VERSIONS:
            stats.tls_not_found.value += 1
            _note(streamInfo, "ClientHelloInvalidTlsVersion")
            _explain(streamInfo, "CONNECTION_REJECTED", _REJECTED)
            return Verdict.REJECT, "unknown TLS version"
        stats.tls_found.value += 1
        settings = self._settings
        if settings.ja3:
            streamInfo.ja3 = ja3(hello)
        if settings.ja4:
            streamInfo.ja4 = ja4(hello)
        if hello.applicationProtocols:
            stats.alpn_found.value += 1
        else:
            stats.alpn_not_found.value += 1
        streamInfo.transportProtocol = "tls"
        return _DONE

    def _refused(
        self, problem: NotClientHello, size: int, streamInfo: StreamInfo
    ) -> tuple[Verdict, int | str]:
        if problem.reason == "CLOSE_NOTIFY":
            return Verdict.REJECT, "closed by the client"
        settings = self._settings
        _explain(streamInfo, problem.reason, problem.code)
        if settings.strict and size >= settings.most:
            return self._tooLarge(streamInfo)
        _note(streamInfo, "ClientHelloNotDetected")
        settings.stats.tls_not_found.value += 1
        return (Verdict.REJECT, problem.reason) if settings.strict else _DONE

    def _tooLarge(self, streamInfo: StreamInfo) -> tuple[Verdict, int | str]:
        self._settings.stats.client_hello_too_large.value += 1
        _note(streamInfo, "ClientHelloTooLarge")
        return Verdict.REJECT, "ClientHello too large"


def _note(streamInfo: StreamInfo, reason: str) -> None:
    streamInfo.dynamicMetadata[METADATA] = {"failure_reason": reason}


def _explain(streamInfo: StreamInfo, reason: str, code: int) -> None:
    """In the words that BoringSSL would leave in the log."""
    error = f"error:{0x10000000 + code:08x}:SSL_routines:OPENSSL_internal:{reason}"
    streamInfo.inspectionFailureReason = f"TLS_error|{error}:TLS_error_end"
