"""What a carried connection becomes when anything but the usual happens to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.extensions.filters.network.tcp_proxy.attempts import Attempts
from twisted_envoy.extensions.filters.network.tcp_proxy.carried_hop import CarriedOverHop
from twisted_envoy.extensions.filters.network.tcp_proxy.resumed import ResumedProxy
from twisted_envoy.extensions.filters.network.tcp_proxy.upstream import Upstream
from twisted_envoy.internal.endpoints import accepted
from twisted_envoy.network.chain import Chain
from twisted_envoy.network.listener import nameChain
from twisted_envoy.state.passthrough import Passthrough
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.upstream.tcp_connection import PoolConnection

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.network.tcp_proxy.carried import Carried
    from twisted_envoy.extensions.filters.network.tcp_proxy.leg import Leg


def ordinary(carried: Carried) -> None:
    """
    Make the chain with its link, and the pool's connection, in the state that they would be in.

    Nobody is told of anything; nothing is counted again. Transports get their new protocols and
    keep their producers, who pass on what they are told.
    """
    upstream = carried.upstream
    queue = carried.idleQueue()
    if queue is not None:
        queue.leave(carried)
    link = outer = _linkOf(carried, carried.leg, carried.transport, carried.connectionID)
    carried.leg.settings.live.pop(carried, None)
    carried.chain = outer.chain
    if isinstance(carried, CarriedOverHop):
        link = _hop(carried, carried.second, outer)
    elif upstream.isOver:
        outer.resumeEnding(upstream.transport)
    carried.gate = link.chain.gate
    if not upstream.isOver:
        if upstream.transport is None:
            _goOnConnecting(carried, link)
        else:
            _goOnRelaying(carried, link, outer)
    carried.leg.turn.post(carried.forget)


def _linkOf(carried: Carried, leg: Leg, transport: Any, connectionID: int) -> ResumedProxy:
    """A chain's only link, on that leg's listener."""
    listener = leg.listener
    info = StreamInfo(carried.startTime, transport.getHost(), transport.getPeer(), connectionID)
    info.listener = listener.info
    info.transportProtocol = "raw_buffer"
    nameChain(info, leg.chain)
    info.bytesReceived = carried.bytesReceived
    info.bytesSent = carried.bytesSent
    chain = Chain(leg.chain.makers, info, listener.settings.bufferLimit, listener.whenEnded)
    link = ResumedProxy(leg.settings)
    chain.resume(transport, link)
    if not transport.disconnected:  # else it has told its protocol, and forgotten it
        transport.protocol = chain
    listener.replaced(carried, chain)
    link.resume(leg.host, carried.lastActivity)
    return link


def _upstreamOf(
    carried: Carried,
    leg: Leg,
    link: ResumedProxy,
    transport: Any,
    since: float,
    ends: tuple[bool, bool],
    before: int,
) -> tuple[Upstream, PoolConnection]:
    """What a connection from that link to the leg's host is made of."""
    protocol = Upstream(link, leg.cluster.stats)
    protocol.resume(transport, carried.upstreamEnded, carried.ended, before)
    pool = PoolConnection(leg.host, None)
    pool.resumeConnected(transport, protocol, since, ends)
    if not transport.disconnected:
        transport.protocol = pool
    link.resumeRelaying(protocol, carried.ended, carried.upstreamEnded)
    return protocol, pool


def _hop(carried: CarriedOverHop, second: Leg, outer: ResumedProxy) -> ResumedProxy:
    """The internal connection that there would be; returns the link behind it, if it still is."""
    leg = carried.leg
    isOver = carried.upstream.isOver
    assert leg.registry is not None
    ends = (carried.ended, carried.upstreamEnded)
    address: Any = leg.host.address
    early, carried.early = carried.early, b""
    confirmed = carried.isConfirmed
    client, server = leg.registry.joined(address, Passthrough({}), 1, ends, early, confirmed)
    if isOver:
        outer.resumeEnding(client)
        return outer
    if confirmed:
        _goOnOver(carried, outer, client)
    else:
        attempts = Attempts(outer)
        pool = PoolConnection(leg.host, attempts)
        pool.resume(carried.startTime, accepted(client, pool, leg.registry.turn), True)
        attempts.resume(leg.cluster, pool)
        outer.resumeConnecting(attempts)
    inner = _linkOf(carried, second, server, second.listener.nextID())
    inner.streamInfo.bytesReceived -= len(early)
    return inner


def _goOnOver(carried: CarriedOverHop, outer: ResumedProxy, client: Any) -> None:
    """From the outer link to the client's end of the hop."""
    leg = carried.leg
    if carried.upstream.transport is None:
        carried.transport.registerProducer(carried.upstream, True)
    leg.cluster.open.pop(carried, None)
    leg.cluster.open[client] = None
    ends = (carried.ended, carried.remoteEnded)  # in a hop an end does not wait for bytes
    before = max(carried.told, carried.receivedBefore)
    started = carried.startTime
    carried.producer = _upstreamOf(carried, leg, outer, client, started, ends, before)[0]
    if not carried.ended:
        client.registerProducer(outer.chain.gate, True)


def _goOnConnecting(carried: Carried, link: ResumedProxy) -> None:
    upstream = carried.upstream
    leg = upstream.leg
    attempts = Attempts(link)
    upstream.pool = pool = PoolConnection(leg.host, attempts)
    pool.resume(carried.startTime, upstream.attempt, upstream.returned, upstream)
    attempts.resume(leg.cluster, pool)
    link.resumeConnecting(attempts)


def _goOnRelaying(carried: Carried, link: ResumedProxy, outer: ResumedProxy) -> None:
    upstream = carried.upstream
    transport = upstream.transport
    ends = (upstream.ended, upstream.remoteEnded)
    protocol, upstream.pool = _upstreamOf(
        carried,
        upstream.leg,
        link,
        transport,
        upstream.connectedTime,
        ends,
        carried.receivedBefore,
    )
    if link is outer:
        carried.producer = protocol
    elif not carried.upstreamEnded:
        link.transport.registerProducer(protocol, True)
