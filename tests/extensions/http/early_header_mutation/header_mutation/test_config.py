"""Tests for the factory of early header mutations."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.extensions.support import Context, configOf, unreadFields
from tests.http.edge.support import connectionFrom, requestOf
from twisted_envoy.extensions.http.early_header_mutation.header_mutation import factories
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.state.request_info import RequestInfo

FACTORY = factories[0]


class EarlyHeaderMutationTests(SynchronousTestCase):
    """build."""

    def test_interface(self) -> None:
        """It is a factory."""
        verifyObject(IExtensionFactory, FACTORY)

    def test_edits(self) -> None:
        """In order; formats see the request as it came."""
        value = "%REQ(x-src)%|%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%|%REQ(x-request-id)%"
        config = configOf(
            FACTORY.typeURL,
            {
                "mutations": [
                    {"append": {"header": {"key": "x-early", "value": value}}},
                    {"remove": "x-gone"},
                    {"remove_on_match": {"key_matcher": {"prefix": "x-pre"}}},
                ]
            },
        )
        mutate = FACTORY.build(config, Context())
        info = RequestInfo(connectionFrom(), 0.0)
        headers = info.requestHeaders = requestOf(
            (b"x-src", b"s"), (b"x-gone", b"1"), (b"x-prefix", b"1")
        )

        self.assertTrue(mutate(headers, info))

        self.assertEqual(unreadFields(config), [])
        self.assertEqual(
            list(headers.pairs())[3:], [(b"x-src", b"s"), (b"x-early", b"s|127.0.0.1|")]
        )
