"""Parameters of the query as inputs."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from tests.network.matching.support import requestOf
from twisted_envoy.extensions.type.matcher.query import QueryInputFactory
from twisted_envoy.network.matching.inputs import NOT_YET


class QueryTests(SynchronousTestCase):
    def test_values(self) -> None:
        """The first of that name, decoded."""
        config = configOf(QueryInputFactory.typeURL, {"query_param": "a b"})
        get = QueryInputFactory().build(config, None)
        self.assertEqual(unreadFields(config), [])
        info = requestOf()
        self.assertIsNone(get(info))
        for path, value in (
            ("/", None),
            ("/?x=1", None),
            ("/?a%20b=1%2F&a%20b=2", "1/"),
            ("/?a b", ""),
        ):
            info.requestHeaders.set(b":path", path.encode())
            self.assertEqual(get(info), value)
        info.requestHeaders = None
        self.assertIs(get(info), NOT_YET)
