"""gRPC through the proxy: grpcio at both ends, a proxy of HTTP/2 between them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.http.manager import PROXIED
from tests.integration.http_bootstraps import HTTP2, proxy
from tests.integration.http_programs import HTTPProgramTestCase
from tests.integration.programs import PATIENCE, Program

try:
    import grpc
except ImportError:
    grpc = None

NAME = "test.Echo"
BIG = 2 * 1024 * 1024
ROUTED = {**PROXIED, "match": {"prefix": f"/{NAME}/"}}


class Echo:
    """
    The service, of bytes; what a method does is in what it is asked.

    Attributes:
        cancelled: set when a call was cancelled or ran out of time.
    """

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def unary(self, request: bytes, context: Any) -> bytes:
        """Sends metadata at both ends; `fail` fails, `wait` waits until nobody does."""
        metadata = dict(context.invocation_metadata())
        context.send_initial_metadata((("first", metadata.get("asked", "")),))
        context.set_trailing_metadata((("last", "x"), ("last-bin", bytes(range(256)))))
        if request == b"fail":
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "as \N{SNOWMAN} you wish")
        if request == b"wait":
            context.add_callback(self.cancelled.set)
            self.cancelled.wait(PATIENCE)
        return request

    def serverStream(self, request: bytes, context: Any) -> Iterator[bytes]:
        """As many messages as asked for; 0 means until nobody listens."""
        context.add_callback(self.cancelled.set)
        count = int(request)
        number = 0
        while number < count or (not count and context.is_active()):
            yield b"%d" % number * 100
            number += 1

    def clientStream(self, requests: Iterator[bytes], context: Any) -> bytes:
        """How many messages came, and how long they were."""
        sizes = [len(one) for one in requests]
        return b"%d %d" % (len(sizes), sum(sizes))

    def both(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        """Each at once."""
        yield from requests

    def handlers(self) -> Any:
        """What grpcio serves."""
        methods = {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "ServerStream": grpc.unary_stream_rpc_method_handler(self.serverStream),
            "ClientStream": grpc.stream_unary_rpc_method_handler(self.clientStream),
            "Both": grpc.stream_stream_rpc_method_handler(self.both),
        }
        return grpc.method_handlers_generic_handler(NAME, methods)


class GRPCTests(HTTPProgramTestCase):
    """A client, the proxy, a server."""

    def setUp(self) -> None:
        super().setUp()
        if grpc is None:
            raise SkipTest("the package grpcio is not installed")
        self.echo = Echo()
        server = grpc.server(
            ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1)]
        )
        server.add_generic_rpc_handlers((self.echo.handlers(),))
        self.upstream = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(lambda: server.stop(0).wait())
        self.program = self.start()

    def start(self) -> Program:
        """The proxy."""
        return self.serve(proxy(self.upstream, [ROUTED], HTTP2))

    def channel(self) -> Any:
        """A connection to it."""
        address = f"127.0.0.1:{self.program.port('web')}"
        channel = grpc.insecure_channel(address, [("grpc.max_receive_message_length", -1)])
        self.addCleanup(channel.close)
        return channel

    def test_unary(self) -> None:
        """Messages of all sizes; metadata before and behind them; the stats of a success."""
        call = self.channel().unary_unary(f"/{NAME}/Unary")
        for message in (b"", b"hello", bytes(BIG)):
            answer, context = call.with_call(
                message, timeout=PATIENCE, metadata=(("asked", "this"), ("some-bin", b"\x00\xff"))
            )
            self.assertEqual(answer, message)
            self.assertEqual(dict(context.initial_metadata())["first"], "this")
            trailers = dict(context.trailing_metadata())
            self.assertEqual((trailers["last"], trailers["last-bin"]), ("x", bytes(range(256))))
            self.assertEqual(context.code(), grpc.StatusCode.OK)
        self.quiet(self.program)

    def test_status(self) -> None:
        """A failure's code, text and trailers."""
        call = self.channel().unary_unary(f"/{NAME}/Unary")
        failure = self.fails(call, b"fail")
        self.assertEqual(failure.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertEqual(failure.details(), "as \N{SNOWMAN} you wish")
        self.assertEqual(dict(failure.trailing_metadata())["last"], "x")
        failure = self.fails(self.channel().unary_unary(f"/{NAME}/Nothing"), b"")
        self.assertEqual(failure.code(), grpc.StatusCode.UNIMPLEMENTED)
        self.quiet(self.program)

    def fails(self, call: Any, message: bytes, timeout: float = PATIENCE) -> Any:
        """The failure that a call ends with."""
        with self.assertRaises(grpc.RpcError) as caught:
            call(message, timeout=timeout)
        return caught.exception

    def test_noRoute(self) -> None:
        """A route that does not exist: an answer of trailers alone, UNIMPLEMENTED as of a 404."""
        failure = self.fails(self.channel().unary_unary("/other.Service/Unary"), b"")
        self.assertEqual(failure.code(), grpc.StatusCode.UNIMPLEMENTED)
        self.assertIn("http.web.downstream_rq_2xx: 1\n", self.program.admin("stats"))
        self.assertIn("http.web.no_route: 1\n", self.program.admin("stats"))
        self.quiet(self.program)

    def test_serverStream(self) -> None:
        """A stream of the server's."""
        call = self.channel().unary_stream(f"/{NAME}/ServerStream")
        found = list(call(b"1000", timeout=PATIENCE))
        self.assertEqual(found, [b"%d" % number * 100 for number in range(1000)])
        self.quiet(self.program)

    def test_clientStream(self) -> None:
        """A stream of the client's."""
        call = self.channel().stream_unary(f"/{NAME}/ClientStream")
        answer = call((bytes(1000) for _ in range(1000)), timeout=PATIENCE)
        self.assertEqual(answer, b"1000 1000000")
        self.quiet(self.program)

    def test_bothStream(self) -> None:
        """Question and answer in one call: each answer comes before the next question is asked."""
        call = self.channel().stream_stream(f"/{NAME}/Both")
        answered = threading.Semaphore(1)

        def questions() -> Iterator[bytes]:
            for number in range(200):
                self.assertTrue(answered.acquire(timeout=PATIENCE))
                yield b"%d" % number

        found = []
        for answer in call(questions(), timeout=PATIENCE):
            found.append(answer)
            answered.release()
        self.assertEqual(found, [b"%d" % number for number in range(200)])
        self.quiet(self.program)

    def test_deadline(self) -> None:
        """The client's deadline passes: DEADLINE_EXCEEDED, and the server hears of it."""
        call = self.channel().unary_unary(f"/{NAME}/Unary")
        failure = self.fails(call, b"wait", 0.5)
        self.assertEqual(failure.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertTrue(self.echo.cancelled.wait(PATIENCE))
        self.quiet(self.program)

    def test_cancel(self) -> None:
        """A cancelled call reaches the server; the connection serves the next call."""
        channel = self.channel()
        call = channel.unary_stream(f"/{NAME}/ServerStream")(b"0", timeout=PATIENCE)
        self.assertEqual(next(call), b"0" * 100)
        call.cancel()
        self.assertTrue(self.echo.cancelled.wait(PATIENCE))
        self.assertEqual(
            channel.unary_unary(f"/{NAME}/Unary")(b"still", timeout=PATIENCE), b"still"
        )
        stats = self.program.admin("stats")
        self.assertIn("http.web.downstream_cx_total: 1\n", stats)
        self.assertIn("cluster.origin.upstream_cx_total: 1\n", stats)
        self.assertIn("cluster.origin.upstream_rq_tx_reset: 1\n", stats)
        self.quiet(self.program)

    def test_upstreamGone(self) -> None:
        """An upstream that cannot be reached: UNAVAILABLE."""
        self.program.end()
        self.program = self.serve(proxy(1, [ROUTED], HTTP2))
        failure = self.fails(self.channel().unary_unary(f"/{NAME}/Unary"), b"")
        self.assertEqual(failure.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertIn("connection failure", failure.details())
        self.quiet(self.program)
