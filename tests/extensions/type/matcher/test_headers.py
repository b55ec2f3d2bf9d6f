"""Headers and trailers as inputs."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from tests.network.matching.support import requestOf
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.type.matcher import factories
from twisted_envoy.network.matching.inputs import NOT_YET


class HeaderTests(SynchronousTestCase):
    def test_sources(self) -> None:
        """Each sees its own; not yet before it is there, nothing when it has no such header."""
        attributes = {
            "HttpRequestHeaderMatchInput": "requestHeaders",
            "HttpRequestTrailerMatchInput": "requestTrailers",
            "HttpResponseHeaderMatchInput": "responseHeaders",
            "HttpResponseTrailerMatchInput": "responseTrailers",
        }
        for factory in factories:
            attribute = attributes.get(factory.typeURL.rpartition(".")[2])
            if attribute is None:
                continue
            config = configOf(factory.typeURL, {"header_name": "X-A"})
            get = factory.build(config, None)
            self.assertEqual(unreadFields(config), [])
            info = requestOf()
            info.requestHeaders = None
            self.assertIs(get(info), NOT_YET)
            headers = HeaderMap()
            setattr(info, attribute, headers)
            self.assertIsNone(get(info))
            headers.add(b"x-a", b"1")
            self.assertEqual(get(info), "1")
            headers.add(b"x-a", b"\xff")
            self.assertEqual(get(info), "1,\udcff")

    def test_host(self) -> None:
        """Is the authority."""
        config = configOf(factories[0].typeURL, {"header_name": "host"})
        info = requestOf()
        info.requestHeaders.set(b":authority", b"h")
        self.assertEqual(factories[0].build(config, None)(info), "h")
