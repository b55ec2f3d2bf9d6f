"""One worker as the first process sees it: how it is started, and what is left when it ends."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_envoy.server.workers.channel import Channel, Message, openChannel
from twisted_envoy.server.workers.hello import CHANNEL, Hello
from twisted_envoy.server.workers.sockets import CLOSED
from twisted_envoy.values import dataclass

_log = Logger("main")

# A terminal sends its signals to all processes; the first one obeys them for all.
_PROGRAM = (
    "import os, signal as s, sys; "
    "[s.signal(n, s.SIG_IGN) for n in (s.SIGINT, s.SIGTERM, s.SIGHUP, s.SIGUSR1)]; "
    "sys.path[:] = sys.argv.pop().split(os.pathsep); "
    "from twisted_envoy.server.workers.worker import main; sys.exit(main())"
)


@dataclass(frozen=True, slots=True)
class LogPlace:
    """
    Where workers log.

    Attributes:
        path: a file; "" for none.
        descriptor: instead of it; None for the log of the first process, line by line.
    """

    path: str = ""
    descriptor: int | None = 2


class WorkerProcess(ProcessProtocol):
    """
    One process.

    Args:
        index: its number.
        ready: called once it lets connections in.
        ended: called at its end, with what is to say of it.
    """

    def __init__(
        self,
        index: int,
        ready: Callable[[WorkerProcess], object],
        ended: Callable[[WorkerProcess, str], object],
    ) -> None:
        self.index = index
        self.isReady = False
        self.pid = 0
        self.channel = Channel(self._heard, lambda: None)
        self._ready = ready
        self._ended = ended
        self._line = b""
        self._process: Any = None

    def start(self, reactor: Any, hello: Hello, place: LogPlace) -> None:
        """
        Start it, with descriptors for its channel and its sockets.

        Args:
            hello: listening: descriptors of this process.
        Raises:
            OSError: the system has not got what it takes.
        """
        ours, theirs = socket.socketpair()
        children: dict[int, Any] = {0: 0, 1: 1, 2: place.descriptor, CHANNEL: theirs.fileno()}
        if place.descriptor is None:
            children[2] = "r"
        inherited = []
        for number, descriptor in enumerate(hello.listening, CHANNEL + 1):
            inherited.append(CLOSED if descriptor == CLOSED else number)
            if descriptor != CLOSED:
                children[number] = descriptor
        with theirs:
            self._process = reactor.spawnProcess(
                self,
                sys.executable,
                [sys.executable, "-c", _PROGRAM, os.pathsep.join(sys.path)],
                env=None,
                childFDs=children,
            )
        self.pid = self._process.pid
        openChannel(reactor, ours, self.channel)
        self.channel.greet(replace(hello, listening=tuple(inherited)).words())

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.signalProcess("KILL")

    def _heard(self, message: Message) -> None:
        if message["what"] == "ready":
            self.isReady = True
            self._ready(self)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """Lines for the log of this process."""
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            _log.info("{line}", line=line.decode("utf-8", "replace"))

    def processEnded(self, reason: Failure) -> None:
        """It is gone."""
        self._process = None
        value: Any = reason.value
        how = f"signal {value.signal}" if value.signal else f"status {value.exitCode}"
        self._ended(self, f"ended with {how}")
