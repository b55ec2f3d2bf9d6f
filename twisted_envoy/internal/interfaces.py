"""
What an internal connection's transport can do beyond `ITransport`.

None of these is `ITCPTransport`: there is no socket, so there are no socket options.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.interfaces import IConsumer, IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import Attribute


class Passage:
    """
    What a protocol does with all that it receives, when that is only to count it and write it on.

    A protocol may have `passage()`, which returns one or None. Who moves the bytes in another way
    tells how many they were, and stops as soon as the protocol's `dataReceived` does not equal
    `reader`.

    Args:
        reader: the `dataReceived` whose place is taken.
        sink: the transport that it writes to.
        count: called with the number of bytes.
    """

    __slots__ = ("count", "reader", "sink")

    def __init__(
        self, reader: Callable[[bytes], None], sink: Any, count: Callable[[int], None]
    ) -> None:
        self.reader = reader
        self.sink = sink
        self.count = count


class ConnectUser(Protocol):
    """
    Who wants one connection, without the expense of a Deferred.

    Endpoints whose `begin(user)` takes one call it no more after its attempt was cancelled.
    """

    def buildProtocol(self, addr: Any) -> Any:
        """The connection is there: its protocol, or None for no connection after all."""

    def connected(self, protocol: Any) -> object:
        """It is made, and its protocol has begun."""

    def connectFailed(self, reason: Failure) -> object:
        """There is none."""


class ConnectAttempt(Protocol):
    """One under way."""

    def cancel(self) -> None:
        """Nobody wants it any more, and nobody is told of anything."""


class IHalfCloseTransport(ITransport, IConsumer, IPushProducer):
    """
    A transport whose two directions end separately, and which can be aborted.

    End of stream as in `twisted.internet.tcp`: a protocol that provides IHalfCloseableProtocol
    (asked once per protocol) gets `readConnectionLost()`; any other connection is lost with
    ConnectionDone.  Bytes already written still reach the peer.
    """

    protocol = Attribute("Who gets the events; may be replaced at any moment.")
    bufferedBytes = Attribute("Bytes written and not yet taken by the peer (int).")

    def loseWriteConnection() -> None:
        """
        End our direction after everything written; a registered producer is waited for.

        Then `writeConnectionLost()` is called on an IHalfCloseableProtocol.  Idempotent; what is
        written later is ignored.
        """

    def abortConnection() -> None:
        """
        Drop the connection and all undelivered bytes, both ways.

        Our protocol gets ConnectionAborted, the peer's ConnectionLost, both at the next event
        boundary and even if reading is paused.
        """

    def resetConnection() -> None:
        """
        Close once everything written has been taken, but as an abort: the peer sees a loss.

        What `abortConnection` does without dropping a byte that was written before it; a
        registered producer is waited for.
        """

    def setWriteBufferLimit(limit: int) -> None:
        """
        Set when a registered producer is paused and resumed.

        Args:
            limit: high watermark; above it a producer pauses, at half of it or below it resumes.
        Raises:
            ValueError: limit is less than 1.
        Units: bytes.
        """


class IPromptTransport(IHalfCloseTransport):
    """
    A transport that ends at once for a protocol which asks at the event boundary and is not told.

    What endpoints with `begin` and the ports beside them give.
    """

    def endNow() -> bool:
        """
        Send our end of stream, and forget a producer.

        Returns:
            False, and nothing was done: something waits to be sent before it.
        """

    def closeNow() -> bool:
        """
        Close, after which the transport's own address is not known any more.

        Returns:
            False, and nothing was done: the peer has not ended, or something waits to be sent.
        """


class IInternalTransport(IPromptTransport):
    """
    One end of an internal connection; it never ends at once.
    """

    def passage() -> Passage | None:
        """What the other end's protocol does with all that is written here; None: something."""

    def passes(passage: Passage, size: int = 0) -> bool:
        """Whether it would do that now, at once, with so many bytes written here."""

    def awaits(reader: Callable[[bytes], None], size: int) -> bool:
        """Would `reader`, our protocol's, be given so many bytes alone, if the peer wrote them?"""

    def offerThrough(through: Callable[[bytes], bool]) -> None:
        """
        Offer a shorter way to who writes at the other end, if its protocol has `writesThrough`.

        Args:
            through: is given what else were written, and says whether it has taken it; it writes
                nothing back, and calls nobody but producers.
        """

    passthrough = Attribute("The client endpoint's opaque object, by reference; or None.")
    hops = Attribute("How many internal connections lead here, this one included (int).")
