"""Routes by a matcher tree; what they answer is what real Envoy answered."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import problem, request, requestInfo, tableOf
from tests.network.matching.support import connectionInput, header, mapOf, named

ROUTE = "envoy.config.route.v3.Route"


def to(name: str, prefix: str = "/") -> dict[str, Any]:
    """A route to the cluster of that name."""
    return {"name": name, "match": {"prefix": prefix}, "route": {"cluster": name}}


def route(name: str, prefix: str = "/") -> dict[str, Any]:
    return {"action": named("r", ROUTE, **to(name, prefix))}


def config(matcher: Any, **fields: Any) -> str:
    host = {"name": "v", "domains": ["*"], "matcher": matcher, **fields}
    return json.dumps({"name": "r", "virtual_hosts": [host]})


LIST = {
    "action": named("l", "envoy.config.route.v3.RouteList", routes=[to("l1", "/1"), to("l2", "/2")])
}
TREE = mapOf("exact", header("x"), a=route("a"), b=route("b", "/only"), l=LIST)


class RouteTreeTests(SynchronousTestCase):
    def names(self, matcher: Any, *requests: tuple[str, str]) -> list[str | None]:
        """The names of the routes of (x, path)."""
        table = tableOf(config(matcher))
        found = []
        for value, path in requests:
            info = requestInfo()
            headers = info.requestHeaders = request(path, x=value)
            entry = table.match(headers, info, 0)
            found.append(None if entry is None else entry.name)
        return found

    def test_routes(self) -> None:
        """A route is taken when it matches too; its cluster need not exist."""
        asked = (("a", "/"), ("b", "/"), ("b", "/only"), ("z", "/"))
        self.assertEqual(self.names(TREE, *asked), ["a", None, "b", None])

    def test_lists(self) -> None:
        """The first of a list that matches."""
        asked = (("l", "/2"), ("l", "/1"), ("l", "/3"))
        self.assertEqual(self.names(TREE, *asked), ["l2", "l1", None])

    def test_onNoMatch(self) -> None:
        """When nothing else leads anywhere."""
        matcher = {**TREE, "on_no_match": route("none")}
        self.assertEqual(self.names(matcher, ("z", "/"), ("b", "/")), ["none", None])

    def test_errors(self) -> None:
        """In Envoy's words."""
        where = "requirement violation while creating route match tree: INVALID_ARGUMENT: "
        network = "type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3."
        for matcher, words in (
            (
                mapOf("exact", connectionInput("SourceIPInput"), a=route("a")),
                f"{where}Route table can only match on request headers, saw {network}SourceIPInput",
            ),
            (
                {"on_no_match": {**route("a"), "keep_matching": True}},
                f"{where}keep_matching is not supported in this context",
            ),
            (
                {"on_no_match": {"action": named("a", "google.protobuf.Empty")}},
                "Didn't find a registered implementation for 'a' with type URL: "
                "'google.protobuf.Empty'",
            ),
        ):
            self.assertEqual(problem(config(matcher)), words)
        self.assertEqual(
            problem(config(TREE, routes=[to("a")])),
            "cannot set both matcher and routes on virtual host",
        )
