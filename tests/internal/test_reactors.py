"""
The same small program under each kind of reactor.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.internal.support import runPython

PROGRAM = """
import sys
from importlib import import_module
import_module(f"twisted.internet.{sys.argv[1]}reactor").install()
from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks, Deferred
from twisted.internet.endpoints import clientFromString, connectProtocol, serverFromString
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.protocol import Factory, Protocol

class Echo(Protocol):
    def dataReceived(self, data):
        self.transport.write(data)

class Client(Protocol):
    def connectionMade(self):
        self.got, self.lost = 0, Deferred()
        for _ in range(64):
            self.transport.write(b"x" * 65536)
    def dataReceived(self, data):
        self.got += len(data)
        if self.got == 4194304:
            self.transport.loseConnection()
    def connectionLost(self, reason):
        self.lost.callback(reason.type.__name__)

@inlineCallbacks
def main():
    try:
        factory = Factory.forProtocol(Echo)
        port = yield serverFromString(reactor, "internal:echo").listen(factory)
        for _ in range(3):
            client = yield connectProtocol(clientFromString(reactor, "internal:echo"), Client())
            print(client.got, (yield client.lost))
        yield port.stopListening()
        try:
            yield connectProtocol(clientFromString(reactor, "internal:echo"), Client())
        except ConnectionRefusedError as error:
            print(error)
    finally:
        reactor.stop()

reactor.callWhenRunning(main)
reactor.callLater(20, reactor.stop)
reactor.run()
"""

EXPECTED = """0 ConnectionDone
0 ConnectionDone
0 ConnectionDone
Connection was refused by other side: 22: nobody listens on envoy://echo/.
"""


class ReactorTests(SynchronousTestCase):
    """4 MiB of echo, three times, then a refusal."""

    def check(self, kind: str) -> None:
        self.assertEqual(runPython(PROGRAM, kind), EXPECTED)

    def test_asyncio(self) -> None:
        """Under asyncioreactor."""
        self.check("asyncio")

    def test_epoll(self) -> None:
        """Under epollreactor."""
        self.check("epoll")

    def test_poll(self) -> None:
        """Under pollreactor."""
        self.check("poll")

    def test_select(self) -> None:
        """Under selectreactor."""
        self.check("select")
