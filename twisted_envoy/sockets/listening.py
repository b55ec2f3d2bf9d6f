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
    IDelayedCall,
    IListeningPort,
    IProtocolFactory,
    IReadDescriptor,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.sockets.addresses import (
    familyOf,
    fromName,
    fromSocketName,
    ipv4,
    isAbstract,
    toSocketName,
)
from twisted_envoy.sockets.events import SocketContext
from twisted_envoy.sockets.interfaces import ListenOptions
from twisted_envoy.sockets.stream import StreamSocket

_log = Logger("listener")

_IPV4 = int(socket.AF_INET)
_STREAM = int(socket.SOCK_STREAM)
_BACK_OFF = 0.1
_PEERS_FAULT = frozenset({errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.EINTR})
_IP_FREEBIND = 15
_IP_TRANSPARENT = 19
_IPV6_TRANSPARENT = 75
_ANY = frozenset({"0.0.0.0", "::"})


@implementer(IListeningPort, IReadDescriptor)
class ListeningSocket:
    """
    A bound socket that listens.

    Args:
        address: where to listen; port 0 lets the kernel choose.
        given: a socket that listens there already; somebody else puts its path away.
        factory: is given None for the peer's address if it has `asksPeer` and that is False.

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
        self._given = given
        self._wanted = address
        self._options = options
        self._factory = factory
        self._context = context
        self._sock: socket.socket | None = None
        self._local: IAddress | None = None
        self._batch = options.acceptBatch
        self._asksNot = not getattr(factory, "asksPeer", True)
        self._family = int(familyOf(address))
        self._asksNot &= self._family == _IPV4  # whose names are made addresses by who asks
        self._bound = address
        self._retry: IDelayedCall | None = None

    def startListening(self) -> None:
        """Bind, listen and start to accept."""
        sock = self._given or listeningSocket(self._wanted, self._options)
        self._sock = sock
        self._bound = fromSocketName(sock)
        if getattr(self._bound, "host", None) not in _ANY:
            self._local = self._bound
        self._factory.doStart()
        self._context.reactor.addReader(self)

    def fileno(self) -> int:
        """The descriptor, -1 when there is none."""
        return -1 if self._sock is None else self._sock.fileno()

    def logPrefix(self) -> str:
        """What Twisted's log calls it."""
        return "listener"

    def doRead(self) -> None:
        """
        Accept what waits, up to a batch; the reactor asks again while there is more.

        The batch shrinks when it is not filled and grows when it is, so that connections that come
        one by one cost one call each.
        """
        turn = self._context.turn
        turn.enter()
        try:
            self._acceptBatch()
        finally:
            turn.leave()

    def _acceptBatch(self) -> None:
        batch = self._batch
        family = self._family
        for accepted in range(batch):
            if self._sock is None:
                return
            try:
                # accept() asks for families, types and defaults of each one.
                fd, name = self._sock._accept()  # type: ignore[attr-defined]
            except BlockingIOError:
                self._batch = max(accepted, 1)
                return
            except OSError as problem:
                if problem.errno in _PEERS_FAULT:
                    continue
                self._backOff(problem)
                return
            self._accepted(socket.SocketType(family, _STREAM, 0, fd), name)
        self._batch = min(batch * 2, self._options.acceptBatch)

    def _accepted(self, sock: socket.SocketType, name: Any) -> None:
        try:
            sock.setblocking(False)
            family = self._family
            peer: Any = name
            protocol: Any
            if self._asksNot:
                protocol = self._factory.buildProtocol(None)  # type: ignore[arg-type]
            else:
                peer = ipv4(name) if family == _IPV4 else fromName(family, name)
                protocol = self._factory.buildProtocol(peer)
            if protocol is None:
                sock.close()
            else:
                StreamSocket(sock, self._context, self._local, peer).begin(protocol)
        except Exception:
            _log.failure("buildProtocol raised; the connection is closed")
            sock.close()

    def _backOff(self, problem: OSError) -> None:
        """No descriptors or no memory: leave connections in the kernel's queue for a while."""
        _log.warn("accept: {problem}; trying again", problem=problem.strerror)
        self._context.reactor.removeReader(self)
        self._retry = self._context.reactor.callLater(_BACK_OFF, self._resume)

    def _resume(self) -> None:
        self._retry = None
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
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._given is None:
            removePath(self._bound)
        self._factory.doStop()

    def getHost(self) -> IAddress:
        """Where it listens, with the port that the kernel chose."""
        return self._bound


def listeningSocket(address: IAddress, options: ListenOptions) -> socket.socket:
    """
    A non-blocking socket that listens.

    Raises:
        CannotListenError: the kernel refused; nothing is left open.
    """
    sock = None
    try:
        sock = boundSocket(address, options)
        sock.listen(options.backlog)
        _setListeningOptions(sock, options)
    except OSError as problem:
        if sock is not None:
            sock.close()
        raise _cannotListen(address, problem) from None
    return sock


def removePath(address: IAddress) -> None:
    """Remove the path of a Unix socket that listens no more; other addresses have none."""
    if isinstance(address, UNIXAddress) and not isAbstract(address.name):
        _unlinkSocket(address.name)


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
            if not isAbstract(name):
                _unlinkStale(name)
        else:
            _setIPOptions(sock, family, options)
        _setOptions(sock, options.options)
        sock.bind(name)
        _setOptions(sock, options.boundOptions)
        if options.pipeMode and family == socket.AF_UNIX and not isAbstract(name):
            os.chmod(name, options.pipeMode)
    except OSError:
        sock.close()
        raise
    return sock


class SocketOptionError(OSError):
    """An option that the config asks for was refused by the kernel."""


def _setOptions(sock: socket.socket, options: tuple[tuple[int, int, int | bytes], ...]) -> None:
    for level, option, value in options:
        try:
            sock.setsockopt(level, option, value)
        except OSError as problem:
            raise SocketOptionError(*problem.args) from None


def _setListeningOptions(sock: socket.socket, options: ListenOptions) -> None:
    try:
        _setOptions(sock, options.listeningOptions)
    except SocketOptionError as problem:  # Envoy goes on, too
        _log.warn("Setting socket options failed: {problem}", problem=problem.strerror)


def _setIPOptions(sock: socket.socket, family: int, options: ListenOptions) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted ones inherit it
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


def _cannotListen(address: IAddress, problem: OSError) -> error.CannotListenError:
    if isinstance(address, UNIXAddress):
        where = (None, os.fsdecode(address.name or b"").replace("\0", "@"))
    else:
        where = (getattr(address, "host", None), getattr(address, "port", ""))
    return error.CannotListenError(*where, problem)  # type: ignore[no-untyped-call]


def _unlinkStale(path: bytes) -> None:
    """
    Remove a Unix socket that nobody listens on any more.

    Envoy removes whatever is at the path; a socket in use or another kind of file is left here, so
    that bind() says that the address is in use.
    """
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            probe.connect(path)
    except ConnectionRefusedError:
        os.unlink(path)
    except OSError:
        return


def _unlinkSocket(path: bytes | None) -> None:
    try:
        os.unlink(path or b"")
    except OSError as problem:
        _log.debug("cannot remove {path}: {problem}", path=path, problem=problem)
