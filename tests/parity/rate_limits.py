"""What is compared of local rate limits: filters, routes and the requests that are sent to them."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

from tests.bootstraps import typed
from tests.parity.exchanges import get
from tests.parity.managers import host, manager, route

KIND = "filters.http.local_ratelimit.v3.LocalRateLimit"
ALWAYS = {"default_value": {"numerator": 100}}
TELLING = "HTTP/1.1 200 OK\r\nx-ratelimit-limit: 7\r\ncontent-length: 0\r\n\r\n"
MARK = [{"header": {"key": "x-not", "value": "enforced"}}]


def bucket(most: int, each: int = 1, interval: str = "10000s") -> dict[str, Any]:
    """A TokenBucket that hardly fills."""
    return {"max_tokens": most, "tokens_per_fill": each, "fill_interval": interval}


def limit(name: str = "lrl", prefix: str = "rl", **fields: Any) -> dict[str, Any]:
    """The filter; a field that is None is left out."""
    default = {
        "token_bucket": bucket(900),
        "filter_enabled": ALWAYS,
        "filter_enforced": ALWAYS,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
    }
    settings = {"stat_prefix": prefix, **default, **fields}
    return typed(name, KIND, **{key: one for key, one in settings.items() if one is not None})


def rule(most: int, *entries: tuple[str, str], each: int = 1, **fields: Any) -> dict[str, Any]:
    """A LocalRateLimitDescriptor; its limit, which responses tell, says which one it is."""
    found = [{"key": key, "value": value} for key, value in entries]
    return {"entries": found, "token_bucket": bucket(most, each), **fields}


def counted(*actions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A RateLimit."""
    return {"actions": list(actions), **fields}


def header(name: str, **fields: Any) -> dict[str, Any]:
    """An action: the header x-<name> under its name."""
    return {"request_headers": {"header_name": f"x-{name}", "descriptor_key": name, **fields}}


A, B, C = map(header, "abc")
AB = [counted(A), counted(B)]


class Case(NamedTuple):
    """
    One listener.

    Attributes:
        filters: of it. asks: requests, each as `[/path] a=1 b=2`, one after the other.
        action, host, route: more fields of its RouteAction, its virtual host, its route for /r.
        connections: that ask all this, one after the other.
    """

    filters: list[dict[str, Any]]
    asks: list[str]
    action: dict[str, Any] = {}
    host: dict[str, Any] = {}
    route: dict[str, Any] = {}
    connections: int = 1

    def listener(self, name: str) -> dict[str, Any]:
        """Its configuration; its stats have its name."""
        for one in self.filters:
            one["typed_config"]["stat_prefix"] = f"{name}.{one['typed_config']['stat_prefix']}"
        for config in self.route.get("typed_per_filter_config", {}).values():
            config["stat_prefix"] = f"{name}.{config['stat_prefix']}"
        routes = [
            route(prefix="/r", action=self.action, **self.route),
            {"match": {"prefix": "/d"}, "direct_response": {"status": 204}},
            route(action=self.action),
        ]
        hosts = [host("all", routes=routes, **self.host)]
        return manager(name, filters=self.filters, config={"virtual_hosts": hosts})


def request(ask: str) -> bytes:
    """Of a Case's ask."""
    words = ask.split()
    path = words.pop(0) if words and words[0][0] == "/" else "/"
    return get(path, *("x-" + word.replace("=", ": ", 1) for word in words))


def perRoute(**fields: Any) -> dict[str, Any]:
    """A route's own config of the filter."""
    return {"typed_per_filter_config": {"lrl": limit(prefix="rt", **fields)["typed_config"]}}


def cases() -> dict[str, Case]:
    """All of them."""
    return {**_buckets(), **_choices(), **_hits(), **_options(), **_connections()}


