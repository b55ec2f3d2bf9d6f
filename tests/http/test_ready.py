"""Direct responses that are ready, beside the same ones that streams give."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import HELLO as HTTP2
from tests.codec.h2.bytesof import frame
from tests.codec.h2.bytesof import headers as headersFrame
from tests.http.manager import HELLO, PROXIED, run
from tests.http.records import logs, recorded, stampedLogs
from tests.switches import REFERENCE_CODEC
from twisted_envoy.access_log.stamp import Stamp
from twisted_envoy.http.ready import ReadyAnswer
from twisted_envoy.http.shortcuts import Shortcuts
from twisted_envoy.testing import MemoryEnvoy

GET = b"GET / HTTP/1.1\r\nhost: a.test\r\n\r\n"
Fields = tuple[tuple[bytes, bytes], ...]
REQUEST: Fields = (
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":path", b"/"),
    (b":authority", b"a.test"),
)


def settingsOf(envoy: MemoryEnvoy) -> Any:
    """The connection manager's."""
    listener: Any = envoy.server.listeners.get("web")
    return listener.settings.chains.find(None).makers[-1].args[0]


class ReadyCase(SynchronousTestCase):
    """Counts the requests that are answered at once."""

    logs: ClassVar[list[dict[str, Any]]] = []
    pause: ClassVar[float] = 1.0

    def setUp(self) -> None:
        self.answered = 0
        self.patch(ReadyAnswer, "renew", self._counting(ReadyAnswer.renew))

    def _counting(self, renew: Any) -> Any:
        def counted(*arguments: Any) -> None:
            self.answered += 1
            renew(*arguments)

        return counted

    def start(self, *arguments: Any, **manager: Any) -> MemoryEnvoy:
        """One that logs nothing, unless it is to."""
        envoy = run(*arguments, **{"access_log": self.logs, **manager})
        self.addCleanup(envoy.stop)
        return envoy

    def both(self, chunks: list[bytes], *arguments: Any, **manager: Any) -> tuple[bytes, bool]:
        """
        Send chunks, `pause` seconds apart, to an Envoy with ready answers, and to one without.

        Returns:
            What both have sent, and whether one was ready.
        """
        results = []
        for isReady in (True, False):
            found = Shortcuts.find if isReady else lambda *arguments: None
            patched = self.patch(Shortcuts, "find", found)
            before = self.answered
            envoy = self.start(*arguments, **manager)
            client = envoy.connect("web")
            for chunk in chunks:
                client.write(chunk)
                envoy.settle()
                envoy.advance(self.pause)
            used = self.answered > before
            client.loseConnection()
            envoy.settle()
            stats = envoy.stats()
            times = settingsOf(envoy).stats.downstream_rq_time
            times.merge()
            stats["times"] = times.total.count
            counted = {name: stats[name] for name in stats if "memory" not in name}
            records = sorted(recorded(envoy), key=str)  # streams that are cut come in any order
            results.append((client.received, counted, used, records))
            patched.restore()
        ready, plain = results
        self.assertEqual(ready[0], plain[0])
        for ours, theirs in zip(ready[3], plain[3], strict=True):
            self.assertEqual(ours, theirs)
        self.assertEqual(ready[1], plain[1])
        self.assertFalse(plain[2])
        return ready[0], ready[2]


