"""
A listener: one name, its addresses, its filter chains, and the connections that it accepted.

Follows Envoy's `config.listener.v3.Listener`, for sockets and for internal listeners alike; which
endpoints it listens on is all the difference that there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.interfaces.network import IListenerFilter, IListenerInfo
from twisted_envoy.network.accept import Acceptor, DirectAcceptor
from twisted_envoy.network.chain import Chain
from twisted_envoy.network.chain_match import FilterChainIndex
from twisted_envoy.network.filter_chain import FilterChain
from twisted_envoy.network.limits import ConnectionLimit
from twisted_envoy.network.listener_stats import ListenerStats
from twisted_envoy.network.records import writeRecord
from twisted_envoy.state.stream_info import FormatContext, StreamInfo
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.interfaces.access_log import IAccessLogger
    from twisted_envoy.network.chain_tree import FilterChainTree


_SERVER_ENDS = "purging_socket_that_have_not_progressed_to_connections"
"""What Envoy logs of connections that are open when the server ends, though they had progressed."""


@implementer(IListenerInfo)
@dataclass(frozen=True, slots=True)
class ListenerInfo:
    """What filters and logs may know of a listener."""

    name: str
    metadata: dict[str, dict[str, object]] = field(default_factory=dict)
    trafficDirection: str = "UNSPECIFIED"
    drainType: str = "DEFAULT"


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """
    Everything about a listener that its config says.

    Attributes:
        addresses: as configured; the first is the listener's own.
        bufferLimit: bytes, `per_connection_buffer_limit_bytes`.
        pipeSize: bytes that each direction of an internal connection holds; None: the bootstrap's.
        filtersTimeout: seconds that listener filters have, 0 for ever.
        limit: of this listener's connections.
        globalLimit: of all the server's; None when this listener does not count there.
        handsOff: connections whose local address is restored go to the listener of that address.
    """

    info: ListenerInfo
    addresses: tuple[IAddress, ...]
    isInternal: bool
    statPrefix: str
    chains: FilterChainIndex[FilterChain] | FilterChainTree
    filterMakers: tuple[Callable[[], IListenerFilter], ...] = ()
    filtersTimeout: float = 15.0
    continueOnTimeout: bool = False
    bufferLimit: int = 1024 * 1024
    pipeSize: int | None = None
    accessLogs: tuple[IAccessLogger, ...] = ()
    limit: ConnectionLimit = field(default_factory=ConnectionLimit)
    globalLimit: ConnectionLimit | None = None
    handsOff: bool = False


@implementer(IProtocolFactory)
class Listener:
    """
    Accepts connections and gives each one its chain.

    Args:
        settings: what was configured.
        config: the View that it was built from, for `/config_dump`.
        stats: `listener.<address>.*`.
        reactor: IReactorTime.
        nextID: gives each connection its number.

    Attributes:
        holding: connections that come wait until `release`.
        byAddress: finds the listener to hand a connection to whose local address was restored;
            None for one that keeps all.
    """

    noisy = False
    asksPeer = False

    def __init__(
        self,
        settings: ListenerSettings,
        config: Any,
        stats: ListenerStats,
        reactor: Any,
        nextID: Callable[[], int],
    ) -> None:
        self.settings = settings
        self.config = config
        self.stats = stats
        self.name = settings.info.name
        self.info = settings.info
        self.isInternal = settings.isInternal
        self.statPrefix = settings.statPrefix
        self.trafficDirection = settings.info.trafficDirection
        self.filterMakers = settings.filterMakers
        self.filtersTimeout = settings.filtersTimeout
        self.continueOnTimeout = settings.continueOnTimeout
        self.seconds: Callable[[], float] = reactor.seconds
        self.callLater: Callable[..., IDelayedCall] = reactor.callLater
        self.nextID = nextID
        self.ports: list[IListeningPort] = []
        self.connections: dict[Any, None] = {}  # half of what a set takes
        self.whenEnded = self._ended  # one for all connections
        self.holding = False
        self.byAddress: Callable[[IAddress | None], Listener | None] | None = None
        self._waiting: set[Acceptor] = set()
        self._direct = DirectAcceptor(self)
        self._carrier: Any = self  # nobody has asked

    # Listening.

    def listen(self, endpoints: Iterable[IStreamServerEndpoint]) -> Deferred[None]:
        """
        Bind every address.

        Raises:
            (Deferred) CannotListenError: the first address that could not be bound.
        """

        def bound(ports: list[IListeningPort]) -> None:
            self.ports = ports

        listening = [endpoint.listen(self) for endpoint in endpoints]
        gathered = gatherResults(listening, consumeErrors=True).addErrback(firstProblem)
        return gathered.addCallback(bound)

    def hold(self) -> None:
        """Let connections that come wait, before anything looks at them, until `release`."""
        self.holding = True

    def release(self) -> None:
        """Begin with the connections that wait, and with each new one at once."""
        if self.holding:
            self.holding = False
            for acceptor in list(self._waiting):
                acceptor.released()

    def stopListening(self) -> Deferred[None]:
        """Accept no more; open connections stay."""
        ports, self.ports = self.ports, []
        stopping = [cast("Deferred[Any]", port.stopListening()) for port in ports]
        done: Deferred[Any] = gatherResults([d for d in stopping if d is not None])
        return done.addCallback(lambda _: None)

    @property
    def address(self) -> IAddress:
        """Where it listens: the bound address once it does, the configured one before."""
        if self.ports:
            return self.ports[0].getHost()
        return self.settings.addresses[0]

    @property
    def additionalAddresses(self) -> tuple[IAddress, ...]:
        """The bound additional addresses, or the configured ones."""
        if self.ports:
            return tuple(port.getHost() for port in self.ports[1:])
        return self.settings.addresses[1:]

    # IProtocolFactory.

    def doStart(self) -> None:
        """Nothing to prepare."""

    def doStop(self) -> None:
        """Nothing to put away; connections outlive the port."""

    def buildProtocol(self, addr: IAddress | None) -> Acceptor | DirectAcceptor | None:
        """
        One connection's first protocol.

        Returns:
            None, and the connection is refused, when a limit is reached.
        """
        carrier = self._carrier
        if carrier is self:
            carrier = self.carrier
        if carrier is not None and not self.isInternal:
            carried = carrier.take()
            if carried is not None:
                return carried  # type: ignore[no-any-return]
        return self._acceptor()

    def _acceptor(self) -> Acceptor | DirectAcceptor | None:
        """For a connection that is not carried; None: a limit is reached (inside nobody asks)."""
        if not self.isInternal and self._refuses():
            return None
        return Acceptor(self) if self.holding or self.filterMakers else self._direct

    def _refuses(self) -> bool:
        settings = self.settings
        if settings.globalLimit is not None and settings.globalLimit.reached:
            self.stats.downstream_global_cx_overflow.value += 1
            if settings.globalLimit.refusals is not None:
                settings.globalLimit.refusals.value += 1
            return True
        limit = settings.limit
        if limit.most is not None and limit.reached:
            self.stats.downstream_cx_overflow.value += 1
            return True
        return False

    @property
    def carrier(self) -> Any:
        """
        What may take connections in place of a chain: its `take` gives a protocol, or None.

        There is one where all get the same chain, nobody looks at them first or logs them, and the
        chain's only link says how (`carrierFor` of its maker).
        """
        if self._carrier is self:
            settings = self.settings
            only = getattr(settings.chains, "only", None)
            plain = not (settings.filterMakers or settings.accessLogs or settings.handsOff)
            self._carrier = None
            if plain and only is not None and only.wrap is None and len(only.makers) == 1:
                offers = getattr(only.makers[0], "carrierFor", None)
                self._carrier = None if offers is None else offers(self, only)
        return self._carrier

    # What acceptors call.

    def waiting(self, acceptor: Acceptor) -> None:
        """A connection is with the listener filters."""
        self._waiting.add(acceptor)
        self.stats.downstream_pre_cx_active.value += 1

    def waited(self, acceptor: Acceptor) -> None:
        """It is not any more."""
        if acceptor in self._waiting:
            self._waiting.discard(acceptor)
            self.stats.downstream_pre_cx_active.value -= 1

    def dropped(self, streamInfo: StreamInfo) -> None:
        """A connection ended before it had a chain: it is only logged."""
        self._log(streamInfo)

    def handedOver(self, transport: Any, streamInfo: StreamInfo) -> bool:
        """
        Give a connection to the listener of the address that it was meant for.

        Returns:
            False when this one keeps it: it does not hand off, or there is no other one.
        """
        if self.byAddress is None or not streamInfo.localAddressRestored:
            return False
        other = self.byAddress(streamInfo.localAddress)
        if other is None or other is self:
            return False
        acceptor = other._acceptor()  # it has begun already: nobody carries it
        if acceptor is None:
            transport.abortConnection()
        else:
            acceptor.takeOver(transport, streamInfo)
        return True

    def accepted(self, transport: Any, streamInfo: StreamInfo) -> Chain | None:
        """
        Choose a filter chain and start it.

        Returns:
            The connection's chain; None when none matched and the connection is being closed.
        """
        settings = self.settings
        if not streamInfo.transportProtocol:
            streamInfo.transportProtocol = "raw_buffer"
        found = settings.chains.find(streamInfo)
        if found is None:
            self.stats.no_filter_chain_match.value += 1
            streamInfo.raiseFlag("NR")
            streamInfo.responseCodeDetails = "filter_chain_not_found"
            self._log(streamInfo)
            transport.loseConnection()
            return None
        nameChain(streamInfo, found)
        stats = self.stats
        stats.downstream_cx_total.value += 1
        if not found.makers:
            stats.network_extension_config_missing.value += 1
        stats.downstream_cx_active.value += 1
        stats.workerTotal.value += 1
        stats.workerActive.value += 1
        settings.limit.active += 1
        if settings.globalLimit is not None:
            settings.globalLimit.active += 1
        if not settings.isInternal:  # there the buffer is the hop's, `buffer_size_kb`
            transport.setWriteBufferLimit(settings.bufferLimit)
        chain = Chain(found.makers, streamInfo, settings.bufferLimit, self.whenEnded)
        self.connections[chain] = None
        if found.wrap is not None:
            transport = found.wrap(transport, streamInfo)
            if found.connectTimeout:
                self.callLater(found.connectTimeout, self._handshakeTimedOut, transport, streamInfo)
        transport.protocol = chain
        chain.makeConnection(transport)
        return chain

    def _handshakeTimedOut(self, transport: Any, streamInfo: StreamInfo) -> None:
        """Nothing happens when the transport is ready by now, or gone."""
        if transport.giveUpHandshake():
            streamInfo.localCloseReason = "transport_socket_timeout"
            streamInfo.connectionTerminationDetails = "transport socket timeout was reached"
            self.stats.downstream_cx_transport_socket_connect_timeout.value += 1

    def _ended(self, chain: Chain) -> None:
        self.connections.pop(chain, None)
        stats = self.stats
        stats.downstream_cx_active.value -= 1
        stats.workerActive.value -= 1
        stats.downstream_cx_destroy.value += 1
        settings = self.settings
        settings.limit.active -= 1
        if settings.globalLimit is not None:
            settings.globalLimit.active -= 1
        streamInfo = chain.streamInfo
        stats.downstream_cx_length_ms.record((self.seconds() - streamInfo.startTime) * 1000)
        if settings.accessLogs:
            self._log(streamInfo)

    def _log(self, streamInfo: StreamInfo) -> None:
        if self.settings.accessLogs:
            if streamInfo.endTime is None:
                streamInfo.endTime = self.seconds()
            context = FormatContext(streamInfo, "NotSet", self.seconds())
            writeRecord(self.settings.accessLogs, context)

    # Ending.

    def closeConnections(self) -> None:
        """Close what is open, in good order: what was written still goes out."""
        for acceptor in list(self._waiting):
            acceptor.transport.loseConnection()
        for chain in self._chains():
            info = chain.streamInfo
            info.localCloseReason = _SERVER_ENDS
            if info.upstream is not None and info.upstream.remoteAddress is not None:
                info.upstream.localCloseReason = _SERVER_ENDS
            chain.transport.unregisterProducer()
            chain.transport.loseConnection()

    def replaced(self, carried: Any, chain: Chain) -> None:
        """A connection that was carried has this chain now."""
        del self.connections[carried]
        self.connections[chain] = None

    def _chains(self) -> list[Chain]:
        """Of all connections; those that were carried have become some."""
        for one in list(self.connections):
            if not isinstance(one, Chain):
                one.become()
        return list(self.connections)

    def abortConnections(self) -> None:
        """Reset what is still open."""
        for acceptor in list(self._waiting):
            acceptor.transport.abortConnection()
        for chain in self._chains():
            chain.transport.abortConnection()


def nameChain(streamInfo: StreamInfo, chain: FilterChain) -> None:
    """Let a connection know which chain it got."""
    if chain.name:
        streamInfo.filterChainName = chain.name
    if chain.metadata:
        streamInfo.filterChainMetadata = chain.metadata


def firstProblem(failure: Failure) -> Failure:
    """The Failure that a gathered Deferred has failed with first."""
    problem = failure.value
    return problem.subFailure if isinstance(problem, FirstError) else failure