def _buckets() -> dict[str, Case]:
    one = [rule(2, ("a", "1"))]
    five = [rule(2, ("a", "1")), rule(5, ("b", "1"), each=2)]
    zero = {"max_tokens": 0, "fill_interval": "1s"}
    routed = {"rate_limits": AB}
    wild = {"rate_limits": [counted(A)]}
    two = {"rate_limits": [counted(A, B)]}
    mixed = ["a=1", "a=1", "a=1", "", ""]
    return {
        "slowestFirst": Case(
            [limit(descriptors=five, token_bucket=bucket(4))],
            ["a=1 b=1"] * 4 + ["b=1"] * 3 + [""],
            routed,
        ),
        "sameRate": Case(
            [limit(descriptors=[rule(5, ("a", "1")), rule(3, ("b", "1"))])],
            ["a=1 b=1"] * 4 + ["a=1"] * 3,
            routed,
        ),
        "noDefault": Case(
            [limit(descriptors=one, always_consume_default_token_bucket=False)], mixed, routed
        ),
        "noBucket": Case([limit(descriptors=one, token_bucket=None)], mixed, routed),
        "tooShort": Case(
            [limit(descriptors=one, token_bucket=bucket(1, 1, "0.0009s"))], mixed, routed
        ),
        "zero": Case(
            [limit(descriptors=one, token_bucket=zero, enable_retry_after_header=True)],
            mixed,
            routed,
        ),
        "zeroRule": Case(
            [limit(descriptors=[rule(0, ("a", "1")), rule(0, ("b", ""))])],
            ["a=1", "b=1", ""],
            routed,
        ),
        "wild": Case(
            [limit(descriptors=[rule(1, ("a", "")), rule(3, ("a", "1"))])],
            [f"a={value}" for value in "1112233"],
            wild,
        ),
        "forgotten": Case(
            [limit(descriptors=[rule(1, ("a", ""))], max_dynamic_descriptors=2)],
            [f"a={value}" for value in "1212131212"],
            wild,
        ),
        "twenty": Case(
            [limit(descriptors=[rule(1, ("a", ""))])],
            [f"a={value}" for value in [*range(20), 0, 20, 1, 0]],
            wild,
        ),
        "halfWild": Case(
            [limit(descriptors=[rule(1, ("a", ""), ("b", "1"))])],
            ["a=1 b=1", "a=1 b=1", "a=2 b=1", "a=1 b=2", "a=1"],
            two,
        ),
        "empty": Case([limit(descriptors=[rule(1, ("a", ""))])], ["a=", "a=", "a=1"], wild),
        "otherOrder": Case(
            [limit(descriptors=[rule(1, ("b", "1"), ("a", "1"))])], ["a=1 b=1"], two
        ),
        "fewer": Case([limit(descriptors=[rule(1, ("a", "1"))])], ["a=1 b=1"], two),
    }


def _choices() -> dict[str, Case]:
    rules = [rule(5, ("a", "1")), rule(6, ("b", "1")), rule(7, ("c", "1"))]
    found = {
        "stage": Case(
            [limit(stage=1, descriptors=rules)],
            ["a=1", "b=1"],
            {"rate_limits": [counted(A), counted(B, stage=1)]},
        ),
        "disabled": Case(
            [limit(descriptors=rules)],
            ["a=1", "b=1"],
            {"rate_limits": [counted(A, disable_key="key"), counted(B)]},
            {"rate_limits": [counted(B)]},
        ),
        "otherStage": Case(
            [limit(descriptors=rules)],
            ["a=1", "b=1"],
            {"rate_limits": [counted(A, stage=2)]},
            {"rate_limits": [counted(B)]},
        ),
        "own": Case(
            [limit(rate_limits=[counted(B)], descriptors=rules, vh_rate_limits="INCLUDE")],
            ["a=1", "b=1", "/d b=1"],
            {"rate_limits": [counted(A)]},
            {"rate_limits": [counted(A)]},
        ),
        "noRules": Case([limit(rate_limits=[counted(B)])], ["b=1"]),
        "direct": Case(
            [limit(descriptors=rules)], ["/d b=1", "/x b=1"], host={"rate_limits": [counted(B)]}
        ),
        "ofRoute": Case(
            [limit(descriptors=rules)],
            ["/r a=1", "/r b=1", "/r c=1", "c=1"],
            {"rate_limits": [counted(C)]},
            {"rate_limits": [counted(B)]},
            perRoute(descriptors=rules[:2], vh_rate_limits="INCLUDE"),
        ),
        "notOfRoute": Case(
            [limit(descriptors=rules)],
            ["a=1"] * 2,
            {"rate_limits": [counted(A, apply_on_stream_done=True, hits_addend={"number": 3})]},
        ),
    }
    for option in ("OVERRIDE", "INCLUDE", "IGNORE"):
        for included in (None, True, False):
            for own in (0, 1):
                action: dict[str, Any] = {"rate_limits": [counted(A)] * own}
                if included is not None:
                    action["include_vh_rate_limits"] = included
                found[f"{option}{included}{own}"] = Case(
                    [limit(vh_rate_limits=option, descriptors=rules)],
                    ["a=1", "b=1"],
                    action,
                    {"rate_limits": [counted(B)]},
                )
    return found


