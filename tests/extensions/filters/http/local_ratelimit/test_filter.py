"""The local_ratelimit filter; answers, headers and stats are real Envoy's."""

from __future__ import annotations

from typing import Any

from tests.extensions.filters.http.support import ALWAYS, FilterCase, named, typed

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

    def test_noBucket(self) -> None:
        """No limit, counted all the same."""
        self.start(named("lrl", TYPE, stat_prefix="lp", filter_enabled=FULL, filter_enforced=FULL))
        for _ in range(3):
            self.assertTrue(self.get().endswith(b"ok"))
        self.assertEqual(self.counts(), (3, 3, 0, 0))