class HTTP1Tests(ReadyCase):
    """Over HTTP/1.1."""

    def test_sameBytesAndCounters(self) -> None:
        """What is sent and what is counted is the same, and the date goes on."""
        received, used = self.both([GET] * 5)

        self.assertTrue(used)
        self.assertEqual(received.count(b"HTTP/1.1 200 OK\r\n"), 5)
        dates = {line for line in received.split(b"\r\n") if line.startswith(b"date: ")}
        self.assertEqual(len(dates), 5)

    def test_requestsThatTell(self) -> None:
        """What asks for another answer, or has a body, is answered as ever."""
        for head in (
            b"HEAD / HTTP/1.1\r\nhost: a\r\n\r\n",
            b"GET / HTTP/1.0\r\nhost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a\r\nproxy-connection: close\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a\r\nx-envoy-force-trace: 1\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
            b"GET http:// HTTP/1.1\r\nhost: a\r\n\r\n",
            b"GET /#a HTTP/1.1\r\nhost: a\r\n\r\n",
            b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nok",
            b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ):
            self.assertFalse(self.both([head] * 4)[1], head)

    def test_configsThatTell(self) -> None:
        """Nor where the config has something to say about each request."""
        status = {"match": {"prefix": "/"}, "direct_response": {"status": 503}}
        self.assertTrue(self.both([GET] * 4, [{**HELLO, "name": "x"}])[1])
        self.assertFalse(self.both([GET] * 4, [status])[1])
        header = {"name": "a", "present_match": True, "invert_match": True}
        some = {**HELLO, "match": {"prefix": "/", "headers": [header]}}
        self.assertTrue(self.both([GET] * 4, [some])[1])
        header["name"] = "x-request-id"
        self.assertFalse(self.both([GET] * 4, [some, HELLO])[1])
        regex = {**HELLO, "match": {"safe_regex": {"regex": "/.*"}}}
        self.assertTrue(self.both([GET] * 4, [regex, HELLO])[1])
        edits = {"response_headers_to_add": [{"header": {"key": "a", "value": "%PROTOCOL%"}}]}
        self.assertFalse(self.both([GET] * 4, [{**HELLO, **edits}])[1])
        for manager in (
            {"always_set_request_id_in_response": True},
            {"proxy_status_config": {}},
            {"common_http_protocol_options": {"max_requests_per_connection": 3}},
            {"normalize_path": True},
            {"local_reply_config": {"body_format": {"text_format": "no"}}},
        ):
            with self.subTest(manager):
                if "always_set_request_id_in_response" in manager:
                    envoy = self.start(**manager)
                    client = envoy.connect("web")
                    for _ in range(4):
                        client.write(GET)
                        envoy.settle()
                    self.assertEqual(client.received.count(b"x-request-id: "), 4)
                else:
                    self.assertFalse(self.both([GET] * 4, **manager)[1])
        told = {"server_name": "you", "via": "me", "use_remote_address": True}
        received, used = self.both([GET] * 4, **told)
        self.assertTrue(used)
        self.assertEqual(received.count(b"server: you\r\nvia: me\r\n"), 4)

    def test_routes(self) -> None:
        """Of many routes it is the one of the path."""
        other = {"match": {"path": "/a"}, "direct_response": {"status": 200}}
        body = {"status": 200, "body": {"inline_string": "other"}}
        below = {"match": {"prefix": "/b"}, "direct_response": body}
        below["match"] = {"prefix": "/b"}
        paths = [GET.replace(b"/ ", path + b" ") for path in (b"/", b"/a", b"/b/c", b"/b?d#")]
        chunks = [chunk for chunk in paths[:3] for _ in range(4)]

        received, used = self.both(chunks, [other, below, HELLO])

        self.assertTrue(used)
        self.assertEqual((received.count(b"hello"), received.count(b"other")), (4, 4))

    def test_log(self) -> None:
        """Each request is in the log."""
        envoy = run()
        self.addCleanup(envoy.stop)
        client = envoy.connect("web")
        for _ in range(4):
            client.write(GET)
            envoy.settle()

        self.assertEqual(len(envoy.lines("log")), 4)
        self.assertEqual(self.answered, 1)
        self.assertEqual(set(envoy.lines("log")), {"GET 200 - direct_response DownstreamEnd"})
        options = {"flush_access_log_on_new_request": True}
        self.assertFalse(self.both([GET] * 4, access_log=logs(), access_log_options=options)[1])

    def test_others(self) -> None:
        """Requests like none before, of any path, and several at once, are answered among them."""
        other = GET.replace(b"/ ", b"/other ")
        chunks = [GET, GET, other, GET, GET, GET + GET, GET, GET[:9], GET[9:], GET]
        received, used = self.both(chunks)

        self.assertTrue(used)
        self.assertEqual(received.count(b"hello"), 10)

    def test_otherIDs(self) -> None:
        """Requests that have another x-request-id, and nothing else, are answered at once, too."""
        heads = [GET[:-2] + b"x-request-id: %d\r\n\r\n" % number for number in range(10, 20)]
        odd = GET[:-2] + b"x-request-id: a\tb\r\n\r\n"
        twice = GET[:-2] + b"x-request-id: 1\r\nx-request-id: 2\r\n\r\n"
        asked = self.both(heads)
        self.assertTrue(asked[1])
        self.assertEqual(asked[0].count(b"hello"), 10)
        self.assertTrue(self.both([*heads, odd, heads[0], GET])[1])
        self.assertFalse(self.both([twice, twice.replace(b"2", b"3")] * 3)[1])

    def test_phones(self) -> None:
        """What phones ask is counted as theirs."""
        phone = GET[:-2] + b"user-agent: iOS\r\n\r\n"
        self.assertFalse(self.both([phone] * 4)[1])

    def test_slowClient(self) -> None:
        """A client that does not read is not answered without end."""
        big = {**HELLO, "direct_response": {"status": 200, "body": {"inline_string": "a" * 4000}}}
        envoy = self.start([big])
        client = envoy.connect("web")
        client.write(GET)
        envoy.settle()
        client.pauseProducing()
        for _ in range(2000):
            client.write(GET)
            envoy.settle()
        waiting = envoy.stat("http.web.downstream_rq_total")
        client.resumeProducing()
        envoy.settle()

        self.assertLess(waiting, 2000)
        self.assertEqual(
            client.received.count(b"HTTP/1.1 200"), envoy.stat("http.web.downstream_rq_2xx")
        )

    def test_draining(self) -> None:
        """A server that drains says so in the next answer, and closes."""
        envoy = self.start()
        client = envoy.connect("web")
        for _ in range(3):
            client.write(GET)
            envoy.settle()
        self.assertEqual(self.answered, 1)
        envoy.server.drain.healthy = False
        client.write(GET)
        envoy.settle()

        self.assertEqual(client.received.count(b"connection: close\r\n"), 1)
        self.assertEqual(envoy.stat("http.web.downstream_cx_drain_close"), 1)
        self.assertEqual(envoy.stat("http.web.downstream_rq_total"), 4)

    def test_overloaded(self) -> None:
        """A server that refuses requests refuses those, too."""
        envoy = self.start()
        client = envoy.connect("web")
        for _ in range(3):
            client.write(GET)
            envoy.settle()
        edge = settingsOf(envoy).edge
        prepare = edge.prepareRequest
        edge.prepareBy(lambda *arguments: prepare(*arguments))
        self.assertFalse(edge.isUsual)
        client.write(GET)
        envoy.settle()
        edge.prepareBy(None)

        self.assertTrue(edge.isUsual)
        self.assertEqual(edge.prepareRequest, prepare)
        self.assertEqual(client.received.count(b"hello"), 4)

    def test_idle(self) -> None:
        """A connection is idle from its last answer on."""
        envoy = self.start(common_http_protocol_options={"idle_timeout": "2s"})
        client = envoy.connect("web")
        for _ in range(5):
            client.write(GET)
            envoy.settle()
            envoy.advance(1.5)
        self.assertFalse(client.ended)
        client.write(GET)
        envoy.settle()
        envoy.advance(1.9)
        self.assertEqual(envoy.stat("http.web.downstream_cx_idle_timeout"), 0)
        envoy.advance(0.2)
        self.assertEqual(envoy.stat("http.web.downstream_cx_idle_timeout"), 1)

    def test_proxied(self) -> None:
        """A route to a cluster has no answer that is ready."""
        self.assertFalse(self.both([GET] * 3, [PROXIED])[1])


