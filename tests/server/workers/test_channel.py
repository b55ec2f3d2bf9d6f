"""Tests for `twisted_envoy.server.workers.channel`."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.workers.channel import Channel, Message, receiveOne


class Pair:
    """Two channels; `pump` carries what was said until nothing more is."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Message]] = []
        self.answers: dict[str, Any] = {}
        self.lost: list[str] = []
        self.ends = [self._make("one"), self._make("other")]
        self.wires = [StringTransport(), StringTransport()]
        for end, wire in zip(self.ends, self.wires, strict=True):
            end.makeConnection(wire)

    def _make(self, name: str) -> Channel:
        def heard(message: Message) -> object:
            self.heard.append((name, message))
            answer = self.answers.get(message["what"])
            if isinstance(answer, Exception):
                raise answer
            return answer

        return Channel(heard, lambda: self.lost.append(name))

    def pump(self, step: int = 1 << 20) -> None:
        """In pieces of so many bytes."""
        while any(wire.value() for wire in self.wires):
            for wire, other in zip(self.wires, reversed(self.ends), strict=True):
                data = wire.value()
                wire.clear()
                for at in range(0, len(data), step):
                    other.dataReceived(data[at : at + step])


class ChannelTests(SynchronousTestCase):
    """Questions, answers and words."""

    def setUp(self) -> None:
        self.pair = Pair()

    def test_tells(self) -> None:
        """A word is heard, and nothing comes back."""
        self.pair.ends[0].tell("ready", number=1)
        self.pair.pump(step=1)
        self.assertEqual(self.pair.heard, [("other", {"what": "ready", "number": 1})])

    def test_asks(self) -> None:
        """Answers find their questions, in both directions at once."""
        self.pair.answers = {"a": [1], "b": {"x": None}}
        first, second = self.pair.ends[0].ask("a"), self.pair.ends[1].ask("b")
        third = self.pair.ends[0].ask("b")
        self.pair.pump()
        self.assertEqual(self.successResultOf(first), [1])
        self.assertEqual(self.successResultOf(second), {"x": None})
        self.assertEqual(self.successResultOf(third), {"x": None})

    def test_answersLater(self) -> None:
        """An answer may take its time."""
        later: Deferred[int] = Deferred()
        self.pair.answers = {"a": later}
        asked = self.pair.ends[0].ask("a")
        self.pair.pump()
        self.assertNoResult(asked)
        later.callback(5)
        self.pair.pump()
        self.assertEqual(self.successResultOf(asked), 5)

    def test_raises(self) -> None:
        """What cannot be answered is logged, and answered with nothing."""
        self.pair.answers = {"a": ValueError("x")}
        asked = self.pair.ends[0].ask("a")
        self.pair.pump()
        self.assertIsNone(self.successResultOf(asked))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_lost(self) -> None:
        """Who waits hears that nobody is there; so does who asks later."""
        asked = self.pair.ends[0].ask("a")
        self.pair.ends[0].connectionLost()
        self.failureResultOf(asked, ConnectionDone)
        self.failureResultOf(self.pair.ends[0].ask("a"), ConnectionDone)
        self.pair.ends[0].tell("a")
        self.assertEqual(self.pair.lost, ["one"])

    def test_lostWhileAnswering(self) -> None:
        """An answer for nobody goes nowhere."""
        later: Deferred[int] = Deferred()
        self.pair.answers = {"a": later}
        asked = self.pair.ends[0].ask("a")
        self.pair.pump()
        self.pair.ends[1].connectionLost()
        later.callback(5)
        self.assertNoResult(asked)

    def test_givenUp(self) -> None:
        """An answer that nobody waits for any more is dropped."""
        asked = self.pair.ends[0].ask("a")
        asked.addErrback(lambda _: None)
        asked.cancel()
        self.pair.pump()
        self.assertIsNone(self.successResultOf(asked))


class GreetingTests(SynchronousTestCase):
    """The first message, before there is a reactor."""

    def test_reads(self) -> None:
        """It is read whole and nothing behind it."""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        text = json.dumps({"a": "b" * 1000}).encode()
        ours.sendall(struct.pack("!I", len(text)) + text + b"more")
        self.assertEqual(receiveOne(theirs), {"a": "b" * 1000})
        self.assertEqual(theirs.recv(10), b"more")

    def test_nobody(self) -> None:
        """The other process is gone."""
        ours, theirs = socket.socketpair()
        self.addCleanup(theirs.close)
        ours.close()
        self.assertRaises(EOFError, receiveOne, theirs)
