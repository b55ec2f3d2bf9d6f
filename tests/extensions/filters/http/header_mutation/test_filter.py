"""The header_mutation filter; what goes out is what real Envoy sent."""

from __future__ import annotations

from typing import Any

from tests.extensions.filters.http.support import FilterCase, named, typed

TYPE = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"
ROUTE = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute"


def add(key: str, value: str, action: str | None = None) -> dict[str, Any]:
    option: dict[str, Any] = {"header": {"key": key, "value": value}}
    if action is not None:
        option["append_action"] = action
    return {"append": option}


def parameter(key: str, value: str, action: str) -> dict[str, Any]:
    return {"append": {"record": {"key": key, "value": value}, "action": action}}


def level(name: str) -> dict[str, Any]:
    """The config of a route's level: it says its name."""
    mutations = {
        "request_mutations": [
            add("x-level", name),
            add("x-set", name, "OVERWRITE_IF_EXISTS_OR_ADD"),
        ],
        "response_mutations": [add("x-level", name)],
        "query_parameter_mutations": [parameter("level", name, "APPEND_IF_EXISTS_OR_ADD")],
    }
    return {"hm": typed(ROUTE, mutations=mutations)}


MUTATIONS = {
    "request_mutations": [
        add("x-a", "1"),
        add("x-a", "2"),
        {"remove": "x-b"},
        add("x-c", "%REQ(x-a)%"),
        add("x-empty", "%REQ(nope)%"),
        add("x-d", "over", "OVERWRITE_IF_EXISTS"),
        {"remove_on_match": {"key_matcher": {"prefix": "x-del-"}}},
    ],
    "query_parameter_mutations": [
        parameter("p", "v v", "APPEND_IF_EXISTS_OR_ADD"),
        parameter("a", "over", "OVERWRITE_IF_EXISTS"),
        parameter("b", "new", "ADD_IF_ABSENT"),
        parameter("z", "%REQ(x-a)%", "OVERWRITE_IF_EXISTS_OR_ADD"),
        {"remove": "gone"},
    ],
    "response_mutations": [add("x-resp", "%RESPONSE_CODE%|%REQ(:path)%"), {"remove": "x-up"}],
    "response_trailers_mutations": [add("t2", "%PROTOCOL%")],
    "request_trailers_mutations": [add("t3", "%PROTOCOL%")],
}
LEVELS = {"route": level("route"), "virtualHost": level("vh"), "table": level("rc")}


class HeaderMutationTests(FilterCase):
    answer = b"HTTP/1.1 200 OK\r\nx-up: 1\r\ncontent-length: 2\r\n\r\nok"

    def begin(self, mutations: dict[str, Any], wins: bool = False, **options: Any) -> None:
        fields = {"mutations": mutations, "most_specific_header_mutations_wins": wins}
        self.start(named("hm", TYPE, **fields), **options)

    def test_everything(self) -> None:
        """In order; later ones see what earlier ones did."""
        self.begin(MUTATIONS)

        answer = self.get(
            "/x?a=1&b=2&gone=3&A=%41+x&z&z=2&gone", "x-b: 1", "x-d: 1", "x-del-1: a", "x-keep: 1"
        )

        asked = self.asked()
        path = b"/x?A=A+x&a=over&b=2&p=v v&z=1"
        self.assertIn(b"GET " + path + b" HTTP/1.1\r\n", asked)
        self.assertIn(b"x-a: 1\r\nx-a: 2\r\nx-c: 1\r\n", asked)
        self.assertIn(b"x-d: over\r\n", asked)
        self.assertIn(b"x-keep: 1\r\n", asked)
        for gone in (b"x-b", b"x-empty", b"x-del-1"):
            self.assertNotIn(gone, asked)
        self.assertIn(b"x-resp: 200|" + path + b"\r\n", answer)
        self.assertNotIn(b"x-up", answer)

    def test_overwrittenGoesToTheEnd(self) -> None:
        """As in Envoy."""
        self.begin({"request_mutations": [add("x-d", "over", "OVERWRITE_IF_EXISTS_OR_ADD")]})
        self.get("/", "x-d: 1", "x-d: 2", "x-z: 1")
        asked = self.asked()
        self.assertEqual(asked.count(b"x-d"), 1)
        self.assertLess(asked.index(b"x-z: 1\r\n"), asked.index(b"x-d: over\r\n"))

    def test_queryOfItsOwn(self) -> None:
        """A path gets a query, or loses it."""
        self.begin({"query_parameter_mutations": [{"remove": "a"}, {"remove": "b"}]})
        self.get("/x?a=1&b")
        self.assertIn(b"GET /x HTTP/1.1\r\n", self.asked())

    def test_levels(self) -> None:
        """The filter's own, then from the route outward; all of them on a route."""
        self.begin({}, **LEVELS)

        answer = self.get("/r")

        asked = self.asked()
        self.assertIn(b"GET /r?level=route&level=vh&level=rc HTTP/1.1\r\n", asked)
        levels = [b"x-level: route", b"x-level: vh", b"x-level: rc"]
        for text in (asked, answer):
            found = [line for line in text.split(b"\r\n") if line.startswith(b"x-level")]
            self.assertEqual(found, levels)
        self.assertIn(b"x-set: rc\r\n", asked)

    def test_theMostSpecificWins(self) -> None:
        """It comes last."""
        self.begin({}, wins=True, **LEVELS)
        self.get("/r")
        self.assertIn(b"x-set: route\r\n", self.asked())
        self.assertIn(b"GET /r?level=rc&level=vh&level=route HTTP/1.1\r\n", self.asked())

    def test_trailers(self) -> None:
        """Of requests and responses."""
        self.answer = (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nt: 1\r\n\r\n"
        )
        cluster = {
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
                    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    explicit_http_config={"http_protocol_options": {"enable_trailers": True}},
                )
            }
        }
        self.begin(MUTATIONS, http_protocol_options={"enable_trailers": True}, cluster=cluster)
        client = self.send(
            b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
            b"1\r\na\r\n0\r\nt: 1\r\n\r\n"
        )
        self.assertTrue(self.asked().endswith(b"0\r\nt: 1\r\nt3: HTTP/1.1\r\n\r\n"), self.asked())
        self.assertTrue(client.received.endswith(b"0\r\nt: 1\r\nt2: HTTP/1.1\r\n\r\n"))
