"""Tests for twisted_envoy.http.edge.referer; the tables are what Envoy 1.40 did."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.edge.referer import isReferer

KEPT = (
    *(b"", b"/", b"a", b"a/b:c", b"/foo", b"//a/b", b"*", b"http://a.b/c?x", b"ftp://a/b"),
    *(b"HTTP://a/", b"http://[::1]/x", b"http://[::1]:80/", b"android-app://com.x/", b"http://a.b"),
    *(b"http://a:0/", b"http://a:65535/", b"http://a?b", b"x-y://a", b"x1://a", b"http://a/?b"),
    *(b"http://a.b:80", b"http://a:80?x", b"http://-", b"http://.", b"http://a:00080/"),
    *(b"http://a.b/c,http://b/", b"http://[1.2.3.4]/", b"http://a:" + b"0" * 24 + b"80/"),
)
REMOVED = (
    *(b"not a url", b"http://", b"http:///x", b"https://a:99999/", b"about:blank", b"http://a b/"),
    *(b"http://user:pw@a/x", b"http://[::1", b"http://a:port/", b"a:b", b"?a:b", b"#x", b"/a?b#c"),
    *(b"http:a", b"http:/a", b"http://a:", b"http://a:/", b"http://a:65536/", b"http://a#b"),
    *(b"http://a/#b", b"http://a@b", b"http://[::1]x", b"http://[]/", b"http://[zz]/", b"/a b"),
    *(b"http://[1:2]/", b"http://[:::]/", b"http://[abcd]/", b"http://[::1::]", b"http://[.]/"),
    *(b"http://a:99999999999999999999/", b"http://[::1]:/"),
    *(b"http://[fe80::1%25e]/", b"http://a/b#c#d", b"http://*", b"http://_", b"http://a/b c"),
)
PRINTABLE = range(33, 256)


class RefererTests(SynchronousTestCase):
    """What is passed on."""

    def test_kept(self) -> None:
        """URLs, absolute and relative."""
        self.assertEqual([each for each in KEPT if not isReferer(each)], [])

    def test_removed(self) -> None:
        """What is none."""
        self.assertEqual([each for each in REMOVED if isReferer(each)], [])

    def test_everyByte(self) -> None:
        """In each place."""
        high = bytes(range(127, 256))
        for before, after, refused in (
            (b"/a", b"b", b'"#<>[\\]^`{|}' + high),
            (b"a", b"b", b'"#:<>[\\]^`{|}' + high),
            (b"http://a", b"b/", b"!\"#$%&'()*+,:;<=>@[\\]^_`{|}~" + high),
            (b"http://a/x", b"y", b"#" + high),
            (b"h", b"://a/", b"!\"#$%&'()*,:;<=>?@[\\]^_`{|}~" + high),
        ):
            found = bytes(
                byte for byte in PRINTABLE if not isReferer(before + bytes((byte,)) + after)
            )
            self.assertEqual(found, refused, before)
