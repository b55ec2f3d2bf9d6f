"""
A listening name: the `IListeningPort` of an internal listener.
"""

from __future__ import annotations

import errno

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from twisted_envoy.internal.address import InternalAddress

_log = Logger()


@implementer(IListeningPort)
class InternalPort:
    """
    Accepts internal connections for one name; made by `Registry.listen`.

    Args:
        names: the namespace; this port puts itself in and takes itself out.
        factory: builds a protocol for each connection; its doStart and doStop are called.
        bufferSize: high watermark of each receive buffer, in bytes; None: the registry's.
    """

    __slots__ = ("_reactor", "_names", "_address", "factory", "bufferSize", "__weakref__")

    def __init__(
        self,
        reactor: IReactorTime,
        names: dict[str, InternalPort],
        name: str,
        factory: IProtocolFactory,
        bufferSize: int | None,
    ) -> None:
        self._reactor = reactor
        self._names = names
        self._address = InternalAddress(name)
        self.factory = factory
        self.bufferSize = bufferSize

    def __repr__(self) -> str:
        state = "" if self._isListening() else " (not listening)"
        return f"<InternalPort {self._address} of {type(self.factory).__name__}{state}>"

    def startListening(self) -> None:
        """
        Take the name and start the factory.

        Raises:
            CannotListenError: another listener has the name.
        """
        if self._isListening():
            return
        name = self._address.name
        if name in self._names:
            taken = OSError(errno.EADDRINUSE, "another internal listener has this name")
            raise CannotListenError("internal", name, taken)  # type: ignore[no-untyped-call]
        self._names[name] = self
        self.factory.doStart()

    def stopListening(self) -> Deferred[None] | None:
        """
        Give the name back at once; connections that are open stay.

        Returns:
            A Deferred that fires in a later turn, when the factory has been stopped; None when
            the port was not listening.
        """
        if not self._isListening():
            return None
        del self._names[self._address.name]
        return deferLater(self._reactor, 0, self.factory.doStop)

    def getHost(self) -> InternalAddress:
        """The listener's address, without an endpoint id."""
        return self._address

    def logFailure(self) -> None:
        """A protocol could not be built for a connection, or to begin it raised."""
        _log.failure("unhandled error while {port!r} accepts", port=self)

    def _isListening(self) -> bool:
        return self._names.get(self._address.name) is self
