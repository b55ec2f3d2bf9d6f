"""Tests for twisted_envoy.formatter.operators.addresses."""

from __future__ import annotations

from twisted.internet.address import IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import bareRecord, ipv4
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.operators.addresses import hostNameWithoutPort, maskedText
from twisted_envoy.formatter.text import compileText
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.state.stream_info import FormatContext


def recordFor(local: IAddress | None, remote: IAddress | None = None) -> FormatContext:
    record = bareRecord()
    info = record.streamInfo
    info.localAddress = info.directLocalAddress = local
    info.remoteAddress = info.directRemoteAddress = remote
    return record


class AddressTests(SynchronousTestCase):
    def test_ipAddresses(self) -> None:
        """Whole, without port, the port as a number."""
        record = recordFor(ipv4("127.0.0.1", 80), IPv6Address("TCP", "::1", 8080))

        line = compileJSON(
            {
                "a": "%DOWNSTREAM_LOCAL_ADDRESS%",
                "b": "%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%",
                "c": "%DOWNSTREAM_LOCAL_PORT%",
                "d": "%DOWNSTREAM_REMOTE_ADDRESS%",
                "e": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
                "f": "%DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID%",
            }
        )(record)

        self.assertEqual(
            line,
            '{"a":"127.0.0.1:80","b":"127.0.0.1","c":80,"d":"[::1]:8080","e":"::1","f":""}\n',
        )

    def test_internalAddresses(self) -> None:
        """The same text with and without port; the port is empty, and null in JSON."""
        record = recordFor(InternalAddress("inn", "ep"))

        text = compileText(
            "%DOWNSTREAM_LOCAL_ADDRESS%|%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%|"
            "%DOWNSTREAM_LOCAL_PORT%|%DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID%|"
            "%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT(24)%"
        )(record)

        self.assertEqual(text, "envoy://inn/ep|envoy://inn/ep||ep|")
        self.assertEqual(compileJSON({"p": "%DOWNSTREAM_LOCAL_PORT%"})(record), '{"p":null}\n')

    def test_noAddress(self) -> None:
        """Everything is unset."""
        text = compileText(
            "%DOWNSTREAM_LOCAL_ADDRESS%%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT(8)%"
            "%DOWNSTREAM_LOCAL_PORT%%DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID%"
        )(recordFor(None))

        self.assertEqual(text, "----")

    def test_directAddressesStay(self) -> None:
        """A restored address changes the one without `DIRECT` only."""
        record = recordFor(ipv4("127.0.0.1", 80), ipv4("127.0.0.2", 81))
        record.streamInfo.localAddress = ipv4("10.0.0.1", 443)
        record.streamInfo.remoteAddress = ipv4("10.0.0.2", 444)

        text = compileText(
            "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_DIRECT_LOCAL_ADDRESS% "
            "%DOWNSTREAM_REMOTE_PORT% %DOWNSTREAM_DIRECT_REMOTE_PORT%"
        )(record)

        self.assertEqual(text, "10.0.0.1:443 127.0.0.1:80 444 81")


class MaskTests(SynchronousTestCase):
    def test_numbersMask(self) -> None:
        """Any whole number does; what is no number is ignored, as in Envoy."""
        record = recordFor(ipv4("127.0.0.1", 80))
        texts = {
            "24": "127.0.0.0/24",
            "8": "127.0.0.0/8",
            "0": "0.0.0.0/0",
            "32": "127.0.0.1/32",
            "129": "127.0.0.1/32",
            "-1": "",
            "/24": "127.0.0.1",
            "x": "127.0.0.1",
            "": "127.0.0.1",
        }
        for argument, expected in texts.items():
            format = compileText(f"%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT({argument})%")
            self.assertEqual(format(record), expected, argument)

    def test_otherFamilies(self) -> None:
        """IPv6 up to 128 bits, zones dropped; a path has no mask."""
        address = IPv6Address("TCP", "fe80::1:2%lo", 80)

        self.assertEqual(maskedText(address, 64), "fe80::/64")
        self.assertEqual(maskedText(address, 500), "fe80::1:2/128")
        self.assertEqual(maskedText(UNIXAddress(b"/a"), 8), "")


class HostNameTests(SynchronousTestCase):
    def test_withoutPort(self) -> None:
        """What stands before the last colon."""
        names = {
            "a.b:80": "a.b",
            "a.b": "a.b",
            "[::1]:80": "::1",
            "envoy://inn/ep": "envoy",
            "": "",
        }
        self.assertEqual({name: hostNameWithoutPort(name) for name in names}, names)
