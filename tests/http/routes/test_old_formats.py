"""Commands as they were written once."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.routes.old_formats import translated


class OldFormatTests(SynchronousTestCase):
    """What becomes of the values of headers; what real Envoy makes of them."""

    def made(self, text: str) -> str:
        """It; `told` are the warnings."""
        self.told: list[tuple[str, str]] = []
        return translated(text, lambda *what: self.told.append(what))

    def test_changed(self) -> None:
        """Each is told."""
        for old, new in (
            ('%UPSTREAM_METADATA(["ns","z"])%', "%UPSTREAM_METADATA(ns:z)%"),
            ('a%DYNAMIC_METADATA( [ "ns" , "z" ] )%b', "a%DYNAMIC_METADATA(ns:z)%b"),
            ('%UPSTREAM_METADATA(["ns"])%', "%UPSTREAM_METADATA(ns)%"),
            ('%DYNAMIC_METADATA(["n\\u0041"])%', "%DYNAMIC_METADATA(nA)%"),
            ("%PER_REQUEST_STATE(k)%", "%FILTER_STATE(k:PLAIN)%"),
        ):
            self.assertEqual(self.made(old), new)
            [(text, field)] = self.told
            self.assertIn(new.strip("ab"), text)
            self.assertEqual(field, "value")

    def test_several(self) -> None:
        """Each one in a text."""
        made = self.made(
            '%DYNAMIC_METADATA(["a"])% %DYNAMIC_METADATA(["b"])%%PER_REQUEST_STATE(k)%'
        )
        self.assertEqual(made, "%DYNAMIC_METADATA(a)% %DYNAMIC_METADATA(b)%%FILTER_STATE(k:PLAIN)%")
        self.assertEqual(len(self.told), 3)

    def test_same(self) -> None:
        """What is no list of keys, and every other command."""
        for text in (
            '%DYNAMIC_METADATA(["ns", 1])%',
            "%DYNAMIC_METADATA([])%",
            "%DYNAMIC_METADATA(['a'])%",
            '%CLUSTER_METADATA(["ns","z"])%',
            '%DYNAMIC_METADATA(["ns"]):3%',
            "%DYNAMIC_METADATA(ns:z)%",
            "%REQ(a)%",
        ):
            self.assertEqual(self.made(text), text)
            self.assertEqual(self.told, [])
