"""The filter of one connection, fed with first bytes."""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.codec.test_proxy_protocol_reader import BODY4, FOUR, binary, tlv
from twisted_envoy.extensions.filters.listener.proxy_protocol.filter import (
    ProxyProtocol,
    ProxyProtocolSettings,
    ProxyProtocolStats,
)
from twisted_envoy.extensions.filters.listener.proxy_protocol.rules import NAMESPACE, TLVRule
from twisted_envoy.interfaces.network import IListenerFilter, Verdict
from twisted_envoy.state.proxy_protocol import PROXY_PROTOCOL, ProxyProtocolState
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.scope import Store

LINE = b"PROXY TCP4 1.2.3.4 10.0.0.1 1111 80\r\n"
V2 = binary(0x21, 0x11, BODY4 + tlv(2, b"host") + tlv(3, b"x"))
OWN = (IPv4Address("TCP", "127.0.0.1", 80), IPv4Address("TCP", "127.0.0.1", 9))


class ProxyProtocolTests(SynchronousTestCase):
    """As observed on Envoy 1.40."""

    def setUp(self) -> None:
        self.store = Store()
        self.info = StreamInfo(0.0, *OWN)

    def filter(self, versions: tuple[int, ...] = (1, 2), optional: bool = False) -> ProxyProtocol:
        """One that keeps extensions of type 2 and makes metadata of it."""
        rules = {2: TLVRule(NAMESPACE, "name", False)}
        settings = ProxyProtocolSettings(
            ProxyProtocolStats(self.store, "proxy_proto."),
            frozenset(versions),
            optional,
            rules,
            False,
            lambda kind: kind == 2,
        )
        made = ProxyProtocol(settings)
        verifyObject(IListenerFilter, made)
        return made

    def counted(self) -> dict[str, int]:
        """The counters that are not 0."""
        return {one.name: one.value for one in self.store.numbers() if one.value}

    def test_believed(self) -> None:
        """The addresses of the header are those of the connection; upstreams may be told."""
        for data in (LINE, V2):
            self.info = StreamInfo(0.0, *OWN)
            made = self.filter()
            for at in range(len(data)):
                self.assertEqual(made.feed(data[:at], self.info), (Verdict.NEED_MORE, 0))
            self.assertEqual(made.feed(data + b"hi", self.info), (Verdict.DONE, len(data)))
            self.assertEqual((self.info.remoteAddress, self.info.localAddress), FOUR)
            self.assertEqual(self.info.directRemoteAddress, OWN[1])
            self.assertTrue(self.info.localAddressRestored)
        told = self.info.filterState.get(PROXY_PROTOCOL)
        assert isinstance(told, ProxyProtocolState)
        self.assertEqual((told.source, told.target, told.tlvs), (*FOUR, ((2, b"host"),)))
        self.assertEqual(self.info.dynamicMetadata, {NAMESPACE: {"name": "host"}})
        self.assertEqual(
            self.counted(),
            {"proxy_proto.versions.v1.found": 1, "proxy_proto.versions.v2.found": 1},
        )

    def test_sameTarget(self) -> None:
        """A local address that is the connection's own is not a restored one."""
        self.filter().feed(b"PROXY TCP4 1.2.3.4 127.0.0.1 1111 80\r\n", self.info)
        self.assertFalse(self.info.localAddressRestored)
        self.assertEqual(self.info.remoteAddress, FOUR[0])

    def test_told(self) -> None:
        """What an earlier filter left for upstreams stays."""
        first = ProxyProtocolState(*OWN)
        self.info.filterState.set(PROXY_PROTOCOL, first)
        self.filter().feed(LINE, self.info)
        self.assertIs(self.info.filterState.get(PROXY_PROTOCOL), first)

    def test_aboutItself(self) -> None:
        """Nothing changes."""
        verdict = self.filter().feed(b"PROXY UNKNOWN\r\n", self.info)
        self.assertEqual(verdict, (Verdict.DONE, 15))
        self.assertEqual((self.info.localAddress, self.info.remoteAddress), OWN)
        self.assertIsNone(self.info.filterState.get(PROXY_PROTOCOL))

    def test_noHeader(self) -> None:
        """It goes on where it may, with all its bytes."""
        text = b"GET / HTTP/1.1\r\n\r\n"
        self.assertEqual(self.filter().feed(text, self.info)[0], Verdict.REJECT)
        self.assertEqual(self.filter(optional=True).feed(b"G", self.info), (Verdict.DONE, 0))
        self.assertEqual(self.filter(optional=True).feed(b"", self.info)[0], Verdict.NEED_MORE)
        self.assertEqual(
            self.counted(),
            {
                "downstream_cx_proxy_proto_error": 1,
                "proxy_proto.not_found_allowed": 1,
                "proxy_proto.not_found_disallowed": 1,
            },
        )

    def test_malformed(self) -> None:
        """Refused; what was read before the mistake is metadata all the same."""
        bad = binary(0x21, 0x11, BODY4 + tlv(2, b"ok") + b"\x03")
        self.assertEqual(self.filter().feed(bad, self.info)[0], Verdict.REJECT)
        self.assertEqual(self.info.dynamicMetadata, {NAMESPACE: {"name": "ok"}})
        self.assertEqual(
            self.counted(),
            {"downstream_cx_proxy_proto_error": 1, "proxy_proto.versions.v2.error": 1},
        )

    def test_disallowed(self) -> None:
        """As soon as the version is told, and before anything else is."""
        self.assertEqual(self.filter((2,)).feed(b"PROXY bad\r\n", self.info)[0], Verdict.REJECT)
        self.assertEqual(self.filter((1,)).feed(V2[:16], self.info)[0], Verdict.REJECT)
        self.assertEqual(self.filter((2,), True).feed(LINE, self.info), (Verdict.DONE, 0))
        self.assertEqual(
            self.counted(),
            {
                "proxy_proto.not_found_allowed": 1,
                "proxy_proto.versions.v1.disallowed": 1,
                "proxy_proto.versions.v1.found": 1,
                "proxy_proto.versions.v2.disallowed": 1,
                "proxy_proto.versions.v2.found": 1,
            },
        )