def _hits() -> dict[str, Case]:
    rules = [rule(20, ("a", "1")), rule(21, ("b", "1")), rule(22, ("c", "1"))]

    def case(*limits: dict[str, Any], asks: list[str]) -> Case:
        made = limit(rate_limits=list(limits), descriptors=rules, enable_retry_after_header=True)
        return Case([made], asks)

    def adds(action: dict[str, Any], *format: str, **fields: Any) -> dict[str, Any]:
        return counted(action, hits_addend={**({"format": format[0]} if format else {}), **fields})

    texts = "3 2.9 abc -1 1e0 1000000001 0x2 0x inf nan 1e1 +2 2_0 infinity -0 1. 0.5 .5 1d 1,2"
    words = [f"a=1 n={text}" for text in texts.split()]
    return {
        "hits": case(adds(A, number=8), asks=["a=1"] * 3),
        "noHits": case(adds(A, number=0), asks=["a=1"] * 2),
        "givenBack": case(
            adds(A, number=5), adds(A, number=2, is_negative_hits=True), asks=["a=1"] * 3
        ),
        "givenBackFull": case(adds(A, number=2, is_negative_hits=True), asks=["a=1"] * 2),
        "givenBackFormat": case(
            counted(A),
            adds(A, "%REQ(x-n)%", is_negative_hits=True),
            asks=["a=1 n=0", "a=1", "a=1 n=1"],
        ),
        "hitsFormat": case(adds(A, "%REQ(x-n)%"), asks=[*words, "a=1"]),
        "hitsValues": case(
            adds(A, "%BYTES_RECEIVED%"),
            adds(B, "%PROTOCOL%"),
            adds(C, "%%"),
            asks=["a=1", "b=1", "c=1"],
        ),
        "done": case(counted(A, apply_on_stream_done=True), counted(B), asks=["a=1", "b=1"]),
    }


def _options() -> dict[str, Case]:
    ones = [rule(1, (key, "1")) for key in "abc"]
    told = [
        counted(A, x_ratelimit_option="OFF"),
        counted(B, x_ratelimit_option="DRAFT_VERSION_03"),
        counted(C),
    ]
    asks = ["a=1"] * 2 + ["b=1"] * 2 + ["c=1"] * 2 + [""]
    shadows = [rule(1, ("a", "1"), shadow_mode=True), rule(2, ("b", "1"), shadow_mode=True)]
    one = [shadows[0], rule(2, ("b", "1"))]
    both = ["a=1"] * 2 + ["a=1 b=1"] * 4 + [""]

    def shadow(rules: list[dict[str, Any]], limits: Any = None, **fields: Any) -> Case:
        made = limit(
            rate_limits=limits or AB,
            descriptors=rules,
            request_headers_to_add_when_not_enforced=MARK,
            **{"token_bucket": bucket(5), **fields},
        )
        return Case([made], both)

    return {
        "told": Case([limit(rate_limits=told, descriptors=ones)], asks),
        "notTold": Case(
            [limit(rate_limits=told, descriptors=ones, enable_x_ratelimit_headers=None)], asks
        ),
        "toldByRoute": Case(
            [limit(descriptors=ones, enable_x_ratelimit_headers=None)], asks, {"rate_limits": told}
        ),
        "shadow": shadow(one),
        "shadows": shadow(shadows),
        "shadowFaster": shadow([{**shadows[0], "token_bucket": bucket(1, 3)}, one[1]]),
        "shadowZero": shadow(one, token_bucket={"max_tokens": 0, "fill_interval": "1s"}),
        "shadowAlone": shadow(one, always_consume_default_token_bucket=False),
        "shadowNotTold": shadow(one, [told[0], counted(B)]),
        "notEnforced": shadow(ones[:1], filter_enforced=None),
        "upstreamTells": Case(
            [limit(rate_limits=AB, descriptors=ones)],
            [f"a=1 answer={quote(TELLING)}"],
        ),
        "twoFilters": Case(
            [
                limit(rate_limits=AB, descriptors=[rule(3, ("a", "1"))]),
                limit("lrl2", "two", rate_limits=AB, descriptors=[rule(2, ("a", "1"))]),
            ],
            ["a=1"] * 4,
        ),
    }


def _connections() -> dict[str, Case]:
    each = {"local_rate_limit_per_downstream_connection": True, "rate_limits": AB}
    one = [rule(1, ("a", "1"))]
    return {
        "connections": Case([limit(descriptors=one, **each)], ["a=1"] * 2, connections=2),
        "connectionsOfRoute": Case(
            [limit(descriptors=one, **each)],
            ["a=1", "a=1", "/r b=1", "/r b=1", "/r"],
            route=perRoute(descriptors=[rule(1, ("b", "1"))], token_bucket=bucket(2), **each),
            connections=2,
        ),
        "connectionsWithoutRules": Case(
            [limit(descriptors=one, **each)],
            ["a=1", "/r a=1", "/r a=1"],
            route=perRoute(**each),
        ),
        "connectionsOfTwo": Case(
            [
                limit(token_bucket=bucket(3), **each),
                limit("lrl2", "two", token_bucket=bucket(4), **each),
            ],
            [""] * 3,
        ),
    }
