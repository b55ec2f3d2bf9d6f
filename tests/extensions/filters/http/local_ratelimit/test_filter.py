"""The local_ratelimit filter; answers, headers and stats are real Envoy's."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.support import ALWAYS, OK, FilterCase, named, typed
from tests.http.manager import HELLO, ORIGIN, PROXIED, bootstrap, run
from twisted_envoy.testing import MemoryEnvoy

TYPE = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
BUCKET = {"max_tokens": 2, "tokens_per_fill": 1, "fill_interval": "2s"}
FULL = {"default_value": ALWAYS}
NEVER = {"default_value": {"numerator": 0}}


def limit(**fields: Any) -> dict[str, Any]:
    default = {"stat_prefix": "lp", "token_bucket": BUCKET}
    return {**default, "filter_enabled": FULL, "filter_enforced": FULL, **fields}


class LocalRateLimitTests(FilterCase):
    def begin(self, route: dict[str, Any] | None = None, **fields: Any) -> None:
        self.start(
            named("lrl", TYPE, **limit(**fields)), route=None if route is None else {"lrl": route}
        )

    def counts(self, prefix: str = "lp") -> tuple[int, ...]:
        names = ("enabled", "ok", "rate_limited", "enforced")
        return tuple(self.envoy.stat(f"{prefix}.http_local_rate_limit.{name}") for name in names)

    def test_limited(self) -> None:
        """As many as there are tokens; one more with each new token."""
        self.begin()

        answers = [self.get() for _ in range(3)]
        self.envoy.advance(2)
        later = [self.get() for _ in range(2)]

        self.assertTrue(answers[1].endswith(b"ok"))
        self.assertTrue(answers[2].startswith(b"HTTP/1.1 429 Too Many Requests\r\n"))
        self.assertTrue(answers[2].endswith(b"\r\n\r\nlocal_rate_limited"))
        self.assertNotIn(b"x-ratelimit", answers[2])
        self.assertTrue(later[0].endswith(b"ok"))
        self.assertIn(b" 429 ", later[1])
        self.assertEqual(self.counts(), (5, 3, 2, 2))
        self.assertEqual(self.log()[2], "429 local_rate_limited RL")

    def test_headers(self) -> None:
        """What is left, when there is more, and the config's own."""
        self.begin(
            enable_x_ratelimit_headers="DRAFT_VERSION_03",
            enable_retry_after_header=True,
            response_headers_to_add=[{"header": {"key": "x-rl", "value": "%PROTOCOL%"}}],
        )
        texts = [self.get() for _ in range(3)]
        for text, remaining, reset in zip(texts, b"100", b"022", strict=True):
            self.assertIn(
                b"x-ratelimit-limit: 2\r\nx-ratelimit-remaining: %c\r\nx-ratelimit-reset: %c\r\n"
                % (remaining, reset),
                text,
            )
        self.assertIn(b"x-rl: HTTP/1.1\r\nretry-after: 2\r\n", texts[2])
        self.assertNotIn(b"x-rl", texts[1])

    def test_notEnforced(self) -> None:
        """Let through, with headers that say so."""
        added = [{"header": {"key": "x-not", "value": "enforced"}}]
        self.begin(filter_enforced=NEVER, request_headers_to_add_when_not_enforced=added)
        for _ in range(3):
            self.assertTrue(self.get().endswith(b"ok"))
        self.assertEqual(self.asked().count(b"x-not: enforced\r\n"), 1)
        self.assertEqual(self.counts(), (3, 2, 1, 0))

    def test_notEnabled(self) -> None:
        """Without a share it is off."""
        self.start(named("lrl", TYPE, stat_prefix="lp", token_bucket=BUCKET))
        for _ in range(3):
            self.assertTrue(self.get().endswith(b"ok"))
        self.assertEqual(self.counts(), (0, 0, 0, 0))

    def test_runtime(self) -> None:
        """Keys stand over both shares."""
        flag = {"default_value": ALWAYS, "runtime_key": "on"}
        self.start(named("lrl", TYPE, **limit(filter_enabled=flag)), runtime={"on": 0})
        self.get()
        self.assertEqual(self.counts(), (0, 0, 0, 0))

    def test_status(self) -> None:
        """An error of one's choice; what is no error is 429."""
        empty = {"max_tokens": 0, "fill_interval": "1s"}
        for code, text in (("Forbidden", b" 403 "), ("OK", b" 429 ")):
            self.begin(
                status={"code": code},
                token_bucket=empty,
                enable_x_ratelimit_headers="DRAFT_VERSION_03",
            )
            answer = self.get()
            self.assertIn(text, answer)
            self.assertNotIn(b"x-ratelimit", answer)

    def test_grpc(self) -> None:
        """Unavailable, or that the resource is exhausted."""
        empty = {"max_tokens": 0, "fill_interval": "1s"}
        for exhausted, status in ((False, b"14"), (True, b"8")):
            self.begin(token_bucket=empty, rate_limited_as_resource_exhausted=exhausted)
            answer = self.get("/", "content-type: application/grpc")
            self.assertIn(b"grpc-status: %s\r\n" % status, answer)
            self.assertIn(b"grpc-message: local_rate_limited\r\n", answer)

    def test_eachConnection(self) -> None:
        """A bucket for each."""
        self.begin(local_rate_limit_per_downstream_connection=True)
        client = self.envoy.connect("web")
        for _ in range(3):
            self.get(client=client)
        self.assertEqual(client.received.count(b" 429 "), 1)
        self.assertTrue(self.get().endswith(b"ok"))
        self.assertEqual(self.counts(), (4, 3, 1, 1))

    def test_ofARoute(self) -> None:
        """Its own bucket and stats."""
        one = {"max_tokens": 1, "fill_interval": "100s"}
        self.begin(typed(TYPE, **limit(stat_prefix="rt", token_bucket=one)))
        self.assertTrue(self.get("/r").endswith(b"ok"))
        self.assertIn(b" 429 ", self.get("/r"))
        self.assertTrue(self.get("/x").endswith(b"ok"))
        self.assertEqual(self.counts("rt"), (2, 1, 1, 1))
        self.assertEqual(self.counts(), (1, 1, 0, 0))

    def test_ofTwoConnections(self) -> None:
        """Filters of one connection share its buckets: the first that asks makes them."""
        one = {"max_tokens": 3, "fill_interval": "100s"}
        each = {"local_rate_limit_per_downstream_connection": True}
        self.start(
            named("a", TYPE, **limit(token_bucket=one, **each)), named("b", TYPE, **limit(**each))
        )
        client = self.envoy.connect("web")
        for _ in range(2):
            self.get(client=client)
        self.assertEqual(client.received.count(b" 429 "), 1)
        self.assertEqual(self.counts(), (4, 3, 1, 1))

    def test_withoutDescriptors(self) -> None:
        """A config without any looks for none in the buckets of another."""
        each = {"local_rate_limit_per_downstream_connection": True}
        own = {"rate_limits": [header("a")]}
        route = typed(TYPE, **limit(stat_prefix="rt", **each, **own))
        self.begin(route, descriptors=[rule("a", 1)], **each, **own)
        client = self.envoy.connect("web")
        self.get("/", "a: 1", client=client)
        self.get("/r", "a: 1", client=client)
        self.assertEqual(client.received.count(b" 200 "), 2)

    def test_noBucket(self) -> None:
        """No limit, counted all the same."""
        self.start(named("lrl", TYPE, stat_prefix="lp", filter_enabled=FULL, filter_enforced=FULL))
        for _ in range(3):
            self.assertTrue(self.get().endswith(b"ok"))
        self.assertEqual(self.counts(), (3, 3, 0, 0))


