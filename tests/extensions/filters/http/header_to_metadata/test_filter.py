"""Headers that are found again in metadata."""

from __future__ import annotations

from typing import Any

from tests.extensions.filters.http.header_to_metadata.test_rules import rule
from tests.extensions.filters.http.support import FilterCase, named, typed

TYPE = "envoy.extensions.filters.http.header_to_metadata.v3.Config"
LOG = "%DYNAMIC_METADATA(envoy.filters.http.header_to_metadata)%"


class HeaderToMetadataTests(FilterCase):
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: up\r\n\r\nok"

    def begin(self, route: dict[str, Any] | None = None, **fields: Any) -> None:
        own = None if route is None else {"h2m": typed(TYPE, **route)}
        self.start(named("h2m", TYPE, stat_prefix="p", **fields), route=own, log=LOG)

    def test_requestAndResponse(self) -> None:
        """Each by its rules; what a rule removes does not go on."""
        self.begin(
            request_rules=[rule({"key": "q"}, remove=True)],
            response_rules=[rule({"key": "r"}, remove=True)],
        )
        answer = self.get("/", "x: down")
        self.assertEqual(self.log(), ['{"q":"down","r":"up"}'])
        self.assertNotIn(b"x: down", self.asked())
        self.assertNotIn(b"x: up", answer)
        for name in ("request_metadata_added", "response_metadata_added"):
            self.assertEqual(self.envoy.stat(f"http_filter_name.p.{name}"), 1)
        self.assertEqual(self.envoy.stat("http_filter_name.p.response_rules_processed"), 1)

    def test_route(self) -> None:
        """Its config stands alone."""
        self.begin(
            route={"request_rules": [rule({"key": "r"})], "stat_prefix": "rt"},
            request_rules=[rule({"key": "q"})],
            response_rules=[rule({"key": "a"})],
        )
        self.get("/r", "x: 1")
        self.get("/", "x: 1")
        self.assertEqual(self.log(), ['{"r":"1"}', '{"a":"up","q":"1"}'])
        self.assertEqual(self.envoy.stat("http_filter_name.rt.request_metadata_added"), 1)
