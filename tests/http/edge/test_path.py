"""Tests for twisted_envoy.http.edge.path; the tables are what Envoy 1.40 did."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.edge.path import canonicalPath, mergeSlashes, unescapeSlashes

CANONICAL = {
    b"/up//x/./y/../z%2Fq%5c": b"/up//x/z%2Fq%5c",
    b"/": b"/",
    b"/../up": b"/up",
    b"/a/..": b"/",
    b"/a/.": b"/a/",
    b"/a/./": b"/a/",
    b"/a/../": b"/",
    b"/a/../../b": b"/b",
    b"/%2e%2e/b": b"/b",
    b"/a/%2E/b": b"/a/b",
    b"/a/.%2e/b": b"/b",
    b"/a/...": b"/a/...",
    b"/a..b": b"/a..b",
    b"/a/..b": b"/a/..b",
    b"/%41%7e%2d": b"/A~-",
    b"/%zz": b"/%zz",
    b"/%": b"/%",
    b"/%4": b"/%4",
    b"/%00": None,
    b"/a/%00/..": None,
    b"/%2": b"/%2",
    b"/%252e": b"/%252e",
    b"//": b"//",
    b"//a": b"//a",
    b"/a//": b"/a//",
    b"/a\\b": b"/a/b",
    b"/a%5cb": b"/a%5cb",
    b"/a\\..\\b": b"/b",
    b"/a\\.\\b": b"/a/b",
    b"/a/.\\b": b"/a/b",
    b"/a/..\\": b"/",
    b"/%25%34%31": b"/%2541",
    b"/%4%31": b"/%2541",
    b"/%%34%31": b"/%2541",
    b"/%%341": b"/%2541",
    b"/%%34g": b"/%4g",
    b"/%%34": b"/%4",
    b"/%4%3g": b"/%4%3g",
    b"/%a%31/%%32%45": b"/%25a1/%252E",
    b"/%%41": b"/%A",
    b"/%g%31": b"/%g1",
    b"/%%": b"/%%",
    b"/%%%34%31": b"/%%2541",
    b"/%4%31%4%31": b"/%2541%2541",
    b"/a%/../%41": b"/A",
    b"/a%/..%41": b"/a%/..A",
    b"/%/..%41%41": b"/%/..AA",
    b"/%4%2e": b"/%4.",
    b"/%2%2e/x": b"/%2./x",
    b"/%2%46": b"/%252F",
    b"/a/%4%2f": b"/a/%4%2f",
    b"/a/.%": b"/a/.%",
    b"/a/.%2": b"/a/.%2",
    b"/a/%2e%2": b"/a/.%2",
    b"/a/..%2fb": b"/a/..%2fb",
    b"/a/%2e": b"/a/",
    b"/a/%2e%2e": b"/",
    b"/a/%2e%2e%2f..": b"/a/..%2f..",
    b"/%c3%a9": b"/%c3%a9",
    b"/a/b/../..": b"/",
    b"/a//../b": b"/a/b",
    b"/a/b//../../c": b"/a/c",
    b"/..": b"/",
    b"/.": b"/",
    b"/a%23b%3f": b"/a%23b%3f",
    b"/a/..;/c": b"/c",
    b"/a/..;x=1;y/c": b"/c",
    b"/a/.;x/c": b"/a/c",
    b"/a/;/c": b"/a/;/c",
    b"/a/...;/c": b"/a/...;/c",
    b"/a/b;x/c": b"/a/b;x/c",
    b"/a/..;x": b"/",
    b"/a/.;": b"/a/",
    b"/a/%2e%2e;x/c": b"/a/..;x/c",
    b"/a/..%3bx/c": b"/a/..%3bx/c",
    b"/..;/..;/c": b"/c",
    b"/a/..;\\c": b"/",
    b"/a/b/..;x%2fy/c": b"/a/c",
    b"/a/..\\;/c": b"/;/c",
    b"/a/.;b/..;c/d": b"/d",
}
"""Path -> what normalize_path made of it, None for 400."""

MERGED = {
    b"/": b"/",
    b"/a/b": b"/a/b",
    b"//": b"//",
    b"///": b"//",
    b"//a": b"/a",
    b"/a//": b"/a/",
    b"/up//x/./y/../z": b"/up/x/./y/../z",
    b"/a//../b": b"/a/../b",
}

UNESCAPED = {
    b"/": b"/",
    b"/%2f": b"//",
    b"/z%2Fq%5c": b"/z/q\\",
    b"/%5C..": b"/\\..",
    b"/%252f%2e": b"/%252f%2e",
}

ESCAPED = b'"<>^`{|} \x01\x1f\x7f\x80\xff'
UNRESERVED = b"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PATHS = st.lists(
    st.sampled_from(
        (
            b"/",
            b".",
            b"..",
            b"%",
            b"%2e",
            b"%2F",
            b"%41",
            b"4",
            b"1",
            b";",
            b"a",
            b"\\",
            b"//",
            b"%25",
        )
    ),
    max_size=12,
).map(lambda pieces: b"/" + b"".join(pieces))


class CanonicalTests(SynchronousTestCase):
    """normalize_path."""

    def test_table(self) -> None:
        """What Envoy did."""
        for path, expected in CANONICAL.items():
            self.assertEqual(canonicalPath(path), expected, path)

    def test_everyByte(self) -> None:
        """What is no path character is escaped; a NUL is refused."""
        for byte in set(range(1, 256)) - set(b"%#?\\/."):
            made = (
                b"%%%02X" % byte if byte in ESCAPED or byte < 33 or byte > 126 else bytes((byte,))
            )
            self.assertEqual(canonicalPath(b"/x" + bytes((byte,)) + b"y"), b"/x" + made + b"y")
        self.assertIsNone(canonicalPath(b"/x\0y"))

    def test_everyEscape(self) -> None:
        """Only what is unreserved is decoded."""
        for byte in range(1, 256):
            escape = b"%%%02x" % byte
            made = bytes((byte,)) if byte in UNRESERVED else escape
            self.assertEqual(canonicalPath(b"/x" + escape + b"y"), b"/x" + made + b"y")

    @given(PATHS)
    def test_noDotSegmentIsLeft(self, path: bytes) -> None:
        """However it is spelt, and nothing is escaped that began no escape."""
        made = canonicalPath(path)

        assert made is not None
        self.assertTrue(made.startswith(b"/"))
        self.assertNotIn(b"\\", made)
        self.assertFalse({b".", b".."} & set(made.split(b"/")), made)

    @given(PATHS)
    def test_nothingIsDecodedTwice(self, path: bytes) -> None:
        """A canonical path is its own; but for parameters that an escaped dot segment had."""
        made = canonicalPath(path)

        assert made is not None
        if b".;" not in made:
            self.assertEqual(canonicalPath(made), made)


class SlashTests(SynchronousTestCase):
    """merge_slashes, path_with_escaped_slashes_action."""

    def test_merged(self) -> None:
        """What Envoy did."""
        for path, expected in MERGED.items():
            self.assertEqual(mergeSlashes(path), expected, path)

    def test_unescaped(self) -> None:
        """What Envoy did."""
        for path, expected in UNESCAPED.items():
            self.assertEqual(unescapeSlashes(path), expected, path)
