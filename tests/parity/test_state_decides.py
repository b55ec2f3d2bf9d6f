"""State and metadata that crossed a hop decide: matcher trees, RBAC, ORIGINAL_DST, subsets."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import (
    addressOf,
    cluster,
    listener,
    logTo,
    setFilterState,
    tcpProxy,
    typed,
)
from tests.parity.exchanges import get
from tests.parity.http_origins import Scripted
from tests.parity.managers import ManagerTestCase, direct, host, manager
from tests.parity.peers import Served
from tests.parity.peers import echo as echoOrigin
from tests.parity.support import ParityTestCase, Side, served
from tests.parity.test_hops import passing

LOG = (
    "chain=%FILTER_CHAIN_NAME% flags=%RESPONSE_FLAGS% %CONNECTION_TERMINATION_DETAILS% "
    "%DYNAMIC_METADATA(envoy.filters.network.rbac)% %FILTER_STATE(k:PLAIN)% "
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %UPSTREAM_CLUSTER% "
    "rx=%BYTES_RECEIVED% tx=%BYTES_SENT%"
)
RESTORE = typed("restore", "filters.listener.original_dst.v3.OriginalDst")
RESTORED = "envoy.filters.listener.original_dst"
STATE = "matching.common_inputs.network.v3."
ANYTHING: dict[str, Any] = {"any": True}


def reaching(name: str, to: str, **metadata: dict[str, Any]) -> dict[str, Any]:
    """A cluster of an internal listener; metadata of its host (`restored`) and its own (`own`)."""
    endpoint = {"address": addressOf(f"internal:{to}")}
    found = {"filter_metadata": {RESTORED: metadata.get("restored", {})}}
    hosts = [{"lb_endpoints": [{"endpoint": endpoint, "metadata": found}]}]
    return {
        "name": name,
        "load_assignment": {"cluster_name": name, "endpoints": hosts},
        "metadata": {"filter_metadata": {"own": metadata.get("own", {})}},
        "transport_socket": passing(("host", RESTORED), ("cluster", "own")),
    }


def chosen(name: str) -> dict[str, Any]:
    """The action that names a filter chain."""
    value = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": name}
    return {"action": {"name": name, "typed_config": value}}


def single(kind: str, match: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A predicate about one input."""
    return {"single_predicate": {"input": typed("input", STATE + kind, **fields), **match}}


def is_(text: str) -> dict[str, Any]:
    """An exact match."""
    return {"value_match": {"exact": text}}


def tree() -> dict[str, Any]:
    """By port, then by filter state, address and kind of source; other ports by prefix."""
    raw = single("TransportProtocolInput", is_("raw_buffer"))
    local = single("SourceTypeInput", is_("local"))
    fields = [
        (single("FilterStateInput", {"value_match": {"prefix": "go"}}, key="k"), "state"),
        ({"not_matcher": single("DestinationIPInput", is_("10.0.0.1"))}, "elsewhere"),
        ({"and_matcher": {"predicate": [local, raw]}}, "local"),
    ]
    matchers = [{"predicate": one, "on_match": chosen(name)} for one, name in fields]
    by82 = {"matcher": {"matcher_list": {"matchers": matchers}, "on_no_match": chosen("rest")}}
    ranges = [
        {"ranges": [{"address_prefix": net, "prefix_len": size}], "on_match": chosen(f"net{size}")}
        for net, size in (("10.1.0.0", 16), ("10.1.2.0", 24))
    ]
    matcher = "type.googleapis.com/xds.type.matcher.v3.IPMatcher"
    custom = {"name": "ip", "typed_config": {"@type": matcher, "range_matchers": ranges}}
    address = typed("input", STATE + "DestinationIPInput")
    ports = {"map": {"81": chosen("port"), "82": by82}}
    return {
        "matcher_tree": {
            "input": typed("input", STATE + "DestinationPortInput"),
            "exact_match_map": ports,
        },
        "on_no_match": {"matcher": {"matcher_tree": {"input": address, "custom_match": custom}}},
    }


CHAINS = ("port", "state", "elsewhere", "local", "rest", "net16", "net24")
DESTINATIONS = {
    "port81": "10.0.0.1:81",
    "port82": "10.0.0.1:82",
    "other82": "10.9.0.1:82",
    "wide": "10.1.9.9:5",
    "narrow": "10.1.2.9:5",
    "none": "10.2.0.0:5",
    "bad": "nonsense",
    "six": "[::1]:82",
}


def policy(
    permission: dict[str, Any], principal: dict[str, Any], action: str = "ALLOW"
) -> dict[str, Any]:
    """RBAC rules of one policy."""
    one = {"permissions": [permission], "principals": [principal]}
    return {"action": action, "policies": {"p": one}}


