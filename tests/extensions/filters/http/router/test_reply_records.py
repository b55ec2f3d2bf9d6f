"""Records of replies that are alike, beside those of streams."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.router.carrying import (
    ANSWERED,
    GET,
    HTTP2_CLUSTER,
    OK,
    CarrierCase,
    HTTP2BothScene,
    HTTP2Scene,
    Scene,
    UpstreamScene,
    answerFrames,
)
from tests.extensions.filters.http.router.test_carrier import HOSTS, HostsScene
from tests.http.manager import PROXIED, address
from tests.http.records import logTo, stampedLogs
from tests.switches import REFERENCE_CODEC
from twisted_envoy.extensions.filters.http.router.reply_records import ReplyRecords
from twisted_envoy.formatter.sameness import REPLY
from twisted_envoy.http.edge.request_id import UUIDRequestID
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

ID = b"x-request-id: a7742207-012c-4ab8-b53d-ed97f48b80d6\r\n"
CONTEXT = FormatContext(StreamInfo(0.0))


class Log:
    """Keeps what it is given, and how."""

    def __init__(self) -> None:
        self.written: list[Any] = []
        self.asked = 0
        self.problem: Exception | None = None

    def log(self, context: FormatContext) -> None:
        self.written.append(context)

    def stamp(self, context: FormatContext, sameness: int, isIDSame: bool) -> Any:
        self.asked += 1
        return lambda *arguments: self.add((sameness, isIDSame, *arguments))

    def add(self, told: Any) -> None:
        """One that needed no record."""
        if self.problem is not None:
            raise self.problem
        self.written.append(told)


class ReplyRecordsTests(SynchronousTestCase):
    """Of one log."""

    def setUp(self) -> None:
        self.log = Log()
        self.kept: Any = {}

    def begin(self, ids: Any = None) -> ReplyRecords:
        """Two records are written: what is known of the requests is known."""
        records = ReplyRecords((self.log,), ids)
        for _ in range(2):
            self.write(records)
        return records

    def write(self, records: ReplyRecords, reply: tuple[int, int] = (5, 1)) -> bool:
        """One record more; tells whether it was stamped."""
        if records.stamped(self.kept, reply, 1.5, b"id"):
            return True
        records.write(self.kept, reply, CONTEXT)
        return False

    def test_stamped(self) -> None:
        """The second record of a reply is looked at, later ones with the same are stamped."""
        records = self.begin(UUIDRequestID())
        self.assertEqual([self.write(records) for _ in range(3)], [False, True, True])
        self.assertEqual(self.log.written, [CONTEXT] * 3 + [(REPLY, False, 1.5, b"id")] * 2)
        self.assertFalse(self.write(records, (5, 2)))
        self.assertFalse(self.write(records, (6, 1)))
        self.assertTrue(self.write(records, (6, 1)))
        self.kept = {}
        self.assertFalse(self.write(records))

    def test_bounded(self) -> None:
        """Not every reply is kept that ever was, nor for every kind of request."""
        records = self.begin()
        for size in range(100):
            self.write(records, (size, 0))
        (found,) = self.kept.values()
        self.assertLess(len(found), 10)
        for _ in range(100):
            self.log = Log()
            self.begin()
        self.assertLess(len(self.kept), 10)

    def test_raises(self) -> None:
        """It is told of, as of any record, and written."""
        records = self.begin()
        self.write(records)
        self.log.problem = ValueError("full")
        self.assertTrue(self.write(records))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_notStamped(self) -> None:
        """A log that needs more is asked once; ids that may be any text are not put in."""
        self.log.stamp = lambda *arguments: self.ask()  # type: ignore[method-assign]
        records = self.begin()
        self.assertFalse(any(self.write(records) for _ in range(5)))
        self.assertEqual(self.log.asked, 1)
        records = self.begin(SimpleNamespace())
        self.assertFalse(any(self.write(records) for _ in range(5)))
        self.assertEqual(self.log.asked, 1)

    def ask(self) -> None:
        """It does not say how."""
        self.log.asked += 1


class StampedCase(CarrierCase):
    """With logs that tell no more than what is the same for such replies."""

    logs = stampedLogs(REPLY)

    def setUp(self) -> None:
        super().setUp()
        self.stamped = 0
        stamped = ReplyRecords.stamped

        def counted(*arguments: Any) -> bool:
            found = stamped(*arguments)
            self.stamped += found
            return found

        self.patch(ReplyRecords, "stamped", counted)


class StampedTests(StampedCase):
    """Over HTTP/1.1."""

    def test_alike(self) -> None:
        """Most records of like requests are stamped."""
        self.both(lambda scene: scene.warm(20))
        self.assertGreater(self.stamped, 10)

    def test_varying(self) -> None:
        """Replies of all sorts, after all sorts of times, to requests of two kinds."""
        answers = [
            OK,
            OK.replace(b"hello", b"other"),
            OK.replace(b"5\r\n\r\nhello", b"3\r\n\r\nhey"),
            OK.replace(b"08:00:00", b"08:00:01"),
            OK.replace(b"content-length", b'grpc-status: 5\r\nserver: a"b\r\ncontent-length'),
        ]
        for seed in range(4):
            chance = Random(seed)

            def play(scene: Scene, chance: Random = chance) -> None:
                scene.envoy.advance(chance.random())
                answer = OK
                for _ in range(80):
                    heads = (GET, GET, GET, GET.replace(b"a.test", b"b.test"))
                    scene.ask(chance.choice(heads) if chance.random() < 0.1 else GET)
                    scene.envoy.advance(chance.choice((0, 0.0005, 0.001, 0.0015, 0.0019996)))
                    answer = chance.choice(answers) if chance.random() < 0.1 else answer
                    scene.answer(answer)

            state = chance.getstate()

            def again(scene: Scene, chance: Random = chance, state: Any = state) -> None:
                chance.setstate(state)
                play(scene, chance)

            self.both(again)
        self.assertGreater(self.stamped, 20)

    def test_ids(self) -> None:
        """An id of the client's stays; those of two clients are not mixed up."""

        def play(scene: Scene) -> None:
            clients = [scene.client, scene.envoy.connect("web")]
            for number in range(24):
                scene.client = clients[number % 2]
                scene.ask(GET[:-2] + ID.replace(b"a7", b"a%d" % (number % 2)) + b"\r\n")
                scene.answer(OK)

        self.both(play)
        self.assertGreater(self.stamped, 5)

    def test_clients(self) -> None:
        """What is known of one client's requests serves another."""

        counts = []

        def play(scene: Scene) -> None:
            for _ in range(2):
                scene.warm(8)
                counts.append(self.stamped)
                scene.client = scene.envoy.connect("web")

        self.both(play, access_log=[logTo("usual")])
        self.assertGreater(counts[1] - counts[0], counts[0])


