"""Objects that requests carry along."""

from __future__ import annotations

from typing import Any

from tests.extensions.filters.http.set_filter_state.test_config import value
from tests.extensions.filters.http.support import FilterCase, named, typed
from tests.http.manager import ORIGIN as ADDRESS
from tests.http.manager import bootstrap
from twisted_envoy.testing import MemoryEnvoy

TYPE = "envoy.extensions.filters.http.set_filter_state.v3.Config"
LOG = "%FILTER_STATE(k:PLAIN)% %FILTER_STATE(l:PLAIN)%"


def config(*values: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The filter."""
    return named("sfs", TYPE, on_request_headers=values, **more)


class SetFilterStateTests(FilterCase):
    def test_values(self) -> None:
        """Formatted for each request."""
        self.start(config(value(text="%REQ(x)%"), value("l", "b")), log=LOG)
        client = self.envoy.connect("web")
        self.get("/", "x: 1", client=client)
        self.get("/", "x: 2", client=client)
        self.assertEqual(self.log(), ["1 b", "2 b"])

    def test_levels(self) -> None:
        """The filter's, then the virtual host's, then the route's."""

        def level(text: str) -> dict[str, Any]:
            return {"sfs": typed(TYPE, on_request_headers=[value(text=text)])}

        self.start(
            config(value(text="f"), value("l", "f")),
            virtualHost=level("v"),
            route=level("%FILTER_STATE(k:PLAIN)%r"),
            log=LOG,
        )
        self.get("/")
        self.get("/r")
        self.assertEqual(self.log(), ["v f", "vr f"])

    def test_nothingStaysBehind(self) -> None:
        """What one request set, the next one on the connection does not see."""
        self.start(config(value(text="%REQ(x)%", skip_if_empty=True)), log=LOG)
        client = self.envoy.connect("web")
        self.get("/", "x: 1", client=client)
        self.get("/", "x: ", client=client)
        self.assertEqual(self.log(), ["1 -", "- -"])

    def test_clearsRoute(self) -> None:
        """Another route may be right then; only when it is asked to look."""
        matched = {"prefix": "/", "filter_state": [{"key": "k", "string_match": {"exact": "v"}}]}
        routes = [
            {"match": matched, "direct_response": {"status": 201}},
            {"match": {"prefix": "/"}, "direct_response": {"status": 202}},
        ]
        for clears, status in ((True, b" 201 "), (False, b" 202 ")):
            filters = [config(value(), clear_route_cache=clears)]
            self.envoy = MemoryEnvoy(bootstrap(routes, filters))
            self.addCleanup(self.envoy.stop)
            self.origin = self.envoy.listen(ADDRESS)
            self.assertIn(status, self.get("/"))