class RecordedTests(HTTP1Tests):
    """The same, with everything in the logs."""

    logs = logs()


class HTTP2Tests(ReadyCase):
    """Over HTTP/2."""

    skip = "the reference core knows no head" if REFERENCE_CODEC else None

    def test_sameBytesAndCounters(self) -> None:
        """Frames and counters are the same, streams of one read are answered in their order."""
        chunks = [HTTP2]
        for number in range(1, 60, 6):
            chunks.append(
                b"".join(headersFrame(one, REQUEST) for one in range(number, number + 6, 2))
            )
        received, used = self.both(chunks)

        self.assertTrue(used)
        self.assertEqual(received.count(b"hello"), 30)

    def test_requestsThatTell(self) -> None:
        """HEAD, gRPC and requests with bodies are answered as ever."""
        for fields in (
            ((b":method", b"HEAD"), *REQUEST[1:]),
            (*REQUEST, (b"content-type", b"application/grpc")),
            (*REQUEST, (b"expect", b"100-continue")),
        ):
            chunks = [HTTP2, *(headersFrame(number, fields) for number in (1, 3, 5, 7))]
            self.assertFalse(self.both(chunks)[1], fields)
        chunks = [HTTP2]
        for number in (1, 3, 5, 7):
            chunks.append(headersFrame(number, REQUEST, 4) + frame(0, 1, number, b"ok"))
        self.assertFalse(self.both(chunks)[1])

    def test_emptyBody(self) -> None:
        """An answer without a body ends with its headers."""
        route = {"match": {"prefix": "/"}, "direct_response": {"status": 204}}
        chunks = [HTTP2, *(headersFrame(number, REQUEST) for number in range(1, 20, 2))]
        self.assertTrue(self.both(chunks, [route])[1])

    def test_window(self) -> None:
        """What the client's windows do not take waits."""
        body = {"inline_string": "a" * 4000}
        route = {**HELLO, "direct_response": {"status": 200, "body": body}}
        chunks = [HTTP2, *(headersFrame(number, REQUEST) for number in range(1, 60, 2))]
        received, used = self.both(chunks, [route])

        self.assertTrue(used)
        self.assertLess(received.count(b"a" * 1000) * 1000, 66000)

    def test_draining(self) -> None:
        """A server that drains says GOAWAY, and answers."""
        envoy = self.start()
        client = envoy.connect("web")
        client.write(HTTP2)
        for number in (1, 3, 5, 7):
            client.write(headersFrame(number, REQUEST))
            envoy.settle()
        self.assertEqual(self.answered, 1)
        envoy.server.drain.healthy = False
        client.write(headersFrame(9, REQUEST))
        envoy.settle()

        self.assertEqual(client.received.count(b"hello"), 5)
        self.assertEqual(envoy.stat("http.web.downstream_cx_drain_close"), 1)


