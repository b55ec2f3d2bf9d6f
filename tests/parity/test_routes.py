"""Routes: who matches what, and what becomes of paths, hosts and headers."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import cluster, typed
from tests.parity.exchanges import get
from tests.parity.http_origins import Scripted
from tests.parity.managers import ManagerTestCase, direct, host, manager, route
from tests.parity.peers import Served
from tests.parity.support import served


def added(key: str, value: str, action: str = "", **fields: Any) -> dict[str, Any]:
    """A HeaderValueOption."""
    option: dict[str, Any] = {"header": {"key": key, "value": value}, **fields}
    if action:
        option["append_action"] = action
    return option


def asked(name: str, **fields: Any) -> dict[str, Any]:
    """A HeaderMatcher."""
    return {"name": name, **fields}


def at(domain: str, *paths: str) -> dict[str, bytes]:
    """A conversation for each path of a domain; the host may have headers behind it."""
    first, *headers = domain.split("\n")
    return {f"{domain} {path}": get(path, f"Host: {first}", *headers) for path in paths}


def matched(name: str, **match: Any) -> dict[str, Any]:
    """A direct response that says its name, for a match."""
    return {
        "name": name,
        "match": match,
        "direct_response": {"status": 200, "body": {"inline_string": name}},
    }


def redirected(match: dict[str, Any] | None = None, **redirect: Any) -> dict[str, Any]:
    """A redirect."""
    return {"match": match or {"prefix": "/"}, "redirect": redirect}


def _matches() -> list[dict[str, Any]]:
    """Virtual hosts whose routes say which one it was."""
    one = {"prefix": "/"}
    regex = {"regex": "/r/[0-9]+(\\?.*)?"}
    return [
        host("exact", "exact.test", "other.test:81", routes=[matched("exact", **one)]),
        host("suffix", "*.exact.test", routes=[matched("suffix", **one)]),
        host("longer", "*.b.exact.test", routes=[matched("longer", **one)]),
        host("dash", "*-dash.test", routes=[matched("dash", **one)]),
        host("prefix", "pre.*", routes=[matched("prefix", **one)]),
        host(
            "paths",
            "paths.test",
            routes=[
                matched("path", path="/p"),
                matched("cased", path="/Case", case_sensitive=False),
                matched("separated", path_separated_prefix="/s"),
                matched("regex", safe_regex=regex),
                matched("insensitive", prefix="/low", case_sensitive=False),
                {
                    **matched(
                        "template",
                        path_match_policy=typed(
                            "t",
                            "path.match.uri_template.v3.UriTemplateMatchConfig",
                            path_template="/t/{x}/*/{y=**}",
                        ),
                    )
                },
                matched("prefix", prefix="/pre"),
            ],
        ),
        host(
            "headers",
            "headers.test",
            routes=[
                matched("present", **one, headers=[asked("x-p", present_match=True)]),
                matched(
                    "number", **one, headers=[asked("x-n", range_match={"start": -5, "end": 5})]
                ),
                matched("exact", **one, headers=[asked("x-e", string_match={"exact": "A"})]),
                matched(
                    "folded",
                    **one,
                    headers=[asked("x-e", string_match={"prefix": "b", "ignore_case": True})],
                ),
                matched(
                    "inverted",
                    **one,
                    headers=[
                        asked("x-i", string_match={"contains": "q"}, invert_match=True),
                        asked("x-i", present_match=True),
                    ],
                ),
                matched(
                    "missing",
                    **one,
                    headers=[
                        asked(
                            "x-m",
                            string_match={"suffix": "z"},
                            invert_match=True,
                            treat_missing_header_as_empty=True,
                        ),
                        asked("x-mm", present_match=True),
                    ],
                ),
                matched(
                    "query",
                    **one,
                    query_parameters=[
                        {"name": "a", "string_match": {"exact": "1"}},
                        {"name": "b", "present_match": True},
                    ],
                ),
                matched(
                    "cookie",
                    **one,
                    cookies=[{"name": "c", "string_match": {"safe_regex": {"regex": "x+"}}}],
                ),
                matched("method", **one, headers=[asked(":method", string_match={"exact": "PUT"})]),
                matched("grpc", **one, grpc={}),
                matched("never", **one, runtime_fraction={"default_value": {"numerator": 0}}),
                matched("none", **one),
            ],
        ),
    ]


def _redirects() -> list[dict[str, Any]]:
    """Virtual hosts that redirect, each in its own way."""
    made = {
        "host": {"host_redirect": "new.test"},
        "hostPort": {"host_redirect": "new.test", "port_redirect": 8443},
        "port": {"port_redirect": 81},
        "https": {"https_redirect": True},
        "scheme": {"scheme_redirect": "https"},
        "path": {"path_redirect": "/p"},
        "pathQuery": {"path_redirect": "/p?own=1"},
        "strips": {"path_redirect": "/p", "strip_query": True},
        "prefix": {"prefix_rewrite": "/new"},
        "regex": {"regex_rewrite": {"pattern": {"regex": "^/(.*)/x"}, "substitution": "/\\1/y"}},
        "found": {"host_redirect": "new.test", "response_code": "FOUND"},
        "seeOther": {"host_redirect": "new.test", "response_code": "SEE_OTHER"},
        "temporary": {"host_redirect": "new.test", "response_code": "TEMPORARY_REDIRECT"},
        "permanent": {"host_redirect": "new.test", "response_code": "PERMANENT_REDIRECT"},
    }
    hosts = [
        host(
            name,
            f"{name.lower()}.test",
            f"{name.lower()}.test:81",
            routes=[redirected({"prefix": "/old"}, **fields), redirected(**fields)],
        )
        for name, fields in made.items()
    ]
    return [
        *hosts,
        host("tls", "tls.test", routes=[matched("tls", prefix="/")], require_tls="ALL"),
        host(
            "external",
            "external.test",
            routes=[matched("external", prefix="/")],
            require_tls="EXTERNAL_ONLY",
        ),
        host(
            "decorated",
            "decorated.test",
            routes=[
                {
                    **redirected(host_redirect="new.test"),
                    "response_headers_to_add": [added("x-from", "%REQ(:authority)%")],
                }
            ],
        ),
    ]


def _rewrites() -> list[dict[str, Any]]:
    """Virtual hosts that rewrite, to the origin."""
    regex = {"pattern": {"regex": "/(\\w+)/(\\w+)"}, "substitution": "/\\2/\\1"}
    hostRegex = {"pattern": {"regex": "^/h/([^/]+).*$"}, "substitution": "\\1.test"}
    made: dict[str, dict[str, Any]] = {
        "prefix": {"prefix_rewrite": "/new"},
        "slash": {"prefix_rewrite": "/"},
        "regex": {"regex_rewrite": regex},
        "literal": {"host_rewrite_literal": "literal.example"},
        "header": {"host_rewrite_header": "x-host"},
        "hostPath": {"host_rewrite_path_regex": hostRegex},
        "forwarded": {"host_rewrite_literal": "literal.example", "append_x_forwarded_host": True},
        "auto": {"auto_host_rewrite": True},
        "template": {
            "path_rewrite_policy": typed(
                "r",
                "path.rewrite.uri_template.v3.UriTemplateRewriteConfig",
                path_template_rewrite="/out/{y}/{x}",
            )
        },
    }
    policy = typed(
        "t", "path.match.uri_template.v3.UriTemplateMatchConfig", path_template="/old/{x}/{y}"
    )
    hosts = []
    for name, action in made.items():
        one = route(prefix="/old", action=action)
        rest = route(action={} if name == "template" else action)
        if name == "template":
            one["match"] = {"path_match_policy": policy}
        exact = route(action={} if name == "template" else action)
        exact["match"] = {"path": "/exact"}
        hosts.append(host(name, f"{name.lower()}.test", routes=[exact, one, rest]))
    return hosts


def _weights() -> list[dict[str, Any]]:
    """Weighted clusters of which only one can be chosen, with their own edits."""
    clusters = [
        {
            "name": "origin",
            "weight": 100,
            "request_headers_to_add": [added("x-picked", "origin")],
            "response_headers_to_add": [added("x-picked", "%UPSTREAM_CLUSTER%")],
            "request_headers_to_remove": ["x-gone"],
            "host_rewrite_literal": "weighted.example",
        },
        {"name": "empty", "weight": 0},
    ]
    by = {"cluster_header": "x-cluster"}
    return [
        host(
            "weighted",
            "weighted.test",
            routes=[route("", action={"weighted_clusters": {"clusters": clusters}})],
        ),
        host("named", "named.test", routes=[route("", action=by)]),
        host("empty", "empty.test", routes=[route("empty")]),
        host(
            "unknown",
            "unknown.test",
            routes=[
                route(
                    "", action={**by, "cluster_not_found_response_code": "NOT_FOUND"}, prefix="/4"
                ),
                route(
                    "",
                    action={**by, "cluster_not_found_response_code": "INTERNAL_SERVER_ERROR"},
                ),
            ],
        ),
        host(
            "nothing",
            "nothing.test",
            routes=[{"match": {"prefix": "/"}, "non_forwarding_action": {}}],
        ),
    ]


def _edits(level: str) -> dict[str, Any]:
    """Header edits of one level."""
    kinds = (
        "APPEND_IF_EXISTS_OR_ADD",
        "ADD_IF_ABSENT",
        "OVERWRITE_IF_EXISTS_OR_ADD",
        "OVERWRITE_IF_EXISTS",
    )
    both = [added(f"x-{kind.lower()}", level, kind) for kind in kinds]
    both += [added("x-order", level), added(f"x-only-{level}", "%PROTOCOL%/%ROUTE_NAME%")]
    both += [added("x-empty", "%REQ(x-absent)%")]
    both += [added("x-kept-empty", "%REQ(x-absent)%", keep_empty_value=True)]
    return {
        "request_headers_to_add": [*both, added("x-text", f"100%% %REQ(x-in)% {level}")],
        "request_headers_to_remove": [f"x-remove-{level}"],
        "response_headers_to_add": [*both, added("x-status", "%RESPONSE_CODE%")],
        "response_headers_to_remove": [f"x-gone-{level}"],
    }


class RouteTests(ManagerTestCase):
    """Listeners with many virtual hosts each."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": Scripted()}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        clusters = [cluster("origin", f"127.0.0.1:{ports['origin']}"), cluster("empty")]
        both = [
            {**route(prefix="/named"), "name": "named", **_edits("route")},
            {**direct(prefix="/direct"), **_edits("route")},
            route(),
        ]
        edited = {"virtual_hosts": [host("all", routes=both, **_edits("host"))], **_edits("table")}
        stripped = [host("h", "h.test", routes=[direct("h")]), host("r", routes=[direct("rest")])]
        normal: dict[str, dict[str, Any]] = {
            "normalized": {"normalize_path": True, "merge_slashes": True},
            "kept": {"normalize_path": False},
            "rejected": {"path_with_escaped_slashes_action": "REJECT_REQUEST"},
            "unescaped": {"path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD"},
            "sentBack": {"path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT"},
        }
        listeners = [
            manager("matches", config={"virtual_hosts": _matches()}),
            manager(
                "ignoresPort",
                config={"virtual_hosts": _matches(), "ignore_port_in_host_matching": True},
            ),
            manager("redirects", config={"virtual_hosts": _redirects()}),
            manager("rewrites", config={"virtual_hosts": _rewrites()}),
            manager("weights", config={"virtual_hosts": _weights(), "validate_clusters": False}),
            manager("edits", config=edited),
            manager(
                "editsBackwards", config={**edited, "most_specific_header_mutations_wins": True}
            ),
            *[manager(name, **fields) for name, fields in normal.items()],
            manager("anyPort", strip_any_host_port=True, config={"virtual_hosts": stripped}),
            manager(
                "matchingPort", strip_matching_host_port=True, config={"virtual_hosts": stripped}
            ),
            manager("dot", strip_trailing_host_dot=True, config={"virtual_hosts": stripped}),
        ]
        return served(listeners, clusters)

    def test_hosts(self) -> None:
        """Domains: exact before suffixes before prefixes, the longest first."""
        hosts = ["exact.test", "EXACT.test", "exact.test:80", "other.test", "other.test:81"]
        hosts += ["a.exact.test", "a.b.exact.test", "b.exact.test", "x-dash.test", "-dash.test"]
        hosts += ["pre.any", "pre.any:80", "pre.", "nobody", "exact.test."]
        conversations = {name: get("/", f"Host: {name}") for name in hosts}
        self.together(("matches", "ignoresPort"), conversations)

    def test_paths(self) -> None:
        """Kinds of path matches."""
        paths = ["/p", "/p?q", "/p/", "/P", "/case", "/CASE?x", "/s", "/s/", "/sx", "/s/x?y"]
        paths += ["/r/12", "/r/12?a=/", "/r/x", "/r/1/", "/LOWer", "/low", "/t/a/b/c/d", "/t/a/b"]
        paths += ["/t/a", "/prefix", "/pre?x", "/", "/p%20", "/s%2fx", "/p#x"]
        self.compared("matches", at("paths.test", *paths), 0)

    def test_conditions(self) -> None:
        """Headers, queries, cookies, methods."""
        lines = ["x-p:", "x-n: 4", "x-n: 5", "x-n: -5", "x-n: x", "x-e: A", "x-e: a", "x-e: BX"]
        lines += ["x-i: abc", "x-i: q", "x-mm: 1", "x-mm: 1\nx-m: az", "cookie: c=xx; d=1"]
        lines += ["cookie: d=1; c=xy", "content-type: application/grpc", "x-e: A\nx-e: A"]
        lines += ["content-type: application/grpc+proto", "content-type: application/grpcx"]
        conversations: dict[str, Any] = {}
        for line in lines:
            conversations.update(at(f"headers.test\n{line}", "/"))
        conversations.update(at("headers.test", "/?a=1&b", "/?a=1", "/?b=&a=1&a=2", "/?a=2&a=1&b"))
        conversations["put"] = get("/", "Host: headers.test", method="PUT")
        self.compared("matches", conversations, 0)

    def test_redirects(self) -> None:
        """Every field of a RedirectAction."""
        names = "host hostport port https scheme path pathquery strips prefix regex found "
        names += "seeother temporary permanent tls external decorated"
        conversations: dict[str, Any] = {}
        for name in names.split():
            conversations.update(at(f"{name}.test", "/old/x/x?q=1", "/else"))
        conversations.update(at("port.test:81", "/old?q"))
        conversations.update(at("https.test:81", "/old?q"))
        conversations.update(at("host.test:81", "/old?q"))
        conversations.update(at("hostport.test\nx-forwarded-proto: https", "/old?q"))
        conversations["post"] = get("/old", "Host: host.test", method="POST")
        self.compared("redirects", conversations)

    def test_rewrites(self) -> None:
        """What the origin sees of path and host."""
        conversations: dict[str, Any] = {}
        for name in "prefix slash regex literal header forwarded auto template".split():
            conversations.update(at(f"{name}.test", "/old/a/b?q=1", "/old", "/exact?q", "/h/x/y"))
        conversations.update(at("hostpath.test", "/h/x/y?z", "/old"))
        conversations.update(at("header.test\nx-host: from.header", "/old"))
        conversations.update(at("forwarded.test\nx-forwarded-host: before", "/old"))
        self.compared("rewrites", conversations)

    def test_clusters(self) -> None:
        """Weighted, named by a header, empty, unknown, none."""
        conversations = {
            **at("weighted.test\nx-gone: 1", "/"),
            **at("named.test\nx-cluster: origin", "/"),
            **at("named.test\nx-cluster: nobody", "/"),
            **at("named.test", "/"),
            **at("empty.test", "/"),
            **at("unknown.test\nx-cluster: nobody", "/4", "/5"),
            **at("nothing.test", "/"),
        }
        self.compared("weights", conversations)

    def test_edits(self) -> None:
        """Header edits of table, host and route, in both orders."""
        headers = [f"x-remove-{level}: 1" for level in ("table", "host", "route")]
        headers += ["x-in: in", "x-overwrite_if_exists: mine", "x-add_if_absent: mine"]
        conversations = {
            "named": get("/named", *headers),
            "plain": get("/", *headers),
            "direct": get("/direct", *headers),
            "bare": get("/named"),
        }
        self.together(("edits", "editsBackwards"), conversations)

    def test_normalization(self) -> None:
        """Dots, slashes and escapes in paths."""
        paths = ["/a/../b", "/a/./b", "//a///b", "/a%2fb", "/a%2Fb%5cc", "/a\\b", "/%41", "/a/.."]
        paths += ["/../../x", "/a/%2e%2e/b", "/a?b=../c", "/a//../b", "/%zz", "/a%00b", "/a;b/../c"]
        self.together(
            ("normalized", "kept", "rejected", "unescaped", "sentBack"), at("h.test", *paths), 0
        )

    def test_ports(self) -> None:
        """Ports and dots of hosts that are taken away."""
        hosts = [
            "h.test",
            "h.test:80",
            "h.test:1234",
            "h.test.",
            "h.test.:80",
            "h.test:x",
            "[::1]:80",
        ]
        conversations = {name: get("/", f"Host: {name}") for name in hosts}
        self.together(("anyPort", "matchingPort", "dot"), conversations, 0)
