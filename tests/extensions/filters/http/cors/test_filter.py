"""Preflights and marked responses, as real Envoy 1.40 gave them."""

from __future__ import annotations

from typing import Any

from tests.extensions.filters.http.support import ALWAYS, FilterCase, named, typed
from tests.http.manager import ORIGIN as ORIGIN_ADDRESS
from tests.http.manager import bootstrap
from twisted_envoy.testing import MemoryEnvoy

TYPE = "envoy.extensions.filters.http.cors.v3.Cors"
POLICY = "envoy.extensions.filters.http.cors.v3.CorsPolicy"
NEVER = {"default_value": {"numerator": 0}, "runtime_key": "on"}
A = {"allow_origin_string_match": [{"exact": "http://a"}]}
ORIGIN = "origin: http://a"
PREFLIGHT = "OPTIONS {} HTTP/1.1\r\nhost: h\r\naccess-control-request-method: PUT\r\n{}\r\n\r\n"


class CorsCase(FilterCase):
    """The filter, with a policy for /r and one above it."""

    def begin(self, policy: dict[str, Any], above: dict[str, Any] | None = None) -> None:
        self.start(
            named("cors", TYPE),
            route={"cors": typed(POLICY, **policy)},
            virtualHost=None if above is None else {"cors": typed(POLICY, **above)},
            direct=True,
        )

    def said(self, answer: bytes) -> dict[str, str]:
        """The headers that are about CORS, without what they all begin with."""
        head = answer.partition(b"\r\n\r\n")[0].decode()
        pairs = [line.split(": ") for line in head.split("\r\n") if line.startswith("access-")]
        return {name.replace("access-control-", ""): value for name, value in pairs}

    def read(self, *headers: str, path: str = "/r") -> dict[str, str]:
        return self.said(self.get(path, *headers))

    def preflight(self, *headers: str, path: str = "/r") -> dict[str, str] | None:
        """The answer; None when the request was passed on."""
        before = len(self.asked())
        text = PREFLIGHT.format(path, "\r\n".join(headers))
        answer = self.send(text.encode()).received
        if len(self.asked()) > before:
            return None
        self.assertIn(b"\r\ncontent-length: 0\r\n", answer)
        return self.said(answer)

    def counts(self) -> tuple[int, int]:
        return (
            self.envoy.stat("http.web.cors.origin_valid"),
            self.envoy.stat("http.web.cors.origin_invalid"),
        )


class ResponseTests(CorsCase):
    def test_allowed(self) -> None:
        """The response says so, whatever the upstream said."""
        self.begin({**A, "expose_headers": "x-e", "allow_credentials": True})
        self.answer = (
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\naccess-control-allow-origin: up\r\n\r\nok"
        )
        expected = {
            "allow-origin": "http://a",
            "allow-credentials": "true",
            "expose-headers": "x-e",
        }
        self.assertEqual(self.read(ORIGIN), expected)
        self.assertEqual(self.counts(), (1, 0))

    def test_notAllowed(self) -> None:
        """Nothing is said; it is counted, unless there is no origin at all."""
        self.begin(A)
        self.assertEqual(self.read("origin: http://b"), {})
        self.assertEqual(self.read("origin: "), {})
        self.assertEqual(self.read(), {})
        self.assertEqual(self.counts(), (0, 1))

    def test_noPolicy(self) -> None:
        """Nothing happens, nor where a route answers itself."""
        self.begin(A)
        self.assertEqual(self.read(ORIGIN, path="/"), {})
        self.assertEqual(self.read(ORIGIN, path="/d"), {})
        self.assertEqual(self.counts(), (0, 0))