def header(name: str) -> dict[str, Any]:
    """A RateLimit: what a header says."""
    action = {"request_headers": {"header_name": name, "descriptor_key": name}}
    return {"actions": [action]}


def rule(name: str, most: int, **fields: Any) -> dict[str, Any]:
    """The descriptor of a header that is 1."""
    bucket = {"max_tokens": most, "fill_interval": "1000s"}
    return {"entries": [{"key": name, "value": "1"}], "token_bucket": bucket, **fields}


RULES = [rule("a", 5), rule("b", 6)]


class DescriptorTests(FilterCase):
    """Whose rate_limits count; tests/parity has many more."""

    def begin(self, host: Any, route: Any, **fields: Any) -> None:
        """With rate_limits of the virtual host, and fields of the action of the route /r."""
        nine = {"max_tokens": 9, "fill_interval": "1000s"}
        told = {"enable_x_ratelimit_headers": "DRAFT_VERSION_03"}
        settings = limit(**{"token_bucket": nine, **told, **fields})
        routes = [
            {"match": {"prefix": "/r"}, "route": {"cluster": "origin", **route}},
            {**HELLO, "match": {"prefix": "/d"}},
            PROXIED,
        ]
        virtualHost = {"name": "h", "domains": ["*"], "routes": routes, "rate_limits": host}
        config = json.loads(bootstrap([], [named("lrl", TYPE, **settings)]))
        (listener,) = config["static_resources"]["listeners"]
        hcm = listener["filter_chains"][0]["filters"][0]["typed_config"]
        hcm["route_config"]["virtual_hosts"] = [virtualHost]
        self.envoy = MemoryEnvoy(json.dumps(config, indent=1))
        self.addCleanup(self.envoy.stop)
        self.origin = self.envoy.listen(ORIGIN)

    def told(self, path: str, *headers: str) -> int:
        """The limit that a response tells of."""
        answer = self.get(path, *headers)
        return int(answer.partition(b"x-ratelimit-limit: ")[2].partition(b"\r\n")[0])

    def both(self, path: str) -> tuple[int, int]:
        """The limits of requests with either header."""
        return self.told(path, "a: 1"), self.told(path, "b: 1")

    def test_ofRoute(self) -> None:
        """Instead of the virtual host's."""
        self.begin([header("b")], {"rate_limits": [header("a")]}, descriptors=RULES)
        self.assertEqual(self.both("/r"), (5, 9))
        self.assertEqual(self.both("/"), (9, 6))

    def test_ofHost(self) -> None:
        """Too, where the filter or the route says so; or never."""
        limits = {"rate_limits": [header("a")]}
        include = {"include_vh_rate_limits": True}
        for option, own, told in (
            ("INCLUDE", {}, (5, 6)),
            ("IGNORE", include, (5, 6)),
            ("OVERRIDE", include, (5, 6)),
            ("IGNORE", {}, (5, 9)),
        ):
            self.begin(
                [header("b")],
                {**limits, **own},
                descriptors=RULES,
                vh_rate_limits=option,
            )
            self.assertEqual(self.both("/r"), told)

    def test_stage(self) -> None:
        """The filter's."""
        limits = [{**header("a"), "stage": 1}, header("b")]
        self.begin([], {"rate_limits": limits}, descriptors=RULES, stage=1)
        self.assertEqual(self.both("/r"), (5, 9))

    def test_own(self) -> None:
        """The filter's own come alone, for requests that go nowhere, too."""
        self.begin(
            [header("b")],
            {"rate_limits": [header("b")]},
            descriptors=RULES,
            rate_limits=[header("a")],
        )
        self.assertEqual(self.both("/r"), (5, 9))
        self.assertEqual(self.told("/d", "a: 1"), 5)

    def test_directResponse(self) -> None:
        """It has no rate_limits, and its virtual host's are not for it."""
        self.begin([header("b")], {}, descriptors=RULES)
        self.assertEqual(self.told("/d", "b: 1"), 9)

    def test_noDescriptors(self) -> None:
        """Nothing is looked for."""
        self.begin([header("b")], {"rate_limits": [header("a")]})
        self.assertEqual(self.both("/r"), (9, 9))

    def test_shadow(self) -> None:
        """Counted, and let through unmarked."""
        self.begin(
            [header("a")],
            {},
            descriptors=[rule("a", 1, shadow_mode=True)],
            always_consume_default_token_bucket=False,
            request_headers_to_add_when_not_enforced=[{"header": {"key": "x-not", "value": "n"}}],
        )
        self.assertEqual([self.told("/", "a: 1") for _ in range(3)], [1, 1, 1])
        self.assertNotIn(b"x-not", self.asked())
        names = ("ok", "rate_limited", "enforced", "shadow_mode")
        stats = [self.envoy.stat(f"lp.http_local_rate_limit.{name}") for name in names]
        self.assertEqual(stats, [1, 2, 0, 2])

    def test_tells(self) -> None:
        """A rate limit may say otherwise than the filter."""
        silent = {**header("a"), "x_ratelimit_option": "OFF"}
        self.begin([silent, header("b")], {}, descriptors=RULES)
        self.assertNotIn(b"x-ratelimit", self.get("/", "a: 1"))
        self.assertEqual(self.told("/", "b: 1"), 6)

    def test_upstreamTells(self) -> None:
        """What the upstream says stays."""
        self.answer = OK.replace(b"\r\n\r\n", b"\r\nx-ratelimit-limit: 70\r\n\r\n")
        self.begin([], {})
        self.assertEqual(self.get().count(b"x-ratelimit-limit: "), 2)

    def test_retryAfter(self) -> None:
        """At least a second; nothing where there is no bucket."""
        none = {**header("a"), "hits_addend": {"number": 0}}
        self.begin([], {}, descriptors=RULES, rate_limits=[none], enable_retry_after_header=True)
        self.assertIn(b"retry-after: 1\r\n", self.get("/", "a: 1"))
        zero = {"max_tokens": 0, "fill_interval": "100s"}
        self.begin([], {}, token_bucket=zero, enable_retry_after_header=True)
        answer = self.get()
        self.assertIn(b" 429 ", answer)
        self.assertNotIn(b"retry-after", answer)


