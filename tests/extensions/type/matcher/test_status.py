"""The status of a response as an input."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf
from tests.network.matching.support import requestOf
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.type.matcher.status import StatusClassInputFactory, StatusInputFactory
from twisted_envoy.network.matching.inputs import NOT_YET


class StatusTests(SynchronousTestCase):
    def test_statuses(self) -> None:
        """The number and its class."""
        get = StatusInputFactory().build(configOf(StatusInputFactory.typeURL), None)
        classOf = StatusClassInputFactory().build(configOf(StatusClassInputFactory.typeURL), None)
        info = requestOf()
        self.assertIs(get(info), NOT_YET)
        self.assertIs(classOf(info), NOT_YET)
        headers = info.responseHeaders = HeaderMap()
        self.assertIsNone(get(info))
        self.assertIsNone(classOf(info))
        for status, kind in ((b"200", "2xx"), (b"503", "5xx"), (b"700", None)):
            headers.set(b":status", status)
            self.assertEqual(get(info), status.decode())
            self.assertEqual(classOf(info), kind)
