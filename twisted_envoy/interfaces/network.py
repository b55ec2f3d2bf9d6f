"""What stands between a connection and its terminal filter."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from twisted.python.failure import Failure
from zope.interface import Attribute, Interface

from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.state.stream_info import StreamInfo


class IReadFilter(Interface):
    """
    A link that takes part in what comes from the wire. Every method is optional.

    A method that is not defined is not on the path: it costs nothing.
    """

    def connectionMade() -> None:
        """The connection is there; filters nearer to the wire have seen it."""

    def dataReceived(data: bytes) -> None:
        """Bytes from the wire; pass them on with `self.deliver(data)`."""

    def readConnectionLost() -> None:
        """The peer will send no more; pass it on with `self.deliverEnd()`."""

    def connectionLost(reason: Failure) -> None:
        """The connection is gone; called once, after which every verb is a silent no-op."""


class IWriteFilter(Interface):
    """A link that takes part in what goes to the wire."""

    def write(data: bytes) -> None:
        """Bytes toward the wire; pass them on with `self.transport.write(data)`."""

    def loseWriteConnection() -> None:
        """No more writes will come; pass it on with `self.transport.loseWriteConnection()`."""


class INetworkFilterFactory(IExtensionFactory):
    """
    Builds a network filter.

    `build` returns a callable without arguments that makes one Link (or, for a terminal filter, any
    Twisted IProtocol) for one connection. It runs for each connection: it only allocates.
    """

    terminal: bool = Attribute("True for a filter that must be the last of its chain.")


class Verdict(Enum):
    """What a listener filter says of the bytes it was shown."""

    NEED_MORE = "need more"
    DONE = "done"
    REJECT = "reject"


class IListenerFilter(Interface):
    """Looks at the first bytes of a connection before a filter chain is chosen. Sans-IO."""

    maxReadBytes: int = Attribute(
        "How many bytes it may ask for, 0 when it reads none; may grow while it waits."
    )

    def feed(data: bytes, streamInfo: StreamInfo) -> tuple[Verdict, int | str]:
        """
        Look at everything that has come so far, up to `maxReadBytes`.

        Called once with b"" at accept, then with the whole beginning each time that it grows. A
        filter that needs more though it has all that it may ask for ends the connection.

        Returns:
            (NEED_MORE, 0), (DONE, bytes that it took away) or (REJECT, reason).
        """


class ITransportListenerFilter(IListenerFilter):
    """A listener filter that asks the connection itself something, such as its socket."""

    def connected(transport: Any) -> None:
        """The accepted transport; called once, before the first `feed`."""


class IListenerInfo(Interface):
    """What filters and logs may know of the listener that accepted their connection."""

    name: str = Attribute("As configured.")
    metadata: dict[str, dict[str, object]] = Attribute("filter_metadata.")
    trafficDirection: str = Attribute("UNSPECIFIED, INBOUND or OUTBOUND.")
    drainType: str = Attribute("DEFAULT, or MODIFY_ONLY for no drain on failed health checks.")


class IDrainDecision(Interface):
    """Whether connections should be ended when that is convenient."""

    draining: bool = Attribute("True once the server drains.")

    def drainClose(listener: IListenerInfo) -> bool:
        """Shall a connection of that listener, which is at a good point for it, be ended now?"""
