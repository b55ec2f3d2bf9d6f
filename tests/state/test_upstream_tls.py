"""Filter state that says what TLS to a host asks for."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.state.upstream_tls import ListObject, ServerName


class ObjectTests(SynchronousTestCase):
    """How they print, and what is in them."""

    def test_name(self) -> None:
        """A text, as PLAIN."""
        name = ServerName("a.test")
        self.assertEqual((name.value, name.plainText(), name.typed()), ("a.test", "a.test", None))

    def test_lists(self) -> None:
        """Split at commas, unless the parts are known."""
        self.assertEqual(ListObject("a,,b", True).items, ("a", "", "b"))
        self.assertEqual(ListObject("a,b", True, ("a,b",)).items, ("a,b",))
        self.assertEqual(
            [ListObject("a", printed).plainText() for printed in (True, False)], ["a", None]
        )
