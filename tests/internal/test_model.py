"""
Random sequences of operations on both ends, against a small model of what must happen.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.internal.support import HalfRecorder, Recorder, World


class ModelEnd:
    """What is known of one end after everything has settled."""

    peer: ModelEnd

    def __init__(self, half: bool) -> None:
        self.half = half
        self.inbox = b""
        self.received = b""
        self.ends: list[str] = []
        self.connected = True
        self.reading = True
        self.closing = self.ended = self.endTaken = self.endTold = self.broken = False
        self.peerEnded = False
        self.reset = ""

    def write(self, data: bytes) -> None:
        if not self.connected or self.ended or not data:
            return
        if not self.peer.connected:
            self.broken = True
        elif not self.peer.closing:
            self.peer.inbox += data

    def writeSequence(self, data: bytes) -> None:
        self.write(data)
        self.write(data)

    def loseWriteConnection(self, data: bytes) -> None:
        if self.connected and not self.ended:
            self.ended = self.peer.peerEnded = True

    def loseConnection(self, data: bytes) -> None:
        if self.connected and not self.closing:
            self.closing = True
            self.inbox = b""
            self.loseWriteConnection(data)

    def abortConnection(self, data: bytes) -> None:
        if self.connected:
            self.reset = "ConnectionAborted"
            self.inbox = b""
            if self.peer.connected:
                self.peer.reset = "ConnectionLost"

    def pauseProducing(self, data: bytes) -> None:
        self.reading = False

    def resumeProducing(self, data: bytes) -> None:
        self.reading = True

    def lose(self, reason: str) -> None:
        self.connected = False
        self.ends.append(reason)
        self.peer.peerEnded = True

    def step(self) -> bool:
        """Do the next thing that is due; False: nothing is."""
        peer = self.peer
        if not self.connected:
            return False
        if self.reset:
            self.lose(self.reset)
        elif not peer.connected and self.closing:
            self.lose("ConnectionDone")
        elif not peer.connected and self.broken:
            self.lose("ConnectionLost")
        elif self.inbox and self.reading and not self.closing:
            self.received += self.inbox
            self.inbox = b""
        elif self.ended and (not peer.inbox or not peer.connected) and self.closing:
            self.lose("ConnectionDone")
        elif self.ended and (not peer.inbox or not peer.connected) and not self.endTaken:
            self.endTaken = True
            if self.half:
                self.ends.append("writeLost")
        elif self.peerEnded and not self.inbox and self.mayRead() and not self.endTold:
            self.endTold = True
            if self.half:
                self.ends.append("readLost")
            else:
                self.lose("ConnectionDone")
        else:
            return False
        return True

    def mayRead(self) -> bool:
        return self.reading and not self.closing


VERBS = (
    "write",
    "writeSequence",
    "loseWriteConnection",
    "loseConnection",
    "abortConnection",
    "pauseProducing",
    "resumeProducing",
)
WEIGHTED = ("write",) * 4 + ("pauseProducing", "resumeProducing") + VERBS

OPERATIONS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(WEIGHTED), st.sampled_from([0, 1, 700, 5000])),
    max_size=25,
)


def call(target: object, verb: str, data: bytes) -> None:
    """Call a transport's verb."""
    arguments: dict[str, tuple[object, ...]] = {
        "write": (data,),
        "writeSequence": ([data, data],),
    }
    method: Callable[..., None] = getattr(target, verb)
    method(*arguments.get(verb, ()))


class ModelTests(SynchronousTestCase):
    """The pair against the model."""

    def pair(self, halves: tuple[bool, bool]) -> tuple[World, list[Recorder]]:
        world = World(2048)
        ends: list[Recorder] = [HalfRecorder() if half else Recorder() for half in halves]
        world.join(*ends)
        return world, ends

    @settings(max_examples=400, deadline=None)
    @given(st.tuples(st.booleans(), st.booleans()), OPERATIONS)
    def test_settledAfterEach(
        self, halves: tuple[bool, bool], operations: list[tuple[int, str, int]]
    ) -> None:
        """With every operation settled, each end has exactly the events the model foretells."""
        world, ends = self.pair(halves)
        models = [ModelEnd(half) for half in halves]
        models[0].peer, models[1].peer = models[1], models[0]
        transports = [end.transport for end in ends]
        for number, (side, verb, size) in enumerate(operations):
            data = bytes([number]) * size
            call(transports[side], verb, data)
            getattr(models[side], verb)(data)
            world.pump()
            while models[0].step() or models[1].step():
                pass
            for end, model, transport in zip(ends, models, transports, strict=True):
                self.assertEqual(end.received, model.received)
                self.assertEqual(end.ends, model.ends)
                self.assertEqual(transport.connected, model.connected)
                if model.connected and model.peer.connected:
                    self.assertEqual(transport.bufferedBytes, len(model.peer.inbox))

    @settings(max_examples=400, deadline=None)
    @given(
        st.tuples(st.booleans(), st.booleans()),
        st.lists(
            st.one_of(
                st.just(None),
                st.tuples(
                    st.integers(0, 1), st.sampled_from(WEIGHTED), st.sampled_from([1, 700, 5000])
                ),
            ),
            max_size=40,
        ),
    )
    def test_anyTiming(
        self, halves: tuple[bool, bool], operations: list[tuple[int, str, int] | None]
    ) -> None:
        """
        With operations between boundaries: no byte is made up or out of order, each end is lost
        at most once and hears nothing after it, and what an orderly writer wrote arrives whole.
        """
        world, ends = self.pair(halves)
        transports = [end.transport for end in ends]
        written = [b"", b""]
        verbs: list[set[str]] = [set(), set()]
        for number, operation in enumerate(operations):
            if operation is None:
                world.pump()
                continue
            side, verb, size = operation
            data = bytes([number]) * size
            closed = verbs[side] & {"loseConnection", "loseWriteConnection"}
            if transports[side].connected and not closed:
                written[side] += data * {"write": 1, "writeSequence": 2}.get(verb, 0)
            call(transports[side], verb, data)
            verbs[side].add(verb)
        world.pump()
        for transport in transports:
            transport.resumeProducing()
        world.pump()
        for side, end in enumerate(ends):
            sent = written[1 - side]
            self.assertTrue(sent.startswith(end.received))
            losses = [event for event in end.ends if str(event).startswith("Connection")]
            self.assertLessEqual(len(losses), 1)
            if losses:
                self.assertEqual(end.events[-1], losses[0])
            if "abortConnection" in verbs[0] | verbs[1] or "loseConnection" in verbs[side]:
                continue
            if end.ends[-1:] != ["ConnectionLost"] and (halves[side] or not losses):
                self.assertEqual(end.received, sent)
        for transport in transports:
            transport.abortConnection()
        world.pump()
        for end in ends:
            self.assertTrue(str(end.events[-1]).startswith("Connection"))
