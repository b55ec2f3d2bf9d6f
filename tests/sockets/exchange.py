"""
A run of everything that sockets do, under one kind of reactor, in a process of its own.

    python -m tests.sockets.exchange epoll|poll|select|asyncio [bare]

`bare` takes away what only Unix has, once Twisted has found it; the sockets are Twisted's then.

Prints "fine" and ends with status 0 when all went as it should.
"""

from __future__ import annotations

import os
import select
import sys
from importlib import import_module
from typing import Any


async def run(reactor: Any) -> None:
    from twisted.internet.address import IPv4Address, UNIXAddress
    from twisted.internet.error import (
        ConnectionAborted,
        ConnectionDone,
        ConnectionLost,
        ConnectionRefusedError,
    )

    from tests.sockets.loopback import (
        ANY_PORT,
        PAYLOAD,
        Accepting,
        HalfRecorder,
        LoopbackTestCase,
    )

    class Case(LoopbackTestCase):
        def runTest(self) -> None: ...

    case = Case()
    case.setUp()
    name = UNIXAddress(f"\0twisted-envoy-exchange-{os.getpid()}")
    for address in (ANY_PORT, name, IPv4Address("TCP", "0.0.0.0", 0)):
        accepting = Accepting()
        port = await case.listen(accepting, address)
        where = port.getHost()
        if getattr(where, "host", "") == "0.0.0.0":
            where = IPv4Address("TCP", "127.0.0.1", where.port)

        # 8 MiB each way, half-closes, orderly ends.
        accepted, client = accepting.next(), HalfRecorder()
        await case.connect(where, client)
        server = await accepted
        for recorder in (client, server):
            recorder.transport.write(PAYLOAD)
            recorder.transport.loseWriteConnection()
        await client.untilEvent("end")
        await server.untilEvent("end")
        assert client.data == PAYLOAD and server.data == PAYLOAD
        client.transport.loseConnection()
        server.transport.loseConnection()
        await client.untilEvent("lost")
        await server.untilEvent("lost")
        assert client.reason.check(ConnectionDone) and server.reason.check(ConnectionDone)

        # A greeting and a close against bytes that nobody reads, then an abort.
        accepted, client = accepting.next(), HalfRecorder()
        await case.connect(where, client)
        server = await accepted
        server.transport.pauseProducing()
        client.transport.write(b"never read")
        server.transport.write(b"greeting")
        server.transport.loseConnection()
        await client.untilEvent("end")
        assert client.data == b"greeting"
        client.transport.abortConnection()
        await client.untilEvent("lost")
        assert client.reason.check(ConnectionAborted)

        # A reset while writes wait and reading is paused: what came before it is not lost.
        if address is not name and not case.transports:
            accepted, client = accepting.next(), HalfRecorder()
            await case.connect(where, client)
            server = await accepted
            client.transport.pauseProducing()
            server.transport.pauseProducing()
            server.transport.write(PAYLOAD)
            client.transport.write(b"last words")
            client.transport.abortConnection()
            while server.transport.bufferedBytes:
                await case.nextPoll()
            server.transport.resumeProducing()
            await server.untilEvent("lost")
            assert server.data == b"last words", server.data
            assert server.reason.check(ConnectionLost)

        await port.stopListening()
        try:
            await case.connect(where, HalfRecorder())
        except ConnectionRefusedError:
            pass
        else:
            raise AssertionError("connected to nobody")
    while case.sockets._context.lingering:
        await case.nextPoll()
    left = [reader for reader in reactor.getReaders() if "Waker" not in type(reader).__name__]
    assert not left and not reactor.getWriters(), left


def strip() -> None:
    """Take away what is missing elsewhere, as far as Twisted itself does not need it here."""
    import twisted.trial.unittest  # noqa: F401

    for name in ("fcntl", "termios", "resource", "pwd", "grp"):
        sys.modules[name] = None  # type: ignore[assignment]
    for module, names in ((select, ("epoll", "EPOLLET")), (os, ("sysconf", "splice", "pipe2"))):
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    assert not any(name.startswith("twisted_envoy") for name in sys.modules)


def main(kind: str) -> int:
    import_module(f"twisted.internet.{kind}reactor").install()
    from twisted.internet import reactor
    from twisted.internet.defer import ensureDeferred

    if sys.argv[2:] == ["bare"]:
        strip()

    failures: list[Any] = []

    def start() -> None:
        done = ensureDeferred(run(reactor))
        done.addErrback(failures.append).addBoth(lambda _: reactor.stop())  # type: ignore[attr-defined]

    reactor.callWhenRunning(start)  # type: ignore[attr-defined]
    reactor.callLater(60, os._exit, 3)  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]
    for failure in failures:
        failure.printTraceback(sys.stdout)
    if not failures:
        print("fine")
    return len(failures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