class EachRequestTests(SynchronousTestCase):
    """Requests that would need no stream are counted all the same."""

    def refused(self, route: dict[str, Any]) -> int:
        """How many of five requests, the same each time, on a connection."""
        settings = limit(
            descriptors=[rule("a", 2)], token_bucket={"max_tokens": 9, "fill_interval": "1s"}
        )
        envoy = run([route], [named("lrl", TYPE, **settings)], access_log=[])
        self.addCleanup(envoy.stop)
        origin = envoy.listen(ORIGIN)
        client = envoy.connect("web")
        answered = 0
        for _ in range(5):
            client.write(b"GET / HTTP/1.1\r\nhost: h\r\na: 1\r\n\r\n")
            envoy.settle()
            asked = sum(one.received.count(b"GET ") for one in origin.connections)
            if asked > answered:
                answered += 1
                origin.connections[-1].write(OK)
            envoy.settle()
        self.assertEqual(client.received.count(b"HTTP/1.1 "), 5)
        return client.received.count(b" 429 ")

    def test_proxied(self) -> None:
        """By a route with rate_limits."""
        action = {"cluster": "origin", "rate_limits": [header("a")]}
        self.assertEqual(self.refused({"match": {"prefix": "/"}, "route": action}), 3)

    def test_answered(self) -> None:
        """By a direct response, of which the default bucket has nine."""
        self.assertEqual(self.refused(HELLO), 0)
        self.assertEqual(self.refused({**HELLO, "typed_per_filter_config": {"lrl": ONE}}), 4)


ONE = typed(TYPE, **limit(token_bucket={"max_tokens": 1, "fill_interval": "1000s"}))
