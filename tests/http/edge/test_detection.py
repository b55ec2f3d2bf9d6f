"""Tests for twisted_envoy.http.edge.detection; what is expected is what Envoy 1.40 did."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.http.edge.support import connectionFrom, requestOf
from twisted_envoy.http.edge.detection import cidrDetector, lastAddress, readAddress, xffDetector
from twisted_envoy.network.cidr import CIDRTable, parseCIDR
from twisted_envoy.state.addresses import addressText

XFF = b"x-forwarded-for"


class ReadingTests(SynchronousTestCase):
    """readAddress."""

    def test_table(self) -> None:
        """Whole addresses only; IPv6 comes out in its usual form."""
        for text, expected in (
            (b"1.2.3.4", "1.2.3.4:0"),
            (b"2001:DB8:0::1", "[2001:db8::1]:0"),
            (b"fe80::1%eth0", "[fe80::1%eth0]:0"),
            (b"::ffff:1.2.3.4", "[::ffff:1.2.3.4]:0"),
            (b"1.2.3", None),
            (b"1.2.3.4:80", None),
            (b"[::1]", None),
            (b"", None),
            (b"junk", None),
            (b"1.2.3.4\0", None),
            (b"\xff.1", None),
            (b"\xff", None),
        ):
            found = readAddress(text)
            self.assertEqual(None if found is None else addressText(found), expected, text)

    @given(st.binary(max_size=40))
    def test_anything(self, text: bytes) -> None:
        """What a client sends raises nothing."""
        readAddress(text)
        lastAddress(text, 0)
        lastAddress(text, 3)


class XFFTests(SynchronousTestCase):
    """x-forwarded-for with trusted hops."""

    def test_trusted(self) -> None:
        """Only a single entry may make a request internal."""
        for value, skip, expected in (
            (None, 0, (None, False)),
            (b"1.1.1.1", 0, ("1.1.1.1", True)),
            (b"1.1.1.1", 1, (None, False)),
            (b"1.1.1.1,2.2.2.2", 0, ("2.2.2.2", False)),
            (b"1.1.1.1, 2.2.2.2", 1, ("1.1.1.1", False)),
            (b"1.1.1.1,2.2.2.2,3.3.3.3", 1, ("2.2.2.2", False)),
            (b"junk", 0, (None, False)),
        ):
            address, trusted = lastAddress(value, skip)
            host = None if address is None else address.host
            self.assertEqual((host, trusted), expected, (value, skip))

    def test_detector(self) -> None:
        """All values of the header count."""
        headers = requestOf((XFF, b"1.1.1.1"), (XFF, b"2.2.2.2"))
        found = xffDetector(1, False)(headers, connectionFrom())

        self.assertEqual(found.address.host, "1.1.1.1")
        self.assertEqual((found.trusted, found.skipsAppend), (False, False))


class TrustedCIDRTests(SynchronousTestCase):
    """x-forwarded-for with trusted proxies."""

    def detect(self, value, peer="127.0.0.1"):
        """address, trusted, skipsAppend."""
        ranges = [parseCIDR("127.0.0.0", 8), parseCIDR("10.0.0.0", 8)]
        detector = cidrDetector(CIDRTable((each, True) for each in ranges))
        headers = requestOf(*([] if value is None else [(XFF, value)]))
        found = detector(headers, connectionFrom(peer))
        host = None if found.address is None else found.address.host
        return host, found.trusted, found.skipsAppend

    def test_table(self) -> None:
        """The last that is none of them; the first when all are."""
        for value, expected in (
            (None, (None, False, True)),
            (b"", (None, False, True)),
            (b"10.0.0.1", ("10.0.0.1", True, True)),
            (b"1.2.3.4, 10.0.0.1", ("1.2.3.4", False, True)),
            (b"1.1.1.1,2.2.2.2, 127.0.0.9", ("2.2.2.2", False, True)),
            (b"1.1.1.1,junk, 10.0.0.9", (None, False, True)),
            (b"10.0.0.3, 10.0.0.4", ("10.0.0.3", False, True)),
        ):
            self.assertEqual(self.detect(value), expected, value)

    def test_untrustedPeer(self) -> None:
        """Is not asked; it joins the header, as in Envoy."""
        self.assertEqual(self.detect(b"10.0.0.1", "9.9.9.9"), (None, False, False))
