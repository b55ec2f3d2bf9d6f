"""Tests for twisted_envoy.codec.tls_fingerprints; every fingerprint here is Envoy 1.40's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.test_tls_hello import extension, hello, protocols, serverName
from twisted_envoy.codec.tls_fingerprints import isReserved, ja3, ja4
from twisted_envoy.codec.tls_hello import ClientHello, parseClientHello

GROUPS = extension(10, b"\x00\x06\x0a\x0a\x00\x1d\x00\x17")
FORMATS = extension(11, b"\x03\x00\x01\x02")
SIGNATURES = extension(13, b"\x00\x08\x04\x03\x08\x04\x1a\x1a\x04\x01")
VERSIONS = extension(43, b"\x06\x5a\x5a\x03\x04\x03\x03")
CIPHERS = b"\x2a\x2a\x13\x01\x13\x02\xc0\x2b\x00\x2f"
USUAL = (
    serverName(b"a.test") + GROUPS + FORMATS + protocols(b"h2", b"http/1.1") + SIGNATURES + VERSIONS
)


def taken(message: bytes) -> str:
    """Both fingerprints."""
    parsed = parseClientHello(message[4:])
    return f"{ja3(parsed)} {ja4(parsed)}"


class FingerprintTests(SynchronousTestCase):
    """Of hellos of every kind."""

    def test_usual(self) -> None:
        """Reserved numbers count in two places only."""
        expected = "c891275b851803ed4495c4faeb428457 t13d0406h2_52f89ac5ce33_3cee288b4f92"
        reserved = extension(0x1A1A, b"") + USUAL + extension(0xFAFA, b"\0")

        self.assertEqual(taken(hello(USUAL, ciphers=CIPHERS)), expected)
        self.assertEqual(taken(hello(reserved, ciphers=CIPHERS)), expected)

    def test_nothing(self) -> None:
        """No extensions; nothing but reserved ones."""
        self.assertEqual(
            taken(hello(None)),
            "f5f3e5b7caf5d500a1209b5bdf5bc9a0 t12i020000_37f356531c84_000000000000",
        )
        self.assertEqual(
            taken(hello(extension(0x3A3A, b""), ciphers=b"\x0a\x0a")),
            "bddda940f9963577c41d7c28b1a5f65f t12i000000_000000000000_000000000000",
        )

    def test_protocols(self) -> None:
        """Characters, or digits of what is none."""
        for name, text in (
            (b"x", "xx"),
            (b"\xab\x01\xcd", "ad"),
            (b"-a", "21"),
            (b"Z\xfe", "5e"),
            (b"\x05", "05"),
        ):
            self.assertEqual(
                taken(hello(protocols(name))).split()[1],
                f"t12i0201{text}_37f356531c84_000000000000",
            )

    def test_versions(self) -> None:
        """The newest that is offered, known or not."""
        for offered, text in (
            (b"\x04\x03\x01\x03\x02", "11"),
            (b"\0", "12"),
            (b"\4\x7f\x1c\x03\x03", "00"),
        ):
            self.assertTrue(taken(hello(extension(43, offered))).split()[1].startswith("t" + text))

    def test_many(self) -> None:
        """Counts have two digits."""
        many = b"".join(extension(number, b"") for number in range(1000, 1120))

        self.assertEqual(
            taken(hello(many, ciphers=b"\xc0\x2f" * 120)),
            "c66f390c7f8ac3a905ff8cc35624f876 t12i999900_c0449aa51405_9a64cc934c88",
        )

    def test_brokenLists(self) -> None:
        """Lists that are not what they say."""
        body = extension(10, b"\0\x20\0\x17") + extension(11, b"\7\0")
        odd = extension(10, b"\0\3\0\x1d\0") + extension(13, b"\0\3\4\3\5")

        self.assertEqual(taken(hello(body)).split()[0], "0f5fea10351009462bc9626264e4ce72")
        self.assertEqual(
            taken(hello(odd)),
            "e8bdee3981b17586cb486cc92a037dc6 t12i020200_37f356531c84_63be3268461f",
        )

    def test_reserved(self) -> None:
        """Sixteen of them."""
        found = [number for number in range(0x10000) if isReserved(number)]

        self.assertEqual((len(found), found[0], found[-1]), (16, 0x0A0A, 0xFAFA))

    @given(st.binary(), st.dictionaries(st.integers(0, 60), st.binary(max_size=9)))
    def test_anything(self, ciphers: bytes, extensions: dict[int, bytes]) -> None:
        """Whatever a client says has fingerprints of the same form."""
        parsed = ClientHello(0x0303, "", (), ciphers, extensions)

        self.assertEqual(len(ja3(parsed)), 32)
        self.assertEqual([len(part) for part in ja4(parsed).split("_")], [10, 12, 12])
