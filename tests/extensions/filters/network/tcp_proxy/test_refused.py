"""Mistakes in what is not implemented."""

from __future__ import annotations

from tests.bootstraps import proxied
from tests.server.refusing import RefusalTestCase
from twisted_envoy.errors import UnsupportedField


class TunnelingTests(RefusalTestCase):
    """tunneling_config."""

    def test_mistakes(self):
        """In Envoy's words."""
        for config, problem in (
            (
                {"hostname": "x:1", "post_path": "/x"},
                "Can't set a post path when POST method isn't used",
            ),
            (
                {"hostname": "x:1", "headers_to_add": [{"header": {"key": ":path", "value": "x"}}]},
                ":-prefixed or host headers may not be modified",
            ),
            (
                {"hostname": "x:1", "headers_to_add": [{"header": {"key": "Host", "value": "x"}}]},
                ":-prefixed or host headers may not be modified",
            ),
        ):
            self.assertRefused(proxied(tunneling_config=config), problem)

    def test_formats(self):
        """A format that cannot be parsed, in the host name or in a header."""
        for config in (
            {"hostname": "%NOPE%"},
            {"hostname": "x:1", "headers_to_add": [{"header": {"key": "a", "value": "%NOPE%"}}]},
        ):
            self.assertRefused(proxied(tunneling_config=config), "NOPE")

    def test_none(self):
        """Without one it is not implemented."""
        config = {
            "hostname": "x:1",
            "headers_to_add": [{"header": {"key": "a", "value": "b"}}],
        }
        problem = self.refused(proxied(tunneling_config=config))
        self.assertIsInstance(problem, UnsupportedField)
        self.assertIn("tunneling_config is not implemented", problem.problem)


class TLVTests(RefusalTestCase):
    """proxy_protocol_tlvs."""

    def test_neither(self):
        """Without a value or a format, in Envoy's words."""
        self.assertRefused(
            proxied(proxy_protocol_tlvs=[{"type": 1}]),
            "Invalid TLV configuration: one of 'value' or 'format_string' must be set.",
        )

    def test_none(self):
        """Without a mistake they are not implemented."""
        problem = self.refused(proxied(proxy_protocol_tlvs=[{"type": 1, "value": "aGk="}]))
        self.assertIsInstance(problem, UnsupportedField)
