"""Where requests come from, as observed on Envoy 1.40."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import EXTENSIONS, bootstrap, listener
from tests.extensions.clusters.dynamic_forward_proxy.support import manager
from twisted_envoy.testing import MemoryEnvoy

CASES = (
    (b"", "missing_source_origin"),
    (b"origin: http://a.test\r\n", "request_valid"),
    (b"origin: https://a.test\r\n", "request_valid"),
    (b"origin: http://a.test:80\r\n", "request_invalid"),
    (b"origin: http://b.test\r\n", "request_invalid"),
    (b"origin: null\r\n", "missing_source_origin"),
    (b"origin: a.test\r\n", "request_valid"),
    (b"referer: http://a.test/x?y\r\n", "request_valid"),
    (b"referer: http://b.test/x\r\n", "request_invalid"),
    (b"origin: http://b.test\r\nreferer: http://a.test/\r\n", "request_invalid"),
    (b"origin: \r\nreferer: http://a.test/\r\n", "request_valid"),
    (b"origin: null\r\nreferer: http://a.test/\r\n", "missing_source_origin"),
    (b"origin: http://A.test\r\n", "request_invalid"),
    (b"origin: ftp://a.test\r\n", "request_valid"),
    (b"origin: http://u@a.test\r\n", "request_valid"),
    (b"origin: http://a.test?x\r\n", "request_valid"),
    (b"origin: junk junk\r\n", "request_invalid"),
)


def policy(enabled: int = 100, shadow: int | None = None, **fields: Any) -> dict[str, Any]:
    """A CsrfPolicy."""
    given = {"@type": EXTENSIONS + "filters.http.csrf.v3.CsrfPolicy", **fields}
    given["filter_enabled"] = {"default_value": {"numerator": enabled}}
    if shadow is not None:
        given["shadow_enabled"] = {"default_value": {"numerator": shadow}}
    return given


def guarded(own: dict[str, Any], route: dict[str, Any] | None = None) -> dict[str, Any]:
    """A connection manager that answers everything."""
    entry: dict[str, Any] = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
    if route is not None:
        entry["typed_per_filter_config"] = {"csrf": route}
    return manager({"name": "csrf", "typed_config": own}, routes=[entry])


class CSRFTests(SynchronousTestCase):
    """In a running server."""

    def ask(
        self, headers: bytes, own: dict[str, Any], method: bytes = b"POST", **fields: Any
    ) -> tuple[bytes, dict[str, int]]:
        """The status of an answer, and the counters."""
        envoy = MemoryEnvoy(bootstrap([listener("in", "127.0.0.1:9000", guarded(own, **fields))]))
        client = envoy.connect("in")
        head = b" / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 0\r\n"
        client.write(method + head + headers + b"\r\n")
        envoy.settle()
        self.lines = envoy.lines("http.log")
        found = envoy.stats(r"^http\.http\.csrf\.")
        return client.received[9:12], {name.rpartition(".")[2]: one for name, one in found.items()}

    def test_origins(self) -> None:
        """Every kind."""
        for headers, counter in CASES:
            status = b"200" if counter == "request_valid" else b"403"
            self.assertEqual(self.ask(headers, policy()), (status, {counter: 1}), headers)
        self.assertTrue(self.lines[0].startswith("403 - csrf_origin_mismatch"))

    def test_methods(self) -> None:
        """Only those that change something are looked at."""
        for method in (b"GET", b"HEAD", b"OPTIONS"):
            self.assertEqual(self.ask(b"", policy(), method), (b"200", {}))
        for method in (b"PUT", b"DELETE", b"PATCH"):
            self.assertEqual(self.ask(b"", policy(), method)[0], b"403")

    def test_shadow(self) -> None:
        """What would be refused is counted only."""
        found = self.ask(b"origin: http://b.test\r\n", policy(0, 100))
        self.assertEqual(found, (b"200", {"request_invalid": 1}))
        self.assertEqual(self.ask(b"", policy(0)), (b"200", {}))

    def test_named(self) -> None:
        """Other origins that are allowed."""
        own = policy(additional_origins=[{"exact": "ok.test"}, {"prefix": "pre."}])
        for name, status in ((b"ok.test", b"200"), (b"pre.x:99", b"200"), (b"no.test", b"403")):
            self.assertEqual(self.ask(b"origin: http://" + name + b"\r\n", own)[0], status)

    def test_route(self) -> None:
        """A route's policy stands in the place of the filter's."""
        self.assertEqual(self.ask(b"", policy(), route=policy(0)), (b"200", {}))
