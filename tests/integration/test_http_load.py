"""Load makers find no failed request: answers of our own, upstreams of both versions, a tunnel."""

from __future__ import annotations

import re

from tests.integration.http_bootstraps import HTTP2, answering, proxy
from tests.integration.http_programs import HELLO, HTTPProgramTestCase
from tests.integration.programs import Program

REQUESTS = 2000
SECONDS = 1


class LoadTests(HTTPProgramTestCase):
    """h2load and wrk."""

    requests = REQUESTS
    seconds = SECONDS

    def loads(self, port: int, *programs: Program) -> None:
        """Ask often over both versions, and end the programs."""
        self.h2load(port)
        self.h2load(port, "--h1")
        self.wrk(port)
        self.assertEqual(self.curl(port), HELLO)
        self.quiet(*programs)

    def h2load(self, port: int, *options: str) -> None:
        """h2load with 8 clients of 32 streams: every request is answered with 200."""
        count = str(self.requests)
        limits = () if options else ("-m", "32")
        url = f"http://127.0.0.1:{port}/"
        text = self.tool("h2load", "-n", count, "-c", "8", *limits, *options, url)
        self.assertIn(
            f"requests: {count} total, {count} started, {count} done, {count} succeeded, "
            "0 failed, 0 errored, 0 timeout",
            text,
        )
        self.assertIn(f"status codes: {count} 2xx, 0 3xx, 0 4xx, 0 5xx", text)

    def wrk(self, port: int) -> None:
        """wrk with 16 connections: no error of any kind."""
        duration = f"-d{self.seconds}s"
        text = self.tool("wrk", "-t1", "-c16", duration, f"http://127.0.0.1:{port}/")
        found = re.search(r"(\d+) requests in", text)
        assert found is not None
        self.assertGreater(int(found[1]), 50)
        self.assertNotIn("Socket errors", text)
        self.assertNotIn("Non-2xx", text)

    def test_directResponse(self) -> None:
        """Answers of our own."""
        program = self.serve(answering(HELLO))
        self.loads(program.port("web"), program)

    def test_http1Upstream(self) -> None:
        """An upstream of HTTP/1.1."""
        self.proxied(None)

    def test_http2Upstream(self) -> None:
        """An upstream of HTTP/2."""
        self.proxied(HTTP2)

    def proxied(self, cluster: dict[str, object] | None) -> None:
        """A proxy before another one."""
        origin = self.serve(answering(HELLO))
        program = self.serve(proxy(origin.port("web"), cluster=cluster))
        self.loads(program.port("web"), program, origin)

    def test_connect(self) -> None:
        """The documented configs: each request goes through an HTTP/2 CONNECT."""
        encapsulate, terminate, port, _ = self.pair()
        self.loads(port, encapsulate, terminate)
