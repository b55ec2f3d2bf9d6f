"""
Protocols that remember what happened to them, and a registry on a Clock.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol, IPullProducer, IPushProducer
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

import twisted_envoy
from twisted_envoy.internal import InternalClientEndpoint, InternalTransport, Registry


class Recorder(Protocol):
    """
    Remembers its events: "made", bytes, "readLost", "writeLost", and the class of its end.
    """

    transport: InternalTransport  # type: ignore[assignment]

    def __init__(self) -> None:
        self.events: list[object] = []
        self.reason: Failure | None = None

    def connectionMade(self) -> None:
        self.events.append("made")

    def dataReceived(self, data: bytes) -> None:
        self.events.append(data)

    def connectionLost(self, reason: Failure | None = None) -> None:  # type: ignore[override]
        assert reason is not None
        self.reason = reason
        self.events.append(reason.type.__name__)

    @property
    def received(self) -> bytes:
        return b"".join(event for event in self.events if isinstance(event, bytes))

    @property
    def ends(self) -> list[object]:
        """The events that are neither data nor "made"."""
        return [event for event in self.events if not isinstance(event, bytes)][1:]


@implementer(IHalfCloseableProtocol)
class HalfRecorder(Recorder):
    """
    The same for one that knows half-closed connections.
    """

    def readConnectionLost(self) -> None:
        self.events.append("readLost")

    def writeConnectionLost(self) -> None:
        self.events.append("writeLost")


class Single(Factory):
    """
    Builds one protocol, made beforehand; counts its starts and stops.
    """

    noisy = False

    def __init__(self, protocol: Protocol | None) -> None:
        self.one = protocol
        self.starts = 0
        self.stops = 0
        self.addresses: list[object] = []

    def buildProtocol(self, addr: object) -> Protocol | None:
        self.addresses.append(addr)
        return self.one

    def doStart(self) -> None:
        self.starts += 1

    def doStop(self) -> None:
        self.stops += 1


@implementer(IPushProducer)
class Push:
    """
    A push producer that counts what it is told.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


class World:
    """
    A registry on a Clock, and pairs of protocols connected through it.
    """

    def __init__(self, bufferSize: int = 1024 * 1024) -> None:
        self.clock = Clock()
        self.registry = Registry(self.clock, bufferSize)
        self.count = 0

    def pump(self) -> None:
        self.registry.turn.pump(self.clock)

    def attempt(
        self, client: Protocol | None, server: Protocol | None
    ) -> tuple[Deferred[Protocol], Single, Single]:
        """Listen with server, begin to connect client to it; do not pump."""
        self.count += 1
        name = f"listener{self.count}"
        serverFactory, clientFactory = Single(server), Single(client)
        self.registry.listen(name, serverFactory)
        endpoint = InternalClientEndpoint(self.clock, name, registry=self.registry)
        return endpoint.connect(clientFactory), clientFactory, serverFactory  # type: ignore[return-value]

    def join(self, client: Recorder, server: Recorder) -> None:
        """Connect the two."""
        self.attempt(client, server)
        self.pump()
        assert client.events[0] == server.events[0] == "made"


@implementer(IPullProducer)
class Pull:
    """
    A pull producer of so many chunks; unregisters itself at the end.
    """

    def __init__(self, consumer: InternalTransport, chunks: list[bytes]) -> None:
        self.consumer = consumer
        self.chunks = chunks
        self.calls = 0
        self.stopped = False

    def resumeProducing(self) -> None:
        self.calls += 1
        self.consumer.write(self.chunks.pop(0))
        if not self.chunks:
            self.consumer.unregisterProducer()

    def stopProducing(self) -> None:
        self.stopped = True


def runPython(code: str, *arguments: str) -> str:
    """
    Run code in another Python that can import this twisted_envoy.

    Returns:
        What it printed, also as errors.
    """
    root = str(Path(twisted_envoy.__file__).resolve().parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return done.stdout
