"""
One request of a client and its response: between a codec's stream and the HTTP filters.

    event                      sent by           what happens
    decodeHeaders/Data/...     the codec         see http.request_side
    sendLocalReply             anybody           the response of our own, through the filters
    encodeHeaders/Data/...     terminal filter   the filters, then edits, then the codec
    resetStream                terminal filter   the response cannot be finished
    finish                     either side       filters let go, the record is written

Envoy: ConnectionManagerImpl::ActiveStream
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.http.filter_chain import Encoding
from twisted_envoy.http.flushing import Flushing
from twisted_envoy.http.local_reply import sendWhole
from twisted_envoy.http.request_side import RequestSide
from twisted_envoy.http.start_record import nameCluster, recordStart
from twisted_envoy.network.read_gate import HELD_FULL
from twisted_envoy.network.records import writeRecord
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext

if TYPE_CHECKING:
    from twisted_envoy.http.filter import HTTPFilter

_log = Logger("http")


class HTTPStream(RequestSide):
    """One request, as filters see it (attributes: RequestSide's)."""

    __slots__ = ()

    # What filters are told.

    def routeConfig(self, name: str) -> Any:
        """The most specific typed_per_filter_config of that filter name; None for none."""
        return (self.routeConfigs(name) or (None,))[-1]

    def routeConfigs(self, name: str) -> tuple[Any, ...]:
        """All of them, the least specific first."""
        route = self.route
        return () if route is None else route.routeConfigs.get(name, ())

    def nameOf(self, filter: HTTPFilter) -> str:
        """What the filter is called in the config."""
        names = self.plan.names
        return names[filter.index] if filter.index < len(names) else ""

    # Holding.

    @property
    def heldRequestBytes(self) -> int:
        """Body bytes that wait behind a filter that holds the request."""
        return 0 if self._decoding is None else self._decoding.heldBytes

    def holdDecode(self, filter: HTTPFilter) -> None:
        """See HTTPFilter."""
        if self._decoding is not None:
            self._decoding.hold(filter.index)

    def releaseDecode(self, filter: HTTPFilter) -> None:
        """See HTTPFilter."""
        if self._decoding is not None:
            try:
                self._decoding.release(filter.index)
            except Exception:
                self.filterRaised()

    def holdEncode(self, filter: HTTPFilter) -> None:
        """See HTTPFilter."""
        if self._encoding is not None:
            self._encoding.hold(filter.index)

    def releaseEncode(self, filter: HTTPFilter) -> None:
        """See HTTPFilter."""
        if self._encoding is not None:
            try:
                self._encoding.release(filter.index)
            except Exception:
                self.filterRaised()

    def releaseEncodeSome(self, filter: HTTPFilter, size: int) -> None:
        """Let so many of the body bytes pass that the filter holds; the rest goes on waiting."""
        if self._encoding is not None:
            try:
                self._encoding.releaseSome(filter.index, size)
            except Exception:
                self.filterRaised()

    def addDecodedData(self, filter: HTTPFilter, data: bytes) -> None:
        """See HTTPFilter."""
        if self._decoding is not None:
            self._decoding.insert(filter.index, data)

    def addEncodedData(self, filter: HTTPFilter, data: bytes) -> None:
        """See HTTPFilter."""
        if self._encoding is not None:
            self._encoding.insert(filter.index, data)

    def addDecodedTrailers(self) -> HeaderMap:
        """See HTTPFilter."""
        trailers: HeaderMap = self._decoding.addTrailers()
        self.requestTrailers = self.streamInfo.requestTrailers = trailers
        return trailers

    def addEncodedTrailers(self) -> HeaderMap:
        """See HTTPFilter; only while data is encoded."""
        trailers = cast(Encoding, self._encoding).addTrailers()
        self.responseTrailers = self.streamInfo.responseTrailers = trailers
        return trailers

    def heldRequestChanged(self, size: int) -> None:
        """Read no more while too much is held."""
        if size > self.bufferLimit:
            self.gate.shut(HELD_FULL)
        else:
            self.gate.open(HELD_FULL)

    def heldResponseChanged(self, size: int) -> None:
        """The same for the response."""
        if (size > self.bufferLimit) is not self._responsePaused:
            self._responsePaused = not self._responsePaused
            if self._producer is not None:
                if self._responsePaused:
                    self._producer.pauseProducing()
                else:
                    self._producer.resumeProducing()

    # The response, from the terminal filter.

    def registerProducer(self, producer: IPushProducer | None) -> None:
        """Pause it while the client is slow; None for none."""
        self._producer = producer
        if not self.ended:
            self.encoder.registerProducer(producer)

    def encode1xx(self, headers: HeaderMap) -> None:
        """Interim headers from the upstream; 100 only where it was asked for through us."""
        if self.settings.proxies100Continue and not self.ended:
            self.connection.countResponse(int(headers[b":status"]))
            self.encoder.encode1xx(headers)

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        """The response begins its way through the filters."""
        try:
            if self._encoding is not None:
                self.responseHeaders = self.streamInfo.responseHeaders = headers
                self.streamInfo.responseCode = int(headers[b":status"])
                self._encoding.headers(headers, endStream)
            else:
                self.sendHeaders(headers, endStream)
        except Exception:
            self._raisedAgain() if self._raised else self.filterRaised()

    def _raisedAgain(self) -> None:
        """Even the answer to a failure fails: end the request without one."""
        _log.failure("answering a request failed; it is reset")
        self.resetStream(Reset.LOCAL, "filter_raised")

    def encodeData(self, data: bytes, endStream: bool) -> None:
        """Body bytes of the response."""
        if self._encoding is not None:
            try:
                self._encoding.data(data, endStream)
            except Exception:
                self.filterRaised()
        else:
            self.sendData(data, endStream)

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        """Trailers of the response."""
        self.responseTrailers = self.streamInfo.responseTrailers = trailers
        if self._encoding is not None:
            try:
                self._encoding.trailers(trailers)
            except Exception:
                self.filterRaised()
        else:
            self.sendTrailers(trailers)

    def sendLocalReply(
        self,
        status: int,
        body: bytes,
        details: str,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        grpcStatus: int | None = None,
    ) -> None:
        """See HTTPFilter.sendLocalReply; a response that has begun is reset instead."""
        if self.ended:
            return
        info = self.streamInfo
        if self.responseHeaders is not None and self.responseStarted:
            info.responseCodeDetails = details
            self.resetStream(Reset.LOCAL, details)
            return
        if not self.filters and not self._raised:
            self.makeFilters()  # they see the answer to what never came to them, too
        self.decodingEnded = True
        info.responseCodeDetails = details
        if status == 400 and not self.settings.http1.streamErrors:
            self.closesAfter = True
        route = self.route
        nameCluster(self)
        edit = None if route is None else route.finalizeResponse
        replies = self.settings.localReplies
        last = route is not None and route.kind != "cluster"  # its headers are the answer's own
        reply = replies.make(info, status, body, headers, grpcStatus, edit, last)
        self.encodeHeaders(reply.headers, not reply.body)
        if reply.body:
            self.encodeData(reply.body, True)

    def sendReply(self, headers: HeaderMap, body: bytes, details: str) -> None:
        """The same, of a whole reply that nothing in the config would change."""
        self.decodingEnded = True
        self.streamInfo.responseCodeDetails = details
        if body and self._encoding is None and not (self.isTunnel or self.ended):
            sendWhole(self, headers, body)
            return
        self.encodeHeaders(headers, not body)
        if body:
            self.encodeData(body, True)

    def resetStream(self, reason: Reset, details: str) -> None:
        """The response has begun and will not be finished."""
        if self.ended:
            return
        if details:
            self.streamInfo.responseCodeDetails = details
        self.settings.stats.downstream_rq_tx_reset.value += 1
        self.connection.resetResponse(self, reason)

    def recreate(self, headers: HeaderMap, body: bytes = b"") -> bool:
        """
        Handle the same request again, with these headers, from the first filter on.

        Returns:
            False when that cannot be: part of it is not there, or the response has begun.
        """
        if self.ended or self.responseStarted or not self.requestEnded or self.isTunnel:
            return False
        self.settings.post(lambda: self._again(headers, body))
        return True

    def _again(self, headers: HeaderMap, body: bytes) -> None:
        if self.ended:
            return
        self._endFilters()
        info = self._infoAgain()
        self.connection.countRequest()
        self.requestHeaders = info.requestHeaders = headers
        self.responseHeaders = None
        self.decodingEnded = False
        self._producer = None
        self.encoder.registerProducer(None)
        info.requestTrailers = self.requestTrailers
        self.refreshRoute()
        self.makeFilters()
        route = self.route
        if route is not None and (
            route.idleTimeout is not None or route.maxStreamDuration is not None
        ):
            self._setRouteTimes(route)
        if self.settings.records.onNewRequest:
            recordStart(self)
        try:
            trailers = self.requestTrailers
            self._way().headers(headers, not body and trailers is None)
            if body and not self.decodingEnded:
                self._way().data(body, trailers is None)
            if trailers is not None and not self.decodingEnded:
                self._way().trailers(trailers)
        except Exception:
            self.filterRaised()

    def _infoAgain(self) -> RequestInfo:
        """Log what was, and begin with a StreamInfo that keeps only the filter state."""
        was = self.streamInfo
        was.endTime = now = self.settings.seconds()
        self.writeRecord("DownstreamEnd")
        info = self.streamInfo = RequestInfo(self.connection.streamInfo, now, self.encoder)
        info.filterState = was.filterState
        info.protocol = was.protocol
        info.remoteAddress = was.remoteAddress
        info.lastRequestByteReceivedTime = now
        return info

    # Past the filters.

    def sendHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        """The response's headers go to the client."""
        if self.ended:
            return
        info = self.streamInfo
        self.responseHeaders = info.responseHeaders = headers
        self.connection.prepareResponse(self, headers)
        self.lastActivity = info.firstResponseByteSentTime = self.settings.seconds()
        self.encoder.encodeHeaders(headers, endStream)
        self.responseStarted = True
        if endStream:
            self.responseEnds()
        elif self.isTunnel and self.settings.records.onTunnel:
            self.writeRecord("DownstreamTunnelSuccessfullyEstablished")

    def sendData(self, data: bytes, endStream: bool) -> None:
        """Body bytes go to the client."""
        if self.ended:
            return
        self.streamInfo.bytesSent += len(data)
        self.lastActivity = self.settings.seconds()
        self.encoder.encodeData(data, endStream)
        if endStream:
            self.responseEnds()

    def sendTrailers(self, trailers: HeaderMap) -> None:
        """Trailers go to the client."""
        if self.ended:
            return
        self.lastActivity = self.settings.seconds()
        self.encoder.encodeTrailers(trailers)
        self.responseEnds()

    def responseEnds(self) -> None:
        """All of the response is with the encoder."""
        self.responseEnded = True
        encoder = self.encoder
        if encoder.isFlushing and not self.ended:
            self.decodingEnded = True
            self.watched = False
            if self.timers is not None:
                self.timers.responseEnded()
            self._flushing = Flushing(self, self._flushed)
        else:
            self.streamInfo.lastResponseByteSentTime = self.lastActivity
            self.finish() if self.requestEnded else self.connection.responseEnded(self)

    def _flushed(self) -> None:
        """The codec has sent all of it."""
        self.streamInfo.lastResponseByteSentTime = self.settings.seconds()
        self.connection.responseEnded(self)

    # The end.

    def finish(self) -> None:
        """It is over, one way or the other: filters let go, the record is written."""
        if self.ended:
            return
        self.ended = self.decodingEnded = True
        settings = self.settings
        info = self.streamInfo
        info.endTime = now = settings.seconds()
        if self.timers is not None:
            self.timers.stop()
        if self._flushing is not None:
            self._flushing.stop()
            self._flushing = None
        stats = settings.stats
        stats.downstream_rq_active.value -= 1
        stats.downstream_rq_time.record(int((now - info.startTime) * 1000))
        if self.isTunnel:
            stats.downstream_cx_upgrades_active.value -= 1
        self._endFilters()
        self.connection.streamFinished(self)
        if settings.records.logs:
            self.writeRecord("DownstreamEnd")
        self._producer = self._gate = None

    def _endFilters(self) -> None:
        filters = self.filters
        if filters:
            self.filters = []
            for index in self.plan.ended:
                try:
                    filters[index].streamEnded()  # type: ignore[attr-defined]
                except Exception:
                    _log.failure("streamEnded of an HTTP filter raised")
        self._decoding = self._encoding = None

    def writeRecord(self, kind: str) -> None:
        """Write to the access logs."""
        logs = self.settings.records.logs
        if logs:
            writeRecord(logs, FormatContext(self.streamInfo, kind, self.settings.seconds()))
