"""Checks by gRPC."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.health.support import Said, host
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.upstream.health.exchange import Answer
from twisted_envoy.upstream.health.grpc import GRPCCheck, GRPCProbe, isServing, requestFor

SERVING = b"\0\0\0\0\2\x08\x01"
HEAD = [(b":status", b"200"), (b"content-type", b"application/grpc+proto")]


class Client:
    """Keeps what it is asked."""

    def ask(self, headers: Any, body: bytes, most: int | None, done: Any) -> None:
        self.headers = list(headers.items())
        self.body = body
        self.done = done

    def giveUp(self) -> None:
        self.done = None


class GRPCTests(SynchronousTestCase):
    def ask(self, **fields: Any) -> Client:
        self.said = Said()
        client: Any = Client()
        check = GRPCCheck(timeout=300, **fields)
        probe = GRPCProbe(host(), client, check, self.said, lambda: 0.0)
        probe.check()
        return client  # type: ignore[no-any-return]

    def answer(
        self, head: Any = HEAD, body: bytes = SERVING, trailers: Any = ((b"grpc-status", b"0"),)
    ) -> list[Any]:
        client = self.ask()
        answer = Answer(None, client.done)
        if head is None:
            client.done(answer)
        elif trailers is None:
            answer.decodeHeaders(HeaderMap(head), True)
        else:
            answer.decodeHeaders(HeaderMap(head), False)
            answer.decodeData(body, False)
            answer.decodeTrailers(HeaderMap(trailers))
        return self.said.words

    def test_request(self) -> None:
        """As real Envoy's."""
        client = self.ask(service="svc", authority="au.th")
        self.assertEqual(
            client.headers,
            [
                (b":method", b"POST"),
                (b":path", b"/grpc.health.v1.Health/Check"),
                (b":authority", b"au.th"),
                (b":scheme", b"http"),
                (b"te", b"trailers"),
                (b"content-type", b"application/grpc"),
                (b"user-agent", b"Envoy/HC"),
                (b"grpc-timeout", b"300m"),
            ],
        )
        self.assertEqual(client.body, b"\0\0\0\0\5\n\3svc")

    def test_frames(self) -> None:
        """Messages of any length, and the answer that is wanted."""
        self.assertEqual(requestFor(""), b"\0\0\0\0\0")
        self.assertEqual(requestFor("x" * 200)[:8], b"\0\0\0\0\xcb\n\xc8\1")
        self.assertTrue(isServing(SERVING))
        for body in (b"", SERVING[:-1], SERVING + b"x", b"\1" + SERVING[1:], b"\0\0\0\0\2\x08\x02"):
            self.assertFalse(isServing(body), body)

    def test_answers(self) -> None:
        """Only SERVING with status OK is well; no answer is the network's failure."""
        ill = [("ACTIVE", False, 0)]
        self.assertEqual(self.answer(), ["ok"])
        self.assertEqual(self.answer(trailers=((b"grpc-status", b"12"),)), ill)
        self.assertEqual(self.answer(body=b"\0\0\0\0\2\x08\x02"), ill)
        self.assertEqual(self.answer(head=[(b":status", b"503")]), ill)
        self.assertEqual(self.answer(head=[(b":status", b"200")]), ill)
        self.assertEqual(self.answer([*HEAD, (b"grpc-status", b"14")], trailers=None), ill)
        self.assertEqual(self.answer(None), [("NETWORK", False, 0)])
