"""A listening port of a Twisted reactor's."""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import Any

from twisted.internet import error
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    ILoggingContext,
    IProtocolFactory,
    IReactorSocket,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.sockets.addresses import fromSocketName, isAbstract, unmapped
from twisted_envoy.sockets.events import SocketContext
from twisted_envoy.sockets.interfaces import ListenOptions
from twisted_envoy.sockets.listening import listeningSocket
from twisted_envoy.sockets.transports.stream import TransportStream

_log = Logger("listener")


@implementer(IProtocolFactory, ILoggingContext)
class _Accepting:
    """Puts a TransportStream between each transport and the protocol that a factory makes."""

    noisy = False

    def __init__(self, factory: IProtocolFactory, context: SocketContext) -> None:
        self._factory = factory
        self._context = context
        self.stopped = False

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()

    def buildProtocol(self, addr: IAddress) -> Any:
        if self.stopped:
            return None
        turn = self._context.turn
        turn.enter()
        try:
            protocol: Any = self._factory.buildProtocol(unmapped(addr))
        except Exception:
            _log.failure("buildProtocol raised; the connection is closed")
            return None
        finally:
            turn.leave()
        return None if protocol is None else TransportStream(protocol, self._context)

    def logPrefix(self) -> str:
        return "listener"


@implementer(IListeningPort)
class TransportPort:
    """
    Listens at an address; the reactor accepts.

    Where the reactor adopts sockets it is given one that has every option set. Elsewhere there are
    none.

    Args:
        address: where to listen; port 0 lets the kernel choose.
        given: a socket that listens there already.

    Raises:
        twisted.internet.error.CannotListenError: from `startListening`.
    """

    def __init__(
        self,
        address: IAddress,
        options: ListenOptions,
        factory: IProtocolFactory,
        context: SocketContext,
        given: socket.socket | None = None,
    ) -> None:
        self._wanted = address
        self._options = options
        self._context = context
        self._given = given
        self._factory = _Accepting(factory, context)
        self._port: Any = None
        self._bound = address

    def startListening(self) -> None:
        """Bind, listen and start to accept."""
        if IReactorSocket.providedBy(self._context.reactor):
            with self._given or listeningSocket(self._wanted, self._options) as sock:
                self._adopt(sock)
        else:
            self._listen(self._context.reactor)

    def _adopt(self, sock: socket.socket) -> None:
        self._bound = bound = fromSocketName(sock)
        path: bytes | None = None
        mode = 0
        if isinstance(bound, UNIXAddress) and not isAbstract(bound.name):
            path = bound.name or b""
            mode = stat.S_IMODE(os.stat(path).st_mode)
        reactor: Any = self._context.reactor
        self._port = reactor.adoptStreamPort(sock.fileno(), sock.family, self._factory)
        if isinstance(bound, UNIXAddress):  # adopting one sets these anew
            sock.listen(self._options.backlog)
            if path is not None:
                os.chmod(path, mode)

    def _listen(self, reactor: Any) -> None:
        address: Any = self._wanted
        options = self._options
        host = getattr(address, "host", None)
        if (
            host is None
            or options.freebind
            or options.transparent
            or options.options
            or options.boundOptions
            or options.listeningOptions
        ):
            problem = OSError(errno.EOPNOTSUPP, "this reactor's sockets have no such option")
            where = (host, getattr(address, "port", address))
            raise error.CannotListenError(*where, problem)  # type: ignore[no-untyped-call]
        self._port = reactor.listenTCP(address.port, self._factory, options.backlog, host)
        self._bound = unmapped(self._port.getHost())

    def stopListening(self) -> Deferred[None]:
        """Close the listening socket; accepted connections stay."""
        port, self._port = self._port, None
        self._factory.stopped = True
        if port is None:
            return maybeDeferred(lambda: None)
        return maybeDeferred(port.stopListening).addErrback(_pathIsGone)

    def getHost(self) -> IAddress:
        """Where it listens, with the port that the kernel chose."""
        return self._bound


def _pathIsGone(reason: Failure) -> None:
    """Somebody else has removed the path of a Unix socket already."""
    reason.trap(FileNotFoundError)  # type: ignore[no-untyped-call]