class RecordedHTTP2Tests(HTTP2Tests):
    """The same, with everything in the logs."""

    logs = logs()


class StampedTests(ReadyCase):
    """With logs that are told no more than the time, a little apart."""

    logs = stampedLogs()
    pause = 0.0004

    def setUp(self) -> None:
        super().setUp()
        self.stamped: list[bytes] = []
        write = Stamp.write

        def counted(stamp: Stamp, now: float, uuid: bytes) -> None:
            self.stamped.append(uuid)
            write(stamp, now, uuid)

        self.patch(Stamp, "write", counted)

    def test_overHTTP1(self) -> None:
        """After the second request with a head no record is made."""
        other = GET.replace(b"a.test", b"b.test")
        self.assertTrue(self.both([*[GET] * 12, GET * 2, *[other] * 12, GET, other])[1])

        ids = self.stamped[::3]
        self.assertEqual(self.stamped[1::3], ids)
        self.assertEqual(self.stamped[2::3], ids)
        self.assertEqual(len(set(ids)), len(ids))
        self.assertGreater(len(ids), 12)

    def test_laterSeconds(self) -> None:
        """What the answer says of the second is in the lines of that second."""
        self.patch(StampedTests, "pause", 0.3)
        self.assertTrue(self.both([GET] * 20)[1])
        self.assertGreater(len(self.stamped), 3)

    def test_otherIDs(self) -> None:
        """Requests that have an id keep it."""
        heads = [
            GET[:-2] + b"x-request-id: %d7742207-012c-4ab8-b53d-ed97f48b80d6\r\n\r\n" % number
            for number in (1, 1, 1, 1, 2, 2, 3)
        ]
        self.assertTrue(self.both([*heads, GET, *heads])[1])

    def test_overHTTP2(self) -> None:
        """Streams of one read too, with an id or without."""
        for more in ((), ((b"x-request-id", b"own"),)):
            self.stamped.clear()
            chunks = [HTTP2]
            for number in range(1, 60, 6):
                streams = range(number, number + 6, 2)
                chunks.append(b"".join(headersFrame(one, (*REQUEST, *more)) for one in streams))
            self.assertTrue(self.both(chunks)[1])
            self.assertGreater(len(self.stamped), 60)
            if more:
                self.assertEqual(set(self.stamped), {b""})

    if REFERENCE_CODEC:
        test_overHTTP2.skip = HTTP2Tests.skip  # type: ignore[attr-defined]