class HTTP2Tests(StampedCase):
    """Over HTTP/2."""

    skip = "the reference core knows no head" if REFERENCE_CODEC else None
    scene = HTTP2Scene

    def test_alike(self) -> None:
        """Most records of like requests are stamped."""
        self.both(lambda scene: scene.warm(20))
        self.assertGreater(self.stamped, 10)


class UpstreamTests(HTTP2Tests):
    """With an upstream that speaks it."""

    scene: type[Scene] = UpstreamScene
    cluster = HTTP2_CLUSTER


class HTTP2BothTests(UpstreamTests):
    """On both sides."""

    scene = HTTP2BothScene

    def test_sizes(self) -> None:
        """Replies with the same headers may have bodies of different sizes."""

        def play(scene: Any) -> None:
            for count in range(30):
                scene.ask()
                frames = answerFrames(
                    scene.streams()[-1], ANSWERED[::2], b"hello" * (count % 2 + 1)
                )
                scene.answer(b"".join(frames))

        self.both(play)
        self.assertGreater(self.stamped, 6)


class SameHeadScene(HostsScene):
    """The upstream has several hosts, who get the same requests."""

    ask = Scene.ask


class HostsTests(StampedCase):
    """A cluster of several hosts."""

    scene = SameHeadScene

    def test_inTurn(self) -> None:
        """Each record tells its own."""
        endpoints = [{"endpoint": {"address": address(host)}} for host in HOSTS]
        load = {"cluster_name": "origin", "endpoints": [{"lb_endpoints": endpoints}]}
        cluster = {"load_assignment": load, "lb_policy": "RANDOM"}
        self.both(lambda scene: scene.warm(60), [PROXIED], None, cluster)
        self.assertGreater(self.stamped, 0)
