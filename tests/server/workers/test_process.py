"""Tests for `twisted_envoy.server.workers.process`."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import replace
from typing import Any

from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.options import ServerOptions
from twisted_envoy.server.workers.channel import receiveOne
from twisted_envoy.server.workers.hello import CHANNEL, Hello
from twisted_envoy.server.workers.process import LogPlace, WorkerProcess
from twisted_envoy.server.workers.sockets import CLOSED

HELLO = Hello(0, "x", "/", ServerOptions(), None, "", (), ())


class Process:
    """What spawnProcess gives."""

    pid = 77

    def __init__(self) -> None:
        self.signals: list[str] = []

    def signalProcess(self, name: str) -> None:
        self.signals.append(name)


class Reactor:
    """Spawns nothing; keeps the child's end of the channel."""

    def __init__(self) -> None:
        self.process = Process()

    def spawnProcess(
        self, protocol: Any, executable: str, args: Any, env: Any, childFDs: Any
    ) -> Process:
        self.arguments, self.children, self.env = args, childFDs, env
        self.child = socket.socket(fileno=os.dup(childFDs[CHANNEL]))
        return self.process

    def adoptStreamConnection(self, descriptor: int, family: int, factory: Any) -> None:
        self.ours = socket.socket(fileno=os.dup(descriptor))
        self.wire = StringTransport()
        factory.buildProtocol(None).makeConnection(self.wire)


class WorkerProcessTests(SynchronousTestCase):
    """One worker."""

    def setUp(self) -> None:
        self.reactor = Reactor()
        self.said: list[Any] = []
        self.worker = WorkerProcess(
            1,
            lambda worker: self.said.append("ready"),
            lambda worker, how: self.said.append(how),
        )

    def start(self, place: LogPlace = LogPlace(), **fields: Any) -> Hello:  # noqa: B008
        """Start it: what it is told."""
        self.worker.start(self.reactor, replace(HELLO, **fields), place)
        self.addCleanup(self.reactor.child.close)
        self.addCleanup(self.reactor.ours.close)
        self.reactor.ours.setblocking(True)
        self.reactor.ours.sendall(self.reactor.wire.value())
        return Hello.of(receiveOne(self.reactor.child))

    def test_starts(self) -> None:
        """The same interpreter and path; the worker's own descriptors follow the channel's."""
        hello = self.start(listening=(50, CLOSED, 60))
        self.assertEqual(hello.listening, (CHANNEL + 1, CLOSED, CHANNEL + 3))
        children = dict(self.reactor.children)
        del children[CHANNEL]
        self.assertEqual(children, {0: 0, 1: 1, 2: 2, CHANNEL + 1: 50, CHANNEL + 3: 60})
        self.assertEqual(self.reactor.arguments[0], sys.executable)
        self.assertEqual(self.reactor.arguments[-1].split(os.pathsep), sys.path)
        self.assertEqual((self.worker.pid, self.reactor.env), (77, None))

    def test_logElsewhere(self) -> None:
        """Its stderr is where the first process logs."""
        self.start(LogPlace(descriptor=9))
        self.assertEqual(self.reactor.children[2], 9)

    def test_logLines(self) -> None:
        """Or a pipe, whose lines go into the log of the first process."""
        self.start(LogPlace(descriptor=None))
        self.assertEqual(self.reactor.children[2], "r")
        lines: list[str] = []
        from twisted.logger import globalLogPublisher

        def observe(event: Any) -> None:
            lines.append(event.get("line"))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        self.worker.childDataReceived(2, b"one\ntw")
        self.worker.childDataReceived(2, b"o\n")
        self.assertEqual(lines, ["one", "two"])

    def test_ready(self) -> None:
        """It says so itself."""
        self.start()
        self.assertFalse(self.worker.isReady)
        self.worker._heard({"what": "other"})
        self.worker._heard({"what": "ready"})
        self.assertEqual((self.worker.isReady, self.said), (True, ["ready"]))

    def test_ends(self) -> None:
        """With a status or by a signal."""
        self.start()
        ended: Any = (ProcessDone(0), ProcessTerminated(3), ProcessTerminated(None, 9))
        for reason in ended:
            self.worker.processEnded(Failure(reason))
        self.assertEqual(
            self.said, [f"ended with {how}" for how in ("status 0", "status 3", "signal 9")]
        )

    def test_kill(self) -> None:
        """Only what runs."""
        self.worker.kill()
        self.start()
        self.worker.kill()
        self.worker.processEnded(Failure(ProcessTerminated(None, 9)))
        self.worker.kill()
        self.assertEqual(self.reactor.process.signals, ["KILL"])
