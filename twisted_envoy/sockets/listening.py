"""A listening socket: accepts in batches and gives each connection to a factory."""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import Any

from twisted.internet import error
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocolFactory,
    IReadDescriptor,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.sockets.addresses import familyOf, fromName, fromSocketName, toSocketName
from twisted_envoy.sockets.events import SocketContext
from twisted_envoy.sockets.interfaces import ListenOptions
from twisted_envoy.sockets.stream import StreamSocket

_log = Logger("listener")

_BATCH = 64
_BACK_OFF = 0.1
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_IP_FREEBIND = 15
_IP_TRANSPARENT = 19
_IPV6_TRANSPARENT = 75
_ANY = frozenset({"0.0.0.0", "::", ""})


@implementer(IListeningPort, IReadDescriptor)
class ListeningSocket:
    """
    A bound socket that listens.

    Args:
        address: where to listen; port 0 lets the kernel choose.

    Raises:
        twisted.internet.error.CannotListenError: from `startListening`.
    """

    def __init__(
        self,
        address: IAddress,
        options: ListenOptions,
        factory: IProtocolFactory,
        context: SocketContext,
    ) -> None:
        self._wanted = address
        self._options = options
        self._factory = factory
        self._context = context
        self._sock: socket.socket | None = None
        self._local: IAddress | None = None
        self._bound = address

    def startListening(self) -> None:
        sock = None
        try:
            sock = boundSocket(self._wanted, self._options)
            sock.listen(self._options.backlog)
        except OSError as problem:
            if sock is not None:
                sock.close()
            where = getattr(self._wanted, "host", None) or getattr(self._wanted, "name", None)
            port = getattr(self._wanted, "port", None)
            raise error.CannotListenError(where, port, problem) from None
        self._sock = sock
        self._bound = fromSocketName(sock)
        if getattr(self._bound, "host", "") not in _ANY:
            self._local = self._bound
        self._factory.doStart()
        self._context.reactor.addReader(self)

    def fileno(self) -> int:
        return -1 if self._sock is None else self._sock.fileno()

    def logPrefix(self) -> str:
        return "listener"

    def doRead(self) -> None:
        """Accept what waits, up to a batch; the reactor asks again while there is more."""
        for _ in range(_BATCH):
            if self._sock is None:
                return
            try:
                sock, name = self._sock.accept()
            except BlockingIOError:
                return
            except OSError as problem:
                if problem.errno in _EXHAUSTED:
                    self._backOff(problem)
                    return
                continue
            self._accepted(sock, name)

    def _accepted(self, sock: socket.socket, name: Any) -> None:
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = fromName(sock.family, name)
        turn = self._context.turn
        turn.enter()
        try:
            protocol: Any = self._factory.buildProtocol(peer)
            if protocol is None:
                sock.close()
            else:
                StreamSocket(sock, self._context, self._local, peer).begin(protocol)
        except Exception:
            _log.failure("buildProtocol raised; the connection is closed")
            sock.close()
        finally:
            turn.leave()

    def _backOff(self, problem: OSError) -> None:
        _log.warn("accept: {problem}; trying again", problem=problem.strerror)
        self._context.reactor.removeReader(self)
        self._context.reactor.callLater(_BACK_OFF, self._resume)

    def _resume(self) -> None:
        if self._sock is not None:
            self._context.reactor.addReader(self)

    def stopListening(self) -> Deferred[None]:
        """Close the listening socket; accepted connections stay."""
        self._close()
        return succeed(None)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor stops, or the descriptor went bad."""
        self._close()

    def _close(self) -> None:
        if self._sock is None:
            return
        self._context.reactor.removeReader(self)
        self._sock.close()
        self._sock = None
        path = self._bound.name if isinstance(self._bound, UNIXAddress) else None
        if path and not path.startswith(b"\0" if isinstance(path, bytes) else "\0"):  # type: ignore[arg-type]
            _unlinkSocket(path)
        self._factory.doStop()

    def getHost(self) -> IAddress:
        return self._bound


def boundSocket(address: IAddress, options: ListenOptions) -> socket.socket:
    """
    A non-blocking socket, bound and with every option set, not yet listening.

    Raises:
        OSError: the kernel refused; nothing is left open.
    """
    family = familyOf(address)
    name = toSocketName(address)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if family == socket.AF_UNIX:
            _unlinkStale(name)
        else:
            _setIPOptions(sock, family, options)
        for level, option, value in options.options:
            sock.setsockopt(level, option, value)
        sock.bind(name)
        if family == socket.AF_UNIX and options.pipeMode:
            os.chmod(name, options.pipeMode)
    except OSError:
        sock.close()
        raise
    return sock


def _setIPOptions(sock: socket.socket, family: int, options: ListenOptions) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if options.reusePort:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if options.freebind:
        sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
    if options.transparent:
        six = family == socket.AF_INET6
        level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
        sock.setsockopt(level, _IPV6_TRANSPARENT if six else _IP_TRANSPARENT, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not options.ipv4Compat)


def _unlinkStale(path: str) -> None:
    """Remove a Unix socket that nobody listens on any more, as Envoy does before it binds."""
    if path.startswith("\0"):
        return
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(path)
    except ConnectionRefusedError:
        os.unlink(path)
    except OSError:
        return


def _unlinkSocket(path: str | bytes) -> None:
    try:
        os.unlink(path)
    except OSError as problem:
        _log.debug("cannot remove {path}: {problem}", path=path, problem=problem)
