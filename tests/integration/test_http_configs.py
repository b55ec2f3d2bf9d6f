"""The documented HTTP examples, each in its own process and as the demo, with real clients."""

from __future__ import annotations

import fcntl
import re
import socket

from twisted.trial.unittest import SkipTest

from tests.integration.http_programs import HELLO, HTTPProgramTestCase
from tests.integration.programs import Program
from twisted_envoy.server.demo import DEMO

DEMO_PORTS = (10000, 10001, 9901)
H2 = "--http2-prior-knowledge"


class PairTests(HTTPProgramTestCase):
    """configs/encapsulate_... and configs/terminate_... side by side."""

    def test_twoCurls(self) -> None:
        """Two curls: one tunnel, two requests in it."""
        encapsulate, terminate, port, admin = self.pair()

        self.assertEqual(self.curl(port), HELLO)
        self.assertEqual(self.curl(port), HELLO)

        stats = self.stats(admin)
        self.assertEqual(stats["http.tunnel_end.downstream_cx_upgrades_total"], 1)
        self.assertEqual(stats["http.tunnel_end.downstream_cx_upgrades_active"], 1)
        self.assertEqual(stats["http.tunnel_end.downstream_cx_http2_total"], 1)
        self.assertEqual(stats["http.decap.downstream_cx_http1_total"], 1)
        self.assertEqual(stats["http.decap.downstream_rq_2xx"], 2)
        self.assertEqual(stats["http.decap.rq_direct_response"], 2)
        self.assertEqual(stats["cluster.to_decap.upstream_cx_total"], 1)
        self.assertEqual(stats["listener.envoy_internal_decap.downstream_cx_total"], 1)
        self.quiet(encapsulate, terminate)

    def test_verbose(self) -> None:
        """The response as `curl -v` shows it, over HTTP/1.1 and HTTP/2, in Envoy's order."""
        encapsulate, terminate, port, _ = self.pair()
        for option, version in (("--http1.1", "HTTP/1.1 200 OK"), (H2, "HTTP/2 200 ")):
            text = self.curl(port, "-v", option)
            lines = [line[2:] for line in text.splitlines() if line.startswith("< ")]
            self.assertEqual(lines[:3], [version, "content-length: 14", "content-type: text/plain"])
            self.assertRegex(lines[3], r"^date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
            self.assertEqual(lines[4], "server: envoy")
            self.assertRegex(lines[5], r"^x-envoy-upstream-service-time: \d+$")
            self.assertEqual(lines[6:], [""])
            self.assertIn(HELLO, text)
        self.quiet(encapsulate, terminate)

    def test_methods(self) -> None:
        """Path and method do not matter: HEAD, POST with a length and in chunks, both versions."""
        encapsulate, terminate, port, _ = self.pair()
        for version in ("--http1.1", H2):
            head = self.curl(port, version, "--head", path="/any/path")
            self.assertIn("content-length: 14", head)
            self.assertNotIn("Hello", head)
            posted = self.answered(port, version, "-d", "x=y", path="/p?q")
            self.assertEqual(posted.partition("curl:")[0], HELLO)
            chunked = ("-H", "transfer-encoding: chunked") if version == "--http1.1" else ()
            body = self.file("z" * 1_000, "body")  # there before the answer, which waits for none
            sending = (version, *chunked, "-T", str(body), "-H", "expect:")
            # The answer may be there before the body has gone: the stream is then reset, as by
            # Envoy, and what curl makes of that is its own affair.
            answer = self.answered(port, *sending)
            self.assertTrue(answer.startswith(HELLO), answer)
        self.quiet(encapsulate, terminate)

    def answered(self, port: int, version: str, *options: str, path: str = "/") -> str:
        """What curl says; over HTTP/2 some time before a reset overtakes it."""
        status = None if version == H2 else 0
        for _ in range(10):
            answer = self.curl(port, version, *options, path=path, status=status)
            if answer.startswith(HELLO):
                break
        return answer

    def test_terminateAlone(self) -> None:
        """The second config alone: 404 to what is no CONNECT; a CONNECT over HTTP/1.1 works."""
        _, terminate, _, admin = self.pair()
        back = int(re.search(r"port_value: (\d+)", self.text(terminate))[1])
        for version in ("--http1.1", H2):
            answer = self.curl(back, version, "-w", "%{http_code} %{size_download}")
            self.assertEqual(answer, "404 0")
        through = self.curl(
            1, "--proxytunnel", "--proxy", f"http://127.0.0.1:{back}", "-H", "connection: close"
        )
        self.assertEqual(through, HELLO)
        self.assertEqual(self.stats(admin)["http.tunnel_end.downstream_cx_upgrades_total"], 1)
        self.quiet(terminate)

    def text(self, program: Program) -> str:
        """The listeners' part of a program's config."""
        text = (self.folder / program.process.args[-1]).read_text("utf-8")  # type: ignore[index]
        return text[text.index("static_resources") :]

    def test_encapsulateAlone(self) -> None:
        """The first config alone: 503, and the text that says why."""
        encapsulate, terminate, port, _ = self.pair()
        terminate.end()
        for version in ("--http1.1", H2):
            answer = self.curl(port, version, "-w", " %{http_code} %{size_download}")
            self.assertEqual(
                answer,
                "upstream connect error or disconnect/reset before headers. reset reason: "
                "remote connection failure 503 98",
            )
        self.quiet(encapsulate)

    def test_nghttp(self) -> None:
        """A trace of nghttp's: one SETTINGS and its ACK each way, headers, data, END_STREAM."""
        encapsulate, terminate, port, _ = self.pair()
        trace = self.tool("nghttp", "-v", f"http://127.0.0.1:{port}/")
        got = re.findall(r"(?:recv|send) (\w+) frame <length=\d+, flags=(\w+)", trace)
        answers = re.findall(r"recv (\w+) frame <length=\d+, flags=(\w+)", trace)
        self.assertIn(("SETTINGS", "0x01"), got)
        self.assertEqual(
            answers,
            [
                ("SETTINGS", "0x00"),
                ("WINDOW_UPDATE", "0x00"),
                ("SETTINGS", "0x01"),
                ("HEADERS", "0x04"),
                ("DATA", "0x01"),
            ],
        )
        for line in (
            "[SETTINGS_HEADER_TABLE_SIZE(0x01):4096]",
            "[SETTINGS_MAX_CONCURRENT_STREAMS(0x03):1024]",
            "[SETTINGS_INITIAL_WINDOW_SIZE(0x04):16777216]",
            ":status: 200",
            HELLO,
        ):
            self.assertIn(line, trace)
        self.quiet(encapsulate, terminate)


class DemoTests(HTTPProgramTestCase):
    """`twistd -n envoy` without a config, on its fixed ports: one test after the other."""

    def setUp(self) -> None:
        super().setUp()
        turn = DEMO.open()
        self.addCleanup(turn.close)
        fcntl.flock(turn, fcntl.LOCK_EX)  # trial's other workers run such tests, too
        for port in DEMO_PORTS:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as problem:
                    raise SkipTest(f"port {port} of the demo: {problem.strerror}") from None

    def demo(self) -> Program:
        """The demo, serving."""
        program = self.spawn("-n", "--pidfile=", "envoy")
        if not program.logs("starting main dispatch loop"):
            self.fail(program.log())
        return program

    def test_demo(self) -> None:
        """It says what to try, which works, and its stats show the way that it took."""
        program = self.demo()

        self.assertEqual(self.curl(10000), HELLO)
        self.assertEqual(self.curl(10000, H2), HELLO)
        self.assertIn(f"\n{HELLO}", self.tool("nghttp", "-v", "http://127.0.0.1:10000/"))
        stats = self.stats(9901)
        for name in (
            "http.tunnel_end.downstream_cx_upgrades_total",
            "cluster.tunnel_end.upstream_cx_http2_total",
            "listener.envoy_internal_encap.downstream_cx_total",
            "listener.envoy_internal_decap.downstream_cx_total",
        ):
            self.assertGreaterEqual(stats[name], 1, name)
        status, out = program.end()
        self.assertEqual(status, 0, program.log())
        self.assertNotIn("Traceback", program.log())
        lines = out.splitlines()
        self.assertIn("demo", lines[0])
        self.assertRegex("\n".join(lines[:4]), r"\n    curl 127\.0\.0\.1:10000 +Hello, world!")
        for port in ("10000", "10001", "9901"):
            self.assertIn(f"127.0.0.1:{port}", out)

    def test_commandsItSays(self) -> None:
        """Every curl that it prints can be run as it is."""
        program = self.demo()
        outputs = []
        commands = ["curl 127.0.0.1:10000", "curl '127.0.0.1:9901/stats?usedonly'"]
        for command in commands:
            outputs.append(self.tool("sh", "-c", command.replace("curl", "curl -s")))
        self.assertEqual(outputs[0], HELLO)
        self.assertIn("http.ingress_http.downstream_rq_2xx: 1\n", outputs[1])
        _, out = program.end()
        for command in commands:
            self.assertIn(f"    {command} ", out)

    def test_openConnections(self) -> None:
        """SIGTERM while a client is connected: status 0."""
        program = self.demo()
        with socket.create_connection(("127.0.0.1", 10000)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n"))
            self.assertEqual(program.end()[0], 0, program.log())

    def test_taken(self) -> None:
        """A port that is taken: one line that names the address, and status 1."""
        with socket.create_server(("127.0.0.1", 10001)):
            program = self.spawn("-n", "--pidfile=", "envoy", "-l", "error")
            self.assertEqual(program.ended()[0], 1, program.log())
        self.assertRegex(program.log(), r"cannot bind '127\.0\.0\.1:10001': Address already")
        self.assertEqual(program.log().count("\n"), 1)
