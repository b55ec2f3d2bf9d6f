"""Which encoding a client gets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.filters.http.compressor.negotiation import (
    Choice,
    Verdict,
    chooseEncoding,
)

_BOTH = ((b"gzip", False), (b"br", False))


class ChooseEncodingTests(SynchronousTestCase):
    """As real Envoy 1.40 answered."""

    def check(self, cases: str, verdict: Verdict, offers=_BOTH) -> None:
        """Lines of what is accepted and what is chosen."""
        for line in cases.strip().splitlines():
            accepted, _, encoding = line.strip().rpartition(" -> ")
            self.assertEqual(
                chooseEncoding(accepted.encode(), offers), Choice(encoding.encode(), verdict), line
            )

    def test_valid(self) -> None:
        """The highest q, and the first of equals."""
        self.check(
            """
            gzip -> gzip
            br -> br
            gzip, br -> gzip
            br, gzip -> br
            br;q=0.5, gzip;q=0.8 -> gzip
            br;q=0.8, gzip;q=0.8 -> br
            gzip; q = 0.3 -> gzip
            gzip; Q=.3 -> gzip
            gzip;x=1 -> gzip
            zstd, gzip;q=0.1 -> gzip
            gzip;q=0.5;x=1, br;q=0.4 -> br
            gzip;q=0, br;q=1e-1 -> br
            """,
            Verdict.VALID,
        )

    def test_wildcard(self) -> None:
        """The first that is offered and not refused."""
        self.check(
            """
            * -> gzip
            *;q=0.5, br;q=0.2 -> gzip
            gzip;q=0, * -> br
            """,
            Verdict.WILDCARD,
        )

    def test_identity(self) -> None:
        """It is always there."""
        self.check(
            """
            identity -> identity
            identity;q=1, gzip;q=0.5 -> identity
            gzip;q=1e-1,identity;q=0.2 -> identity
            """,
            Verdict.IDENTITY,
        )

    def test_notValid(self) -> None:
        """Nothing that is known, or nothing that is wanted."""
        self.check(
            """
            GZIP -> identity
            gzip;q=x -> identity
            deflate -> identity
            , -> identity
            *;q=0 -> identity
            gzip;q=0 -> identity
            gzip;q=0, br;q=0, * -> identity
            """,
            Verdict.NOT_VALID,
        )
        self.check("gzip -> identity", Verdict.NOT_VALID, ())
        self.assertIs(chooseEncoding(b"", _BOTH).verdict, Verdict.NOT_VALID)

    def test_first(self) -> None:
        """One that goes before what is liked as much."""
        offers = ((b"gzip", False), (b"br", True))
        self.check("gzip, br -> br\ngzip;q=0.9, br;q=0.8 -> gzip", Verdict.VALID, offers)

    def test_twoOfOneKind(self) -> None:
        """The first counts."""
        offers = ((b"gzip", False), (b"br", False), (b"br", True))
        self.check("gzip, br -> gzip", Verdict.VALID, offers)

    @given(st.text("gzipbr;,q=.01* "))
    def test_anything(self, text: str) -> None:
        """An answer, and never one that is not offered."""
        choice = chooseEncoding(text.encode(), _BOTH)
        self.assertIn(choice.encoding, (b"gzip", b"br", b"identity"))