def about(key: str, match: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A MetadataMatcher of the cluster's metadata."""
    return {"metadata": {"filter": "own", "path": [{"key": key}], "value": match, **fields}}


STORED = {"filter_state": {"key": "k", "string_match": {"exact": "go1"}}}
RULES: dict[str, dict[str, Any]] = {
    "prefix": {"rules": policy(ANYTHING, {"remote_ip": {"address_prefix": "10.0.0.0"}})},
    "port": {"rules": policy({"destination_port": 81}, ANYTHING)},
    "deny": {"rules": policy(ANYTHING, STORED, "DENY")},
    "metadata": {
        "rules": policy(about("a", {"string_match": {"exact": "b"}}), ANYTHING),
        "shadow_rules": policy(ANYTHING, {"not_id": ANYTHING}),
        "shadow_rules_stat_prefix": "tried_",
    },
    "numbers": {
        "rules": policy(
            {"not_rule": {"destination_port_range": {"start": 1, "end": 100}}},
            about("n", {"double_match": {"exact": 4}}, invert=True),
        )
    },
    "logged": {
        "rules": policy({"destination_port_range": {"start": 1, "end": 100}}, ANYTHING, "LOG")
    },
    "certificate": {"rules": policy(ANYTHING, {"authenticated": {}})},
}
DIRECT = "envoy.network.transport_socket.original_dst_address"


class DecisionTests(ParityTestCase):
    """Each ingress stores `go1` or nothing, and goes over one hop."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": echoOrigin}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        origin = f"127.0.0.1:{ports['origin']}"
        proxies = [{"name": name, "filters": [tcpProxy("origin", name)]} for name in CHAINS]

        def inner(name: str, *filters: dict[str, Any], **fields: Any) -> dict[str, Any]:
            log = logTo(f"{name}.log", LOG)
            restore = {"listener_filters": [RESTORE], "access_log": log}
            return listener(name, "internal:", *filters, **restore, **fields)

        def ingress(name: str, to: str, *filters: dict[str, Any]) -> dict[str, Any]:
            log = logTo(f"{name}.log", LOG)
            return listener(name, "127.0.0.1:0", *filters, tcpProxy(to, name), access_log=log)

        stored = setFilterState("k", "go1", "TRANSITIVE")
        listeners = [inner("tree", filter_chains=proxies, filter_chain_matcher=tree())]
        clusters = [cluster("origin", origin)]
        for name, where in DESTINATIONS.items():
            restored = {"local": where, "remote": "1.2.3.4:5"}
            clusters.append(reaching(name, "tree", restored=restored))
            listeners += [ingress(name, name), ingress(f"{name}Go", name, stored)]
        for name, rules in RULES.items():
            rbac = typed("rbac", "filters.network.rbac.v3.RBAC", stat_prefix=f"{name}.", **rules)
            to = f"rbac{name}"
            listeners += [inner(to, rbac, tcpProxy("origin", to)), ingress(f"{to}In", to, stored)]
            restored = {"local": "10.0.0.1:81"}
            clusters.append(reaching(to, to, restored=restored, own={"a": "b", "n": 4}))
        dynamic = {"type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED"}
        settings = {"upstream_port_override": ports["origin"]}
        clusters.append({"name": "ported", "original_dst_lb_config": settings, **dynamic})
        settings = {"metadata_key": {"key": "own", "path": [{"key": "to"}]}}
        clusters.append({"name": "told", "original_dst_lb_config": settings, **dynamic})
        listeners += [inner("portedHop", tcpProxy("ported")), inner("toldHop", tcpProxy("told"))]
        restored = {"local": "127.0.0.1:9"}
        clusters += [
            reaching("byRestored", "portedHop", restored=restored),
            reaching("byState", "portedHop"),
            reaching("byMetadata", "toldHop", own={"to": origin}),
            reaching("byNumber", "toldHop", own={"to": 17}),
        ]
        local = f"{RESTORED}.local_ip"
        listeners += [
            ingress(f"{name}In", name) for name in ("byRestored", "byMetadata", "byNumber")
        ]
        listeners.append(
            ingress(
                "byStateIn",
                "byState",
                setFilterState(local, "127.0.0.1:7", "ONCE", factory_key=local),
            )
        )
        listeners.append(
            ingress("direct", "told", setFilterState(DIRECT, origin, factory_key=DIRECT))
        )
        return served(listeners, clusters)

    def _spoken(self, name: str, stats: str = "") -> None:
        def scenario(side: Side) -> object:
            client = side.connect(name)
            client.send(b"x")
            first = client.some()
            if first:
                client.end()
            return first, client.rest()

        self.same(scenario, stats, f"{name}.log")

    def test_trees(self) -> None:
        """Every branch of a tree over what was restored, and filter state before addresses."""
        for name in DESTINATIONS:
            self._spoken(name)
            self._spoken(f"{name}Go")
        count = 2 * (len(DESTINATIONS))
        self.same(lambda side: sorted(side.program.lines("tree.log", count)), r"no_filter_chain")

    def test_rbac(self) -> None:
        """Rules about what came over the hop."""
        for name in RULES:
            self._spoken(f"rbac{name}In", rf"^{name}\.rbac|cluster\.rbac{name}\.upstream_cx_d")
            self.same(lambda side, n=name: None, log=f"rbac{name}.log")

    def test_originalDst(self) -> None:
        """Every source of a destination."""
        for name in ("byRestoredIn", "byStateIn", "byMetadataIn", "byNumberIn", "direct"):
            self._spoken(name, r"original_dst_host_invalid|^cluster\.(ported|told)\.upstream_cx_t")


HTTP_LOG = (
    "%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% "
    "state=%FILTER_STATE(a:PLAIN)%,%FILTER_STATE(a)%,%FILTER_STATE(b:PLAIN):3% "
    "up=%UPSTREAM_FILTER_STATE(a:PLAIN)%,%UPSTREAM_FILTER_STATE(b)% "
    "dynamic=%DYNAMIC_METADATA(envoy.lb)%,%DYNAMIC_METADATA(ns)%,%DYNAMIC_METADATA(ns:num)%,"
    "%DYNAMIC_METADATA(ns:num):2%,%DYNAMIC_METADATA(ns:pb:x)%,%METADATA(DYNAMIC:ns:cookie)% "
    "cluster=%CLUSTER_METADATA(own:k)%,%CLUSTER_METADATA(own)%,%CLUSTER_METADATA(own:s:t)% "
    "host=%UPSTREAM_METADATA(envoy.lb:version)%,%UPSTREAM_METADATA(hm)%,%UPSTREAM_METADATA(no:x)% "
    "route=%METADATA(ROUTE:rm:k)% %METADATA(VIRTUAL_HOST:vm)% %UPSTREAM_CLUSTER% "
    "%UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID% %DOWNSTREAM_LOCAL_ADDRESS%"
)


def rule(place: str, name: str, namespace: str, key: str, **fields: Any) -> dict[str, Any]:
    """A header_to_metadata rule."""
    present = {"metadata_namespace": namespace, "key": key, **fields.pop("present", {})}
    return {place: name, "on_header_present": present, **fields}


class RequestTests(ManagerTestCase):
    """A connection manager, a hop with state, another one that chooses among subsets."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": Scripted(), "other": Scripted()}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        default = {"metadata_namespace": "envoy.lb", "key": "default", "value": "true"}
        swapped = {"pattern": {"regex": "(.)-(.*)"}, "substitution": "\\2_\\1"}
        rules = [
            rule("header", "x-version", "envoy.lb", "version", on_header_missing=default),
            rule("header", "x-num", "ns", "num", present={"type": "NUMBER"}),
            rule(
                "header",
                "x-pb",
                "ns",
                "pb",
                present={"type": "PROTOBUF_VALUE", "encode": "BASE64"},
            ),
            rule("cookie", "c", "ns", "cookie", present={"regex_value_rewrite": swapped}),
        ]
        kind = "filters.http.header_to_metadata.v3.Config"
        toMetadata = typed("metadata", kind, request_rules=rules)

        def stored(key: str, text: str, factory: str, **fields: Any) -> dict[str, Any]:
            source = {"text_format_source": {"inline_string": text}}
            return {"object_key": key, "factory_key": factory, "format_string": source, **fields}

        hashable = {"shared_with_upstream": "TRANSITIVE", "skip_if_empty": True}
        values = [
            stored("a", "%REQ(X-A)%", "envoy.hashable_string", **hashable),
            stored("b", "%REQ(:PATH)%x", "envoy.string", shared_with_upstream="ONCE"),
        ]
        state = typed("state", "filters.http.set_filter_state.v3.Config", on_request_headers=values)
        number = {"double_match": {"range": {"start": 1, "end": 5}}}
        shown = "%FILTER_STATE(a)%|%FILTER_STATE(b:PLAIN):4%|%DYNAMIC_METADATA(ns)%"
        formatted = "%FILTER_STATE(a)% %FILTER_STATE(a:PLAIN):1% %DYNAMIC_METADATA(ns:num)%"
        body = {"text_format_source": {"inline_string": formatted}}
        v1 = {"filter_metadata": {"envoy.lb": {"version": "v1"}}}
        path = [{"key": "num"}]
        routes = [
            {
                "match": {
                    "prefix": "/num",
                    "dynamic_metadata": [{"filter": "ns", "path": path, "value": number}],
                },
                "route": {"cluster": "hop"},
                "metadata": {"filter_metadata": {"rm": {"k": [1, "two"]}}},
                "response_headers_to_add": [{"header": {"key": "x-state", "value": shown}}],
                "request_headers_to_add": [
                    {"header": {"key": "x-to", "value": "%FILTER_STATE(b)%"}}
                ],
            },
            direct(
                "by state",
                211,
                "/state",
                match={"filter_state": [{"key": "a", "string_match": {"prefix": "q"}}]},
            ),
            {
                "match": {"prefix": "/body"},
                "direct_response": {"status": 200, "body_format": body},
            },
            {"match": {"prefix": "/subset"}, "route": {"cluster": "subsets"}},
            {"match": {"prefix": "/v1"}, "route": {"cluster": "subsets", "metadata_match": v1}},
            {"match": {"prefix": "/"}, "route": {"cluster": "hop"}},
        ]
        hosts = [host("all", routes=routes, metadata={"filter_metadata": {"vm": {"a": True}}})]
        outer = manager("outer", config={"virtual_hosts": hosts}, filters=[toMetadata, state])
        inner = manager("inner", [{"match": {"prefix": "/"}, "route": {"cluster": "subsets"}}])
        del inner["address"]
        inner["internal_listener"] = {}
        for one, name in ((outer, "outer"), (inner, "inner")):
            http = one["filter_chains"][0]["filters"][0]["typed_config"]
            http["access_log"] = logTo(f"{name}.log", HTTP_LOG)
            http["http_filters"][0:0] = [] if one is outer else [toMetadata]
        found = [
            (ports["origin"], {"envoy.lb": {"version": "v1"}, "hm": {"z": 1}}),
            (ports["other"], {"envoy.lb": {"version": 2, "default": "true"}}),
        ]
        endpoints = [
            {
                "endpoint": {"address": addressOf(f"127.0.0.1:{port}")},
                "metadata": {"filter_metadata": metadata},
            }
            for port, metadata in found
        ]
        selectors = [
            {"keys": ["version"]},
            {"keys": ["default"], "fallback_policy": "ANY_ENDPOINT"},
        ]
        subsets = cluster(
            "subsets",
            lb_subset_config={"fallback_policy": "NO_FALLBACK", "subset_selectors": selectors},
            load_assignment={"cluster_name": "subsets", "endpoints": [{"lb_endpoints": endpoints}]},
            metadata={"filter_metadata": {"own": {"k": "sub"}}},
        )
        own = {"k": "v", "s": {"t": [1.5, None, True, "long text"]}}
        return served([outer, inner], [subsets, reaching("hop", "inner/id1", own=own)])

    def test_requests(self) -> None:
        """What headers become decides about routes, hosts, logs, headers and bodies."""
        conversations: dict[str, Any] = {
            "plain": get("/p", "X-A: q1"),
            "first": get("/subset1", "X-Version: v1"),
            "nobody": get("/subset9", "X-Version: v9"),
            "none": get("/subset0"),
            "empty": get("/subsetE", "X-Version:"),
            "twice": get("/subsetT", "X-Version: v1", "X-Version: v2"),
            "three": get("/num3", "X-Num: 3", "X-A: w"),
            "nine": get("/num9", "X-Num: 9"),
            "letters": get("/numX", "X-Num: abc"),
            "byState": get("/state", "X-A: qq"),
            "notByState": get("/state", "X-A: zz"),
            "body": get("/body", 'X-A: ab"c', "X-Num: 7.25"),
            "protobuf": get("/pb", "X-Pb: GgJoaQ=="),
            "noProtobuf": get("/pb2", "X-Pb: !!!"),
            "cookie": get("/ck", "Cookie: c=x-yy; d=1", "X-Version: v1"),
            "otherCookie": get("/ck2", "Cookie: d=1", "X-Version: v1"),
            "route": get("/v1"),
            "both": get("/v1b", "X-Version: v2"),
        }
        stats = r"lb_subsets|no_metadata|^cluster\.(hop|subsets)\.upstream_rq_(total|[0-9])"
        self.compared("outer", conversations, stats=stats)
        self.same(lambda side: sorted(side.program.lines("inner.log", 10)))
