"""How an answer prints."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel_headers import HeadersObject


class HeadersObjectTests(SynchronousTestCase):
    """Header fields in the filter state."""

    def test_prints(self):
        """Only as TYPED, every value by itself; what is no UTF-8 is replaced."""
        headers = HeadersObject(HeaderMap([(b"a", b"1"), (b"a", b"2"), (b"b", b"\xff")]))
        self.assertEqual(
            headers.typed(),
            {
                "headers": [
                    {"key": "a", "value": "1"},
                    {"key": "a", "value": "2"},
                    {"key": "b", "value": "\ufffd"},
                ]
            },
        )
        self.assertIsNone(headers.plainText())
        self.assertIsNone(headers.field("a"))
        self.assertIsNone(headers.hashKey())

    def test_empty(self):
        """Nothing prints as an empty object."""
        self.assertEqual(HeadersObject(HeaderMap()).typed(), {})
