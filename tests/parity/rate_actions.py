"""Rate limit actions, requests that they look at, and rules that tell what was made of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.bootstraps import typed
from tests.parity.managers import host, manager, route
from tests.parity.rate_limits import bucket, counted, header, limit, rule

METADATA = {
    "cluster": {"filter_metadata": {"ns": {"text": "of cluster"}}},
    "route": {"filter_metadata": {"ns": {"text": "of route", "number": 5}}},
    "dynamic": {
        "text": "dynamic",
        "none": "",
        "below": {"text": "deep"},
        "list": ["x"],
        "yes": True,
    },
}
_EXACT = {"name": "x-a", "string_match": {"exact": "1"}}
_LOOPBACK = {"ranges": [{"address_prefix": "127.0.0.0", "prefix_len": 8}]}
_TENS = {"ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}]}


def _generic(value: str, **fields: Any) -> dict[str, Any]:
    return {"generic_key": {"descriptor_value": value, **fields}}


def _headers(value: str, *matchers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"header_value_match": {"descriptor_value": value, "headers": list(matchers), **fields}}


def _queries(value: str, *matchers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    match = {"descriptor_value": value, "query_parameters": list(matchers), **fields}
    return {"query_parameter_value_match": match}


def _query(name: str, **fields: Any) -> dict[str, Any]:
    named = {"query_parameter_name": name, "descriptor_key": "key", **fields}
    return {"query_parameters": named}


def _address(value: str, matcher: dict[str, Any], **fields: Any) -> dict[str, Any]:
    match = {"descriptor_value": value, "address_matcher": matcher, **fields}
    return {"remote_address_match": match}


def _metadata(*path: str, source: str = "DYNAMIC", **fields: Any) -> dict[str, Any]:
    key = {"key": "ns", "path": [{"key": one} for one in path]}
    return {"metadata": {"descriptor_key": "key", "metadata_key": key, "source": source, **fields}}


def _input(kind: str, **fields: Any) -> dict[str, Any]:
    config = {"@type": f"type.googleapis.com/envoy.{kind}", **fields}
    return {"extension": {"name": "key", "typed_config": config}}


def _expression(text: str, **fields: Any) -> dict[str, Any]:
    kind = "extensions.rate_limit_descriptors.expr.v3.Descriptor"
    return _input(kind, descriptor_key="key", text=text, **fields)


def _pseudo(name: str) -> dict[str, Any]:
    return {"request_headers": {"header_name": name, "descriptor_key": "key"}}


ACTIONS: dict[str, dict[str, Any]] = {
    "source": {"source_cluster": {}},
    "destination": {"destination_cluster": {}},
    "header": header("a"),
    "headerOrNot": header("a", skip_if_absent=True),
    "path": _pseudo(":path"),
    "host": _pseudo("host"),
    "cookie": _pseudo("Cookie"),
    "query": _query("q"),
    "queryOrNot": _query("q", skip_if_absent=True),
    "queryDecoded": _query("a b"),
    "remote": {"remote_address": {}},
    "masked": {"masked_remote_address": {}},
    "masked20": {"masked_remote_address": {"v4_prefix_mask_len": 20, "v6_prefix_mask_len": 52}},
    "masked0": {"masked_remote_address": {"v4_prefix_mask_len": 0}},
    "generic": _generic("v"),
    "genericKey": _generic("v", descriptor_key="key"),
    "genericFormat": _generic("%REQ(x-a)%"),
    "genericMixed": _generic("a%REQ(x-a)%b %PROTOCOL%", default_value="default"),
    "genericDefault": _generic("%REQ(x-a)%", default_value="default"),
    "genericPercent": _generic("100%%"),
    "headers": _headers("v", _EXACT),
    "headersNot": _headers("v%REQ(x-a)%", _EXACT, descriptor_key="key", expect_match=False),
    "headersTwo": _headers("%REQ(x-b)%", _EXACT, {"name": "x-c"}, default_value="default"),
    "queries": _queries("v", {"name": "q", "string_match": {"exact": "a b"}}),
    "queriesPlus": _queries("v", {"name": "q", "string_match": {"exact": "a+b"}}),
    "queriesNot": _queries(
        "v", {"name": "q", "present_match": True}, expect_match=False, descriptor_key="key"
    ),
    "queriesFormat": _queries("%REQ(x-a)%", {"name": "q"}, default_value="default"),
    "within": _address("v", _LOOPBACK),
    "notWithin": _address(
        "%REQ(x-a)%", {**_TENS, "invert_match": True}, default_value="default", descriptor_key="key"
    ),
    "withinNone": _address("v", {}),
    "notWithinNone": _address("%REQ(x-a)%", {"invert_match": True}),
    "dynamic": _metadata("text"),
    "dynamicDeep": _metadata("below", "text"),
    "dynamicStruct": _metadata("below", skip_if_absent=True),
    "dynamicTooDeep": _metadata("text", "text"),
    "dynamicEmpty": _metadata("none", default_value="default"),
    "dynamicList": _metadata("list", default_value="default", skip_if_absent=True),
    "dynamicYes": _metadata("yes"),
    "ofRoute": _metadata("text", source="ROUTE_ENTRY"),
    "ofRouteNumber": _metadata("number", source="ROUTE_ENTRY"),
    "ofCluster": _metadata("text", source="CLUSTER_ENTRY"),
    "ofLocality": _metadata("text", source="CLUSTER_LOCALITY_ENTRY", default_value="default"),
    "inputHeader": _input("type.matcher.v3.HttpRequestHeaderMatchInput", header_name="x-a"),
    "inputQuery": _input("type.matcher.v3.HttpRequestQueryParamMatchInput", query_param="q"),
    "inputAddress": _input("extensions.matching.common_inputs.network.v3.SourceIPInput"),
    "exprMethod": _expression("request.method"),
    "exprPath": _expression(" request . path "),
    "exprURLPath": _expression("request['url_path']"),
    "exprQuery": _expression("request.query"),
    "exprHost": _expression("request.host"),
    "exprReferer": _expression("request.referer"),
    "exprRefererOrNot": _expression("request.referer", skip_if_error=True),
    "exprID": _expression("request.id"),
    "exprHeader": _expression("request.headers['X-A']"),
    "exprHeaderHost": _expression("request.headers.host"),
    "exprCookie": _expression('request.headers["cookie"]'),
    "exprProtocol": _expression("request.protocol"),
    "exprScheme": _expression("request.scheme"),
    "exprSource": _expression("source.address"),
    "exprSourcePort": _expression("source.port"),
    "exprServerName": _expression("connection.requested_server_name"),
    "exprCluster": _expression("xds.cluster_name"),
    "exprRoute": _expression("xds.route_name"),
    "exprHostName": _expression("xds.virtual_host_name"),
    "inputLater": _input("type.matcher.v3.HttpResponseHeaderMatchInput", header_name="x-a"),
}

ASKS: list[tuple[bytes, tuple[bytes, ...]]] = [
    (b"", ()),
    (b"", (b"x-a: 1", b"x-c: y", b"cookie: a=b", b"cookie: c=d")),
    (b"", (b"x-a: 2", b"x-a: 3", b"x-b: bb", b"x-forwarded-for: 10.20.30.40")),
    (b"", (b"x-a: 1", b"x-b: bb", b"x-c: y", b"x-forwarded-for: 2001:db8:1:2:3::4")),
    (b"", (b"x-a:", b"x-forwarded-for: ::ffff:10.20.30.40")),
    (b"?q=a%20b&q=2", (b"x-a: 1",)),
    (b"?q=a+b", ()),
    (b"?q=a%2Bb", ()),
    (b"?q=%zz", ()),
    (b"?q", ()),
    (b"?x=1&q=%C3%A9", ()),
    (b"?a%20b=1", ()),
    (b"?%71=5&q=6;q=7", ()),
]

FORMATTED = ("generic", "headers", "queries", "notWithin")
"""Actions whose values may be formats begin so."""

_LOOKING = re.compile("query|queries|path|expr", re.IGNORECASE)


def asksOf(action: str) -> list[tuple[bytes, tuple[bytes, ...]]]:
    """Those that an action may tell apart."""
    return ASKS if _LOOKING.search(action) else ASKS[:5]


_ENTRIES = [
    *(("source_cluster", value) for value in ("here", "")),
    ("destination_cluster", "origin"),
    *(("a", value) for value in ("1", "2", "2,3")),
    *(
        ("key", value)
        for value in ("/path/", "/path/?q", "/exprPath/", "test", "a=b", "a=b; c=d", "c=d")
    ),
    *(("key", value) for value in ("a b", "a+b", "%zz", "é", "1", "5", "6;q=7", "2", "3", "2,3")),
    *(("remote_address", one) for one in ("127.0.0.1", "10.20.30.40", "2001:db8:1:2:3::4")),
    *(("remote_address", one) for one in ("::ffff:10.20.30.40", "::ffff:a14:1e28")),
    *(("masked_remote_address", one) for one in ("127.0.0.1/32", "127.0.0.0/20", "0.0.0.0/0")),
    *(("masked_remote_address", one) for one in ("10.20.30.40/32", "10.20.16.0/20")),
    *(("masked_remote_address", one) for one in ("2001:db8:1:2:3::4/128", "2001:db8:1::/52")),
    *(("masked_remote_address", one) for one in ("::ffff:10.20.30.40/128", "::/52")),
    *(("generic_key", one) for one in ("v", "1", "2", "default", "100%", "100%%", "%REQ(x-a)%")),
    *(("generic_key", one) for one in ("ab HTTP/1.1", "a1b HTTP/1.1", "a2b HTTP/1.1")),
    *(("header_match", one) for one in ("v", "bb", "default", "%REQ(x-b)%")),
    *(("key", one) for one in ("v", "v%REQ(x-a)%", "v2", "default", "127.0.0.1", "10.20.30.40")),
    *(("key", one) for one in ("GET", "HTTP/1.1", "http", "all", "origin", "exprRoute", "0")),
    *(("key", one) for one in ("/exprURLPath/", "q=a%20b&q=2", "q=a+b", "a=b,c=d")),
    *(("key", one) for one in ("10.20.30.40:0", "[2001:db8:1:2:3::4]:0")),
    *(("query_match", one) for one in ("v", "1", "default", "%REQ(x-a)%")),
    *(("remote_address_match", one) for one in ("v", "1", "2")),
    *(("key", one) for one in ("dynamic", "deep", "of route", "of cluster")),
]
_KEYS = dict.fromkeys(key for key, _ in _ENTRIES)
"""What is not among the entries is at least known by its key."""


def _rules(action: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """All, or those that an action's descriptor may have."""
    end = ("end", "end")
    entries = dict.fromkeys(one for one in _ENTRIES if one[1])
    found = [(1000 + at, one) for at, one in enumerate(entries)]
    found += [(3000 + at, (key, "")) for at, key in enumerate(_KEYS)]
    if action is not None:
        key = re.search("'descriptor_key': '(\\w+)'", str(action))
        if key is not None:
            found = [one for one in found if one[1][0] == key[1]]
    return [*(rule(most, entry, end) for most, entry in found), rule(4000, end)]


def actionListener(name: str, own: bool, isTried: Callable[[str], bool]) -> dict[str, Any]:
    """
    A listener with a route for each action.

    Args:
        own: they are in the routes' filter configs. isTried: of an action's name.
    """
    end = _generic("end", descriptor_key="end")
    routes = []
    for path, action in ACTIONS.items():
        if not isTried(path):
            continue
        limits = [counted(action, end)]
        fields: dict[str, Any] = {"metadata": METADATA["route"], "name": path}
        if own:
            config = limit(
                rate_limits=limits, descriptors=_rules(action), token_bucket=bucket(5000)
            )
            fields["typed_per_filter_config"] = {"lrl": config["typed_config"]}
        else:
            fields["action"] = {"rate_limits": limits}
        routes.append(route(prefix=f"/{path}/", **fields))
    value = [{"metadata_namespace": "ns", "value": METADATA["dynamic"]}]
    metadata = typed("md", "filters.http.set_metadata.v3.Config", metadata=value)
    filters = [metadata, limit(descriptors=_rules(), token_bucket=bucket(5000))]
    hosts = [host("all", routes=routes)]
    return manager(name, filters=filters, config={"virtual_hosts": hosts})
