"""JA3 and JA4: the same fingerprints of the same hellos."""

from __future__ import annotations

from tests.bootstraps import echo, listener, logTo, typed
from tests.codec.test_tls_hello import extension, hello, protocols, record, serverName
from tests.parity.support import ParityTestCase, Side, served

GREASE = b"\x0a\x0a"
GROUPS = extension(10, b"\x00\x06" + GREASE + b"\x00\x1d\x00\x17")
FORMATS = extension(11, b"\x03\x00\x01\x02")
SIGNATURES = extension(13, b"\x00\x08\x04\x03\x08\x04" + b"\x1a\x1a" + b"\x04\x01")
VERSIONS = extension(43, b"\x06" + b"\x5a\x5a" + b"\x03\x04\x03\x03")
NAME = serverName(b"a.test")
CIPHERS = b"\x2a\x2a\x13\x01\x13\x02\xc0\x2b\x00\x2f"


def hellos() -> dict[str, bytes]:
    """What clients may say, by what is special about it."""
    usual = NAME + GROUPS + FORMATS + protocols(b"h2", b"http/1.1") + SIGNATURES + VERSIONS
    many = b"".join(extension(number, b"") for number in range(1000, 1120))
    return {
        "usual": hello(usual, ciphers=CIPHERS),
        "reserved": hello(
            extension(0x1A1A, b"") + usual + extension(0xFAFA, b"\0"), ciphers=CIPHERS
        ),
        "none": hello(None),
        "empty": hello(b""),
        "onlyName": hello(NAME),
        "noName": hello(GROUPS + FORMATS + VERSIONS),
        "onlyReserved": hello(extension(0x3A3A, b""), ciphers=GREASE),
        "oneProtocol": hello(protocols(b"x")),
        "oddProtocol": hello(protocols(b"\xab\x01\xcd")),
        "oddFirst": hello(protocols(b"-a")),
        "oddLast": hello(protocols(b"Z\xfe")),
        "oddOnly": hello(protocols(b"\x05")),
        "badProtocols": hello(extension(16, b"\0\3\2a")),
        "emptyGroups": hello(
            extension(10, b"\0\0") + extension(11, b"\0") + extension(13, b"\0\0")
        ),
        "oddGroups": hello(extension(10, b"\0\3\0\x1d\0") + extension(13, b"\0\3\4\3\5")),
        "noBodies": hello(extension(10, b"") + extension(11, b"") + extension(13, b"")),
        "shortLists": hello(extension(10, b"\0\x20\0\x17") + extension(11, b"\7\0")),
        "trailing": hello(extension(10, b"\0\2\0\x17\0\x18") + extension(13, b"\0\2\4\3\5\3")),
        "oldVersion": hello(NAME, version=b"\x03\x01"),
        "middleVersion": hello(NAME, version=b"\x03\x02"),
        "versionsDown": hello(extension(43, b"\x04\x03\x01\x03\x02")),
        "noVersions": hello(extension(43, b"\0")),
        "strangeVersions": hello(extension(43, b"\4\x7f\x1c\x03\x03")),
        "manyExtensions": hello(many, ciphers=b"\xc0\x2f" * 120),
    }


class FingerprintTests(ParityTestCase):
    """One listener logs both."""

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        inspector = typed(
            "tls",
            "filters.listener.tls_inspector.v3.TlsInspector",
            enable_ja3_fingerprinting=True,
            enable_ja4_fingerprinting=True,
        )
        log = logTo("hello.log", "%TLS_JA3_FINGERPRINT% %TLS_JA4_FINGERPRINT%")
        made = listener("l", "127.0.0.1:0", echo(), listener_filters=[inspector], access_log=log)
        silent = typed("tls", "filters.listener.tls_inspector.v3.TlsInspector")
        log = logTo("silent.log", "%TLS_JA3_FINGERPRINT% %TLS_JA4_FINGERPRINT%")
        other = listener("s", "127.0.0.1:0", echo(), listener_filters=[silent], access_log=log)
        return served([made, other])

    def test_hellos(self) -> None:
        """Line by line."""
        seen = 0
        for name, message in hellos().items():
            seen += 1

            def scenario(side: Side, message: bytes = message, count: int = seen) -> list[str]:
                peer = side.connect("l")
                peer.send(record(message))
                peer.receive(1)
                peer.close()
                return side.program.lines("hello.log", count)[count - 1 :]

            with self.subTest(name):
                self.same(scenario)

    def test_notAskedFor(self) -> None:
        """Nobody takes them unless told to."""

        def scenario(side: Side) -> list[str]:
            peer = side.connect("s")
            peer.send(record(hellos()["usual"]))
            peer.receive(1)
            peer.close()
            return side.program.lines("silent.log", 1)

        self.assertEqual(self.same(scenario), ["- -"])
