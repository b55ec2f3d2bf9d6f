"""Broken connection managers and routes: one mistake each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.bootstraps import bootstrap, cluster, typed
from tests.parity.managers import manager, route
from tests.parity.rate_limits import bucket, counted, header, limit, rule

_CLUSTERS = [cluster("origin", "127.0.0.1:9")]
_FOLDED = {"safe_regex": {"regex": "a"}, "ignore_case": True}
_MATCH = "path.match.uri_template.v3.UriTemplateMatchConfig"
_REWRITE = "path.rewrite.uri_template.v3.UriTemplateRewriteConfig"
_TEMPLATES = (
    "/a//b",
    "/b{a",
    "/b{a=x/y}",
    "/b}{a}",
    "/{a}{b}",
    "/*b/c",
    "/{1a}",
    "/{a=}",
    "/{a=b/}",
    "/{a=**x}",
    "/**/b{a}",
    "/{a=**}/**",
    "/{abcdefghijklmnopq}",
    "/{a}/{b}/{c}/{d}/{e}/{f}",
    "x",
    "",
    "/" + "a" * 300,
)


def _managed(routes: list[dict[str, Any]] | None = None, **fields: Any) -> str:
    return bootstrap([manager("m", routes, **fields)], _CLUSTERS)


def _routed(match: dict[str, Any], action: dict[str, Any] | None = None) -> str:
    return _managed([{"match": match, **(action or {"route": {"cluster": "origin"}})}])


def _template(text: str) -> dict[str, Any]:
    return {"path_match_policy": typed("t", _MATCH, path_template=text)}


def httpRefusals() -> Iterator[tuple[str, str]]:
    """All of them."""
    for at, text in enumerate(_TEMPLATES):
        yield f"template{at}", _routed(_template(text))
    rewrite = {"path_rewrite_policy": typed("r", _REWRITE, path_template_rewrite="/{a}//b")}
    yield "templateRewrite", _routed(_template("/{a}"), {"route": {"cluster": "origin", **rewrite}})
    prefix = {"prefix_rewrite": "/x"}
    yield "prefixOfTemplate", _routed(_template("/{a}"), {"route": {"cluster": "origin", **prefix}})
    yield "redirectedTemplate", _routed(_template("/{a}"), {"redirect": prefix})
    for at, named in enumerate(({"route_config_name": "x"}, {})):
        one = manager("m", rds=named)
        del one["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]
        yield f"rds{at}", bootstrap([one], _CLUSTERS)
    header = {"name": "a", "string_match": _FOLDED}
    yield "foldedRegex", _routed({"prefix": "/", "headers": [header]})
    ranges = [{"address_prefix": "x", "prefix_len": 8}]
    yield "managerNoAddress", _managed(internal_address_config={"cidr_ranges": ranges})
    for name, value in (
        ("flush_access_log_on_new_request", True),
        ("access_log_flush_interval", "1s"),
    ):
        yield f"options_{name}", _managed(access_log_options={}, **{name: value})
    buffer = typed("b", "filters.http.buffer.v3.Buffer", max_request_bytes=1)
    yield "upgradeFilters", _managed(upgrade_configs=[{"upgrade_type": "x", "filters": [buffer]}])
    yield "requestID", _managed(request_id_extension={"typed_config": buffer["typed_config"]})
    yield "emptyBuffer", _managed(filters=[typed("b", "filters.http.buffer.v3.Buffer")])
    yield from _rateLimits()


def _rateLimits() -> Iterator[tuple[str, str]]:
    named = header("a")
    short = {**rule(1, ("a", "1")), "token_bucket": bucket(1, 1, "0.0499s")}
    each = {"local_rate_limit_per_downstream_connection": True}
    regex = {"name": "a", "string_match": {"safe_regex": {"regex": "("}}}
    pattern = {"header_value_match": {"descriptor_value": "a", "headers": [regex]}}
    unknown = {"name": "n", "typed_config": {"@type": "type.googleapis.com/google.protobuf.Struct"}}
    filters: dict[str, dict[str, Any]] = {
        "short": {"token_bucket": bucket(1, 1, "0.0499s")},
        "shortRule": {"descriptors": [short]},
        "same": {"descriptors": [rule(1, ("a", "1"), ("b", "")), rule(2, ("a", "1"), ("b", ""))]},
        "noEntries": {"descriptors": [rule(1)]},
        "noDynamic": {"max_dynamic_descriptors": 0},
        "cluster": {"local_cluster_rate_limit": {}, **each},
    }
    for name, fields in filters.items():
        yield f"rateLimit_{name}", _managed(filters=[limit(**fields)])
    limits: dict[str, dict[str, Any]] = {
        "stage": counted(named, stage=0),
        "key": counted(named, disable_key="k"),
        "limit": counted(named, limit={"rate_limit": {"requests_per_unit": 1}}),
        "noLimit": counted(named, limit={}),
        "noHits": counted(named, hits_addend={}),
        "bothHits": counted(named, hits_addend={"number": 1, "format": "%PROTOCOL%"}),
        "twoFormats": counted(named, hits_addend={"format": "%PROTOCOL%%PROTOCOL%"}),
        "badFormat": counted(named, hits_addend={"format": "%NOPE%"}),
        "openFormat": counted(named, hits_addend={"format": "%REQ(a%"}),
        "noFormat": counted(named, hits_addend={"format": "a"}),
        "manyHits": counted(named, hits_addend={"number": 1_000_000_001}),
        "noActions": counted(),
        "noAction": counted({}),
        "regex": counted(pattern),
        "unknown": counted({"extension": unknown}),
        "mask": counted({"masked_remote_address": {"v4_prefix_mask_len": 33}}),
    }
    for name, one in limits.items():
        yield f"rateLimits_{name}", _managed(filters=[limit(rate_limits=[one])])
    for name in ("noLimit", "noFormat", "noActions", "regex", "unknown"):
        yield f"rateLimitsOfRoute_{name}", _managed([route(action={"rate_limits": [limits[name]]})])
    none = {"lrl": limit(token_bucket=None)["typed_config"]}
    yield "rateLimitOfRoute", _managed([route(typed_per_filter_config=none)], filters=[limit()])
