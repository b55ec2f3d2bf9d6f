"""
Link: the one base class of a filter.

A link stands between two neighbours. What comes from the wire it gets in `dataReceived` and
passes on with `deliver`; what goes to the wire it gets in `write` and passes on to `transport`. A
method that a link does not define is not on the path. The vocabulary is Twisted's, with four
words more: `deliver`, `hold`, `release` and `leave`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet.interfaces import IAddress

from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.network.read_gate import FILTER

if TYPE_CHECKING:
    from twisted_envoy.network.chain import Chain
    from twisted_envoy.state.stream_info import StreamInfo


class Link:
    """
    One filter of one connection. Subclasses define any of these, and nothing that they do not need:

        connectionMade()          links nearer to the wire have seen it
        dataReceived(data)        pass on with self.deliver(data)
        readConnectionLost()      the peer's end of stream; pass on with self.deliverEnd()
        connectionLost(reason)    once; links nearer to the wire have seen it
        connectionMissed()        instead of all the above: it ended before this link was started
        write(data)               pass on with self.transport.write(data)
        loseWriteConnection()     pass on with self.transport.loseWriteConnection()

    Attributes:
        chain: the connection's Chain.
        transport: the next link toward the wire that writes, or the wire's transport.
        deliver: takes bytes to the next link that reads; a plain callable, bound anew by the chain.
    """

    __slots__ = ("chain", "deliver", "index", "transport")

    #: A terminal filter says whether it goes on after the peer's end of stream.
    halfCloses: ClassVar[bool] = False
    makes: ClassVar[bool] = False
    reads: ClassVar[bool] = False
    ends: ClassVar[bool] = False
    loses: ClassVar[bool] = False
    misses: ClassVar[bool] = False
    writes: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.makes = hasattr(cls, "connectionMade")
        cls.reads = hasattr(cls, "dataReceived")
        cls.ends = hasattr(cls, "readConnectionLost")
        cls.loses = hasattr(cls, "connectionLost")
        cls.misses = hasattr(cls, "connectionMissed")
        cls.writes = (
            cls.write is not Link.write or cls.loseWriteConnection is not Link.loseWriteConnection
        )

    chain: Chain
    transport: Any
    deliver: Callable[[bytes], None]
    index: int

    @property
    def streamInfo(self) -> StreamInfo:
        """What is known about the connection."""
        return self.chain.streamInfo

    # Toward the application.

    def deliverEnd(self) -> None:
        """Pass the peer's end of stream to the next link that wants to know of it."""
        self.chain.deliverEnd(self)

    def hold(self) -> None:
        """
        Queue what this link would deliver, and start no link after it, until `release`.

        While more than the connection's buffer limit is queued the connection is not read. To hold
        while the queue is being replayed stops that; what is left stays queued.
        """
        self.chain.hold(self)

    def release(self) -> None:
        """
        Start the links after this one, deliver what was queued in order, and go on.

        What is queued is delivered even if reading is paused; a close drops it. May be called at
        any time: an exception of a link after this one ends the connection and is not raised here.
        """
        self.chain.release(self)

    def leave(self) -> None:
        """Step off the path: neighbours are joined, this link's connectionLost still comes."""
        self.chain.leave(self)

    # Toward the wire.

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def writeSequence(self, data: Any) -> None:
        self.write(b"".join(data))

    def loseWriteConnection(self) -> None:
        self.transport.loseWriteConnection()

    def loseConnection(self) -> None:
        self.transport.loseConnection()

    def closeConnection(self) -> None:
        """
        Close although nobody has ended, once everything is written.

        An internal connection that is closed so is lost to its other end, which must not wait for
        more; as in Envoy. TLS says its own end first.
        """
        info = self.chain.streamInfo
        if isinstance(info.directLocalAddress, InternalAddress) and info.tls is None:
            self.transport.resetConnection()
        else:
            self.transport.loseConnection()

    def abortConnection(self) -> None:
        self.transport.abortConnection()

    def resetConnection(self) -> None:
        """Reset the connection, but only once everything is written."""
        self.transport.resetConnection()

    def getPeer(self) -> IAddress:
        address: IAddress = self.transport.getPeer()
        return address

    def getHost(self) -> IAddress:
        address: IAddress = self.transport.getHost()
        return address

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        self.transport.unregisterProducer()

    def setWriteBufferLimit(self, limit: int) -> None:
        self.transport.setWriteBufferLimit(limit)

    @property
    def bufferedBytes(self) -> int:
        """Bytes written and not yet taken by the peer, as far as the wire's transport knows."""
        size: int = self.transport.bufferedBytes
        return size

    @property
    def disconnecting(self) -> bool:
        """A close was asked for; stock protocols look at this."""
        closing: bool = self.transport.disconnecting
        return closing

    @property
    def disconnected(self) -> bool:
        """The connection is gone."""
        return self.chain.lost

    def pauseProducing(self) -> None:
        """Not read while this link (whatever others say) does not want it."""
        self.chain.gate.shut(FILTER << self.index)

    def resumeProducing(self) -> None:
        self.chain.gate.open(FILTER << self.index)

    def stopProducing(self) -> None:
        self.transport.loseConnection()


class NoTransport:
    """What a link writes to once its connection is gone: takes everything, does nothing."""

    __slots__ = ()
    bufferedBytes = 0
    disconnecting = True
    disconnected = True

    def write(self, data: bytes) -> None:
        return

    def writeSequence(self, data: Any) -> None:
        return

    def loseWriteConnection(self) -> None:
        return

    def loseConnection(self) -> None:
        return

    def abortConnection(self) -> None:
        return

    def resetConnection(self) -> None:
        return

    def getPeer(self) -> IAddress | None:
        return None

    def getHost(self) -> IAddress | None:
        return None

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        producer.stopProducing()

    def unregisterProducer(self) -> None:
        return

    def pauseProducing(self) -> None:
        return

    def resumeProducing(self) -> None:
        return

    def stopProducing(self) -> None:
        return

    def setWriteBufferLimit(self, limit: int) -> None:
        return


NO_TRANSPORT = NoTransport()


def dropped(data: bytes) -> None:
    """Where bytes go that nobody wants."""