class PreflightTests(CorsCase):
    def test_answered(self) -> None:
        """Here."""
        self.begin(
            {
                **A,
                "allow_methods": "GET,PUT",
                "allow_headers": "x-a",
                "expose_headers": "x-e",
                "max_age": "60",
                "allow_credentials": True,
                "allow_private_network_access": True,
            }
        )
        expected = {
            "allow-origin": "http://a",
            "allow-methods": "GET,PUT",
            "allow-headers": "x-a",
            "max-age": "60",
            "allow-credentials": "true",
            "expose-headers": "x-e",
        }
        self.assertEqual(self.preflight(ORIGIN), expected)
        asked = "access-control-request-private-network: true"
        expected["allow-private-network"] = "true"
        self.assertEqual(self.preflight(ORIGIN, asked), expected)
        self.assertEqual(self.log()[-1], "200 cors_response -")

    def test_stars(self) -> None:
        """What was asked for."""
        star = {"allow_origin_string_match": [{"exact": "*"}]}
        self.begin({**star, "allow_methods": "*", "allow_headers": "*"})
        expected = {"allow-origin": "http://a", "allow-methods": "PUT", "allow-headers": "x-z"}
        asked = "access-control-request-headers: x-z"
        self.assertEqual(self.preflight(ORIGIN, asked), expected)

    def test_notAllowed(self) -> None:
        """Passed on; or answered without the origin."""
        self.begin(A)
        self.assertIsNone(self.preflight("origin: http://b"))
        self.begin({**A, "forward_not_matching_preflights": False, "allow_methods": "GET"})
        self.assertEqual(self.preflight("origin: http://b"), {"allow-methods": "GET"})

    def test_notOne(self) -> None:
        """An OPTIONS that asks for no method."""
        self.begin(A)
        text = b"OPTIONS /r HTTP/1.1\r\nhost: h\r\norigin: http://a\r\n\r\n"
        answer = self.send(text).received
        self.assertTrue(answer.endswith(b"ok"))
        self.assertEqual(self.said(answer), {"allow-origin": "http://a"})


class SwitchTests(CorsCase):
    def test_enabled(self) -> None:
        """A share, under runtime's."""
        self.begin({**A, "filter_enabled": NEVER})
        self.assertEqual(self.read(ORIGIN), {})
        self.assertEqual(self.counts(), (0, 0))
        self.envoy.server.runtime.modify({"on": "100"})
        self.assertEqual(self.read(ORIGIN), {"allow-origin": "http://a"})

    def test_shadow(self) -> None:
        """Only counted."""
        self.begin({**A, "filter_enabled": NEVER, "shadow_enabled": {"default_value": ALWAYS}})
        self.assertEqual(self.read(ORIGIN), {})
        self.assertEqual(self.read("origin: http://b"), {})
        self.assertIsNone(self.preflight(ORIGIN))
        self.assertEqual(self.counts(), (2, 1))


class LevelTests(CorsCase):
    def test_above(self) -> None:
        """Each field is the most specific level's that has it."""
        above = {
            "allow_origin_string_match": [{"exact": "http://v"}],
            "allow_methods": "V",
            "max_age": "5",
            "allow_credentials": True,
        }
        self.begin({"allow_methods": "R", "allow_credentials": False}, above)
        expected = {"allow-origin": "http://v", "allow-methods": "R", "max-age": "5"}
        self.assertEqual(self.preflight("origin: http://v"), expected)
        self.assertEqual(
            self.read("origin: http://v", path="/"),
            {
                "allow-origin": "http://v",
                "allow-credentials": "true",
            },
        )

    def test_switchIsTheFirst(self) -> None:
        """Whether it is on is said by the most specific level alone."""
        self.begin({}, {**A, "filter_enabled": NEVER})
        self.assertEqual(self.read(ORIGIN), {"allow-origin": "http://a"})
        self.assertEqual(self.read(ORIGIN, path="/"), {})

    def test_deprecatedFields(self) -> None:
        """Policies of routes count where the filter has none of its own."""
        policy = {**A, "allow_methods": "OLD"}
        routes = [
            {
                "match": {"prefix": path},
                "route": {"cluster": "origin", "cors": policy},
                "typed_per_filter_config": {"cors": typed(POLICY, **own)} if own else {},
            }
            for path, own in (("/new", {"allow_methods": "NEW"}), ("/", {}))
        ]
        self.envoy = MemoryEnvoy(bootstrap(routes, [named("cors", TYPE)]))
        self.addCleanup(self.envoy.stop)
        self.origin = self.envoy.listen(ORIGIN_ADDRESS)
        self.assertIsNone(self.preflight(ORIGIN, path="/new"))
        expected = {"allow-origin": "http://a", "allow-methods": "OLD"}
        self.assertEqual(self.preflight(ORIGIN, path="/"), expected)
