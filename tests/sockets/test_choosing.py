"""Which sockets a reactor gets."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

from twisted.internet.interfaces import IReactorTCP
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

import tests
from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.server.runtime import ENVIRONMENT
from twisted_envoy.sockets.choosing import SWITCH, canWatch, socketsFor
from twisted_envoy.sockets.endpoints import ReactorSockets
from twisted_envoy.sockets.transports.endpoints import TransportSockets


@implementer(IReactorTCP)
class Completing(Clock):
    """A reactor that has connections and watches no descriptors, as that of Windows."""

    connectTCP = listenTCP = None


class ChoosingTests(SynchronousTestCase):
    def kind(self, reactor: object, transports: bool = False) -> type[object]:
        turn = TurnQueue(Clock())
        return type(socketsFor(reactor, turn, transports))

    def test_linux(self) -> None:
        """A reactor that watches descriptors watches ours, unless the switch says otherwise."""
        from twisted.internet import reactor

        self.assertIs(self.kind(reactor), ReactorSockets)
        self.assertIs(self.kind(reactor, True), TransportSockets)
        self.assertEqual(SWITCH, "twisted_envoy.sockets.twisted_transports")

    def test_otherReactors(self) -> None:
        """One that watches none has transports of its own; a clock is not asked for any."""
        self.assertIs(self.kind(Completing()), TransportSockets)
        self.assertIs(self.kind(Clock()), ReactorSockets)

    def test_otherPlatforms(self) -> None:
        """So has any where there is no epoll."""
        from twisted.internet import reactor

        self.patch(select, "epoll", None)
        del select.epoll
        try:
            self.assertFalse(canWatch(reactor))
        finally:
            select.epoll = None  # type: ignore[assignment, misc]  # for the patch to put back

    def test_withoutUnix(self) -> None:
        """Where modules of Unix are missing nothing but Twisted's transports is needed."""
        root = str(Path(tests.__file__).parent.parent)
        ran = subprocess.run(
            [sys.executable, "-m", "tests.sockets.exchange", "select", "bare"],
            cwd=root,
            env={**os.environ, "PYTHONPATH": root, ENVIRONMENT: ""},
            capture_output=True,
            text=True,
            timeout=90,
        )
        self.assertEqual((ran.returncode, ran.stdout), (0, "fine\n"), ran.stderr)
