"""Requests from other origins."""

from __future__ import annotations

from tests.bootstraps import listener
from tests.extensions.filters.http.csrf.test_filter import CASES, guarded, policy
from tests.parity.support import ParityTestCase, Side, served


class CSRFTests(ParityTestCase):
    """Every kind of origin."""

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        return served([listener("in", "127.0.0.1:0", guarded(policy()))])

    def test_origins(self) -> None:
        """Which ones are refused, and how they are counted."""

        def scenario(side: Side) -> object:
            got = []
            for headers, _ in CASES:
                client = side.connect("in")
                head = b"POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 0\r\n"
                client.send(head + headers + b"\r\n")
                got.append((headers, client.some()[:12]))
                client.close()
            return got

        self.same(scenario, r"\.csrf\.", "http.log", len(CASES))
