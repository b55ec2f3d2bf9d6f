"""Connections that health checks keep to themselves."""

from __future__ import annotations

from typing import Any

from tests.upstream.health.memory import OK, CheckedTestCase, HTTPOrigin
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.upstream.health.exchange import Answer

H2 = {"http_health_check": {"path": "/", "codec_client_type": "HTTP2"}}
H1 = {"http_health_check": {"path": "/"}}


class AnswerTests(CheckedTestCase):
    def setUp(self) -> None:
        self.told: list[Answer] = []

    def test_whole(self) -> None:
        """Headers, so much of the body, trailers; told once."""
        answer = Answer(3, self.told.append)
        answer.decode1xx(HeaderMap([(b":status", b"103")]))
        answer.decodeHeaders(HeaderMap([(b":status", b"200")]), False)
        answer.decodeData(b"ab", False)
        answer.decodeData(b"cd", False)
        self.assertEqual(self.told, [])
        answer.decodeTrailers(HeaderMap([(b"x", b"y")]))
        answer.streamReset(Reset.LOCAL, "")
        self.assertEqual(self.told, [answer])
        self.assertEqual((answer.body, answer.ended), (b"abc", True))

    def test_cut(self) -> None:
        """An answer that is reset has not ended; one that nobody wants tells nobody."""
        answer = Answer(None, self.told.append)
        answer.decodeHeaders(HeaderMap([(b":status", b"200")]), False)
        answer.streamReset(Reset.REMOTE, "")
        self.assertFalse(self.told[0].ended)
        other = Answer(None, self.told.append)
        other.drop()
        other.decodeHeaders(HeaderMap([(b":status", b"200")]), True)
        self.assertEqual(len(self.told), 1)


class ConnectionTests(CheckedTestCase):
    def serve(self, check: dict[str, Any], answer: bytes | None = OK) -> HTTPOrigin:
        """Begin after the first, refused check."""
        self.start(check)
        origin: HTTPOrigin = self.envoy.listen("10.0.0.1:80", HTTPOrigin(answer))
        self.envoy.advance(10)
        return origin

    def test_noReuse(self) -> None:
        """One connection a check."""
        origin = self.serve({**H1, "reuse_connection": False})
        self.envoy.advance(10)
        self.assertEqual(len(origin.connections), 2)
        self.assertTrue(all(peer.ended for peer in origin.connections))

    def test_unasked(self) -> None:
        """Bytes that nobody asked for end the connection, not the checks."""
        origin = self.serve(H1)
        origin.connections[0].write(OK)
        self.envoy.settle()
        self.assertTrue(origin.connections[0].ended)
        self.envoy.advance(10)
        self.assertEqual(self.counts()["success"], 2)
        self.assertEqual(len(origin.connections), 2)

    def test_closedBetween(self) -> None:
        """A connection that is closed between two checks is no failure."""
        origin = self.serve(H1)
        origin.connections[0].loseConnection()
        self.envoy.advance(10)
        self.assertEqual(self.counts()["failure"], 1)
        self.assertEqual(self.counts()["success"], 2)

    def test_timeout(self) -> None:
        """A silent host's connection goes with the check."""
        origin = self.serve(H1, None)
        self.assertFalse(origin.connections[0].ended)
        self.envoy.advance(1)
        self.assertTrue(origin.connections[0].ended)
        self.envoy.advance(11)
        self.assertEqual(len(origin.connections), 2)

    def test_http2(self) -> None:
        """The preface, a request; garbage for an answer is a failure."""
        origin = self.serve(H2, b"garbage that is no frame at all, and long enough to be one")
        self.assertTrue(origin.received[0].startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        self.assertEqual(self.counts()["network_failure"], 2)
        self.assertTrue(origin.connections[0].ended)

    def test_stop(self) -> None:
        """A server that stops leaves no connection."""
        origin = self.serve(H1)
        self.envoy.stop()
        self.assertTrue(origin.connections[0].ended)
        self.assertEqual([call for call in self.envoy.clock.getDelayedCalls()], [])
