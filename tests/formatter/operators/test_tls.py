"""Tests for twisted_envoy.formatter.operators.tls."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from tests.formatter.records import fullRecord
from twisted_envoy.codec.tls_info import CertificateInfo
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import compileText
from twisted_envoy.state.stream_info import FormatContext, StreamInfo, UpstreamInfo

AUTHORITY = Authority("root")
PEER = AUTHORITY.issue("a.test", "b.test", "10.0.0.1", common="peer", uris=["spiffe://x/y"])


class Known:
    """What a TLSInfo says."""

    version = "TLSv1.3"
    cipher = "TLS_AES_128_GCM_SHA256"
    group = "X25519"
    sessionID = ""
    serverName = "asked.test"
    begun, done = 1.0, 1.25
    peer = CertificateInfo(PEER.certificate)
    local: Any = CertificateInfo(AUTHORITY.issue("here.test", common="here").certificate)
    issuer: Any = CertificateInfo(AUTHORITY.certificate)
    peerChain = (peer, issuer)


def shown(source: str, tls: object = None) -> str:
    """A text of a connection with this TLS on both sides."""
    info = StreamInfo(0.0)
    info.tls = Known() if tls is None else tls
    info.upstream = UpstreamInfo("c")
    info.upstream.tls = info.tls
    return compileText(source)(FormatContext(info))


class TLSTests(SynchronousTestCase):
    def test_unsetWithoutTLS(self) -> None:
        """A plain connection has no certificate."""
        text = compileText(
            "%DOWNSTREAM_TLS_VERSION% %UPSTREAM_PEER_SUBJECT% %TLS_JA3_FINGERPRINT% "
            "%DOWNSTREAM_PEER_CERT_V_START(%Y)%"
        )(fullRecord())

        self.assertEqual(text, "- - - -")

    def test_timeFormatsAreChecked(self) -> None:
        """A newline is refused as in any time."""
        self.assertRaises(FormatError, compileText, "%UPSTREAM_PEER_CERT_V_END(%n)%")

    def test_connection(self) -> None:
        """What was agreed on."""
        self.assertEqual(
            shown(
                "%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_TLS_CIPHER% %UPSTREAM_TLS_GROUP% "
                "%DOWNSTREAM_TLS_SESSION_ID% %UPSTREAM_SERVER_NAME% %DOWNSTREAM_HANDSHAKE_DURATION%"
            ),
            "TLSv1.3 TLS_AES_128_GCM_SHA256 X25519 - asked.test 250",
        )

    def test_names(self) -> None:
        """Several names are joined; none is no value."""
        self.assertEqual(
            shown(
                "%DOWNSTREAM_PEER_DNS_SAN% %DOWNSTREAM_PEER_URI_SAN% %UPSTREAM_PEER_IP_SAN% "
                "%DOWNSTREAM_PEER_EMAIL_SAN% %DOWNSTREAM_LOCAL_DNS_SAN% %UPSTREAM_PEER_SUBJECT% "
                "%UPSTREAM_PEER_ISSUER% %DOWNSTREAM_LOCAL_SUBJECT%"
            ),
            "a.test,b.test spiffe://x/y 10.0.0.1 - here.test CN=peer CN=root CN=here",
        )

    def test_fingerprints(self) -> None:
        """Of the certificate, its issuer, and all of the chain."""
        peer, root = Known.peerChain

        self.assertEqual(
            shown(
                "%DOWNSTREAM_PEER_FINGERPRINT_256% %DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256% "
                "%DOWNSTREAM_PEER_CHAIN_SERIALS% %DOWNSTREAM_PEER_FINGERPRINT_1%"
            ),
            f"{peer.sha256} {root.sha256} {peer.serial},{root.serial} {peer.sha1}",
        )

    def test_noPeerCertificate(self) -> None:
        """A client need not have one."""

        class Anonymous(Known):
            peer = local = issuer = None  # type: ignore[assignment]
            peerChain = ()  # type: ignore[assignment]

        self.assertEqual(
            shown(
                "%DOWNSTREAM_PEER_SUBJECT% %DOWNSTREAM_PEER_CERT% %DOWNSTREAM_PEER_CERT_V_START% "
                "%DOWNSTREAM_PEER_CHAIN_SERIALS% %DOWNSTREAM_PEER_ISSUER_SERIAL% "
                "%DOWNSTREAM_LOCAL_URI_SAN%",
                Anonymous(),
            ),
            "- - - - - -",
        )

    def test_validity(self) -> None:
        """In any format of times."""
        year = PEER.certificate.not_valid_after_utc.strftime("%Y-%m-%d")

        self.assertEqual(shown("%DOWNSTREAM_PEER_CERT_V_END(%Y-%m-%d)%"), year)

    def test_certificate(self) -> None:
        """Percent-encoded, in PEM."""
        self.assertTrue(shown("%UPSTREAM_PEER_CERT%").startswith("-----BEGIN%20CERTIFICATE"))

    def test_hello(self) -> None:
        """Fingerprints of the client's hello."""
        info = StreamInfo(0.0)
        info.ja3, info.ja4 = "three", "four"
        text = compileText("%TLS_JA3_FINGERPRINT% %TLS_JA4_FINGERPRINT%")

        self.assertEqual(text(FormatContext(info)), "three four")
        self.assertEqual(text(FormatContext(StreamInfo(0.0))), "- -")
